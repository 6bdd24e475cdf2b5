// use-focus-kept.ts - where the focus goes when what had it is gone from the page.
import { useEffect, useRef } from 'react';

/**
 * Watches an element (the props go on it) for whether the focus is in it. What is removed from a page while it has
 * the focus says no goodbye: then, when `change` is another one, `find` says where the focus belongs.
 */
export function useFocusKept(change: unknown, find: () => HTMLElement | null | undefined) {
    const isInside = useRef(false);
    const finder = useRef(find);

    finder.current = find;
    useEffect(() => {
        if (isInside.current && document.activeElement === document.body) {
            finder.current()?.focus({ preventScroll: true });
        }
    }, [change]);
    return {
        onFocus: () => {
            isInside.current = true;
        },
        onBlur: () => {
            isInside.current = false;
        },
    };
}
