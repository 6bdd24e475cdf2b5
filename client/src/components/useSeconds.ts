// useSeconds.ts - draws anew each second, for what counts them.
import { useEffect, useState } from 'react';

export function useSeconds(): void {
    const [, tick] = useState(0);

    useEffect(() => {
        const timer = setInterval(() => tick((n) => n + 1), 1000);

        return () => clearInterval(timer);
    }, []);
}
