// use-in-view.ts - whether an element has been near the viewport, so that distant content is not fetched.
import { useEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

export function useInView<T extends Element>(): [RefObject<T | null>, boolean] {
    const ref = useRef<T>(null);
    const [isInView, setInView] = useState(false);

    useEffect(() => {
        const element = ref.current;

        if (!element || isInView) {
            return;
        }
        const observer = new IntersectionObserver(
            (entries) => entries.some((entry) => entry.isIntersecting) && setInView(true),
            { rootMargin: '400px' },
        );

        observer.observe(element);
        return () => observer.disconnect();
    }, [isInView]);
    return [ref, isInView];
}
