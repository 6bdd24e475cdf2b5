// useKeepFocus.ts - when what had the focus goes away with a change, its neighbour gets it, not the page's top.
import { useEffect, useRef } from 'react';
import type { RefObject } from 'react';

/** On the element around what changes with `state`. */
export function useKeepFocus<T extends HTMLElement>(state: unknown): RefObject<T | null> {
    const around = useRef<T>(null);
    const wasInside = useRef(false);

    useEffect(() => {
        const see = (event: FocusEvent) => {
            wasInside.current = around.current?.contains(event.target as Node) ?? false;
        };

        document.addEventListener('focusin', see);
        return () => document.removeEventListener('focusin', see);
    }, []);
    useEffect(() => {
        if (wasInside.current && document.activeElement === document.body) {
            around.current?.querySelector<HTMLElement>('button, a[href], input')?.focus();
        }
    }, [state]);
    return around;
}
