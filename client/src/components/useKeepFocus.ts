// useKeepFocus.ts - when the focused element is removed, moves the focus to its neighbor instead of the page's top.
import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';

type Finder = () => HTMLElement | null;

// Overlays stand elsewhere in the document than what they were opened from: the focus comes back from them.
const MENU = '.menu-positioner';
const OVERLAYS = `[role=dialog], [role=alertdialog], ${MENU}, .toasts`;

const finders = new WeakMap<Element, Finder>();
let inside: readonly Element[] = []; // those around what had the focus last, the innermost first

const firstControl = (around: HTMLElement) => around.querySelector<HTMLElement>('button, a[href], input:not([hidden])');

document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof Element) || target.closest(OVERLAYS)) {
        return;
    }
    const around: Element[] = [];

    for (let each: Element | null = target; each; each = each.parentElement) {
        if (finders.has(each)) {
            around.push(each);
        }
    }
    inside = around;
});

/**
 * The element that gets the focus when an overlay closes (Base UI's finalFocus): the previous one, or the neighbor
 * of what has gone (true: to where Base UI thinks best); false: the user has moved on meanwhile.
 */
export function placeOfFocus(): () => HTMLElement | boolean {
    const had = document.activeElement;
    const around = inside;

    return () => {
        const now = document.activeElement;

        // It is asked when the overlay is off the screen at last, which a busy machine does late.
        if (now && now !== document.body && (now.closest(MENU) || !now.closest(OVERLAYS))) {
            return false;
        }
        if (had instanceof HTMLElement && had.isConnected && had !== document.body && !had.closest(OVERLAYS)) {
            return had;
        }
        const keeper = around.find((each) => each.isConnected);

        return (keeper && finders.get(keeper)?.()) ?? true;
    };
}

/** Ref for the element around content that changes with `state`. `find` returns the neighbor. */
export function useKeepFocus<T extends HTMLElement>(
    state: unknown,
    find: (around: T) => HTMLElement | null = firstControl,
): RefObject<T | null> {
    const around = useRef<T>(null);
    const finder = useRef(find);

    finder.current = find;

    useEffect(() => {
        const element = around.current;

        if (element) {
            finders.set(element, () => finder.current(element));
        }
    });
    useEffect(() => {
        if (around.current && inside.includes(around.current) && document.activeElement === document.body) {
            finder.current(around.current)?.focus();
        }
    }, [state]);
    return around;
}
