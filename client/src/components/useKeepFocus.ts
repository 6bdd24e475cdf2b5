// useKeepFocus.ts - when what had the focus goes away with a change, its neighbour gets it, not the page's top.
import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';

const firstControl = (around: HTMLElement) => around.querySelector<HTMLElement>('button, a[href], input:not([hidden])');

/** On the element around what changes with `state`; `find` says who the neighbour is. */
export function useKeepFocus<T extends HTMLElement>(state: unknown, find: (around: T) => HTMLElement | null = firstControl): RefObject<T | null> {
    const around = useRef<T>(null);
    const wasInside = useRef(false);
    const finder = useRef(find);

    finder.current = find;

    useEffect(() => {
        const see = (event: FocusEvent) => {
            wasInside.current = around.current?.contains(event.target as Node) ?? false;
        };

        document.addEventListener('focusin', see);
        return () => document.removeEventListener('focusin', see);
    }, []);
    useEffect(() => {
        if (wasInside.current && around.current && document.activeElement === document.body) {
            finder.current(around.current)?.focus();
        }
    }, [state]);
    return around;
}
