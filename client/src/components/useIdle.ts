// useIdle.ts - becomes true when the browser is idle, for content below the fold.
import { useEffect, useState } from 'react';

const AT_LATEST = 1000; // milliseconds

export function useIdle(): boolean {
    const [idle, setIdle] = useState(false);

    useEffect(() => {
        if ('requestIdleCallback' in window) {
            const handle = requestIdleCallback(() => setIdle(true), { timeout: AT_LATEST });

            return () => cancelIdleCallback(handle);
        }
        const timer = setTimeout(() => setIdle(true), 100);

        return () => clearTimeout(timer);
    }, []);
    return idle;
}
