// useDebounced.ts - a debounced value.
import { useEffect, useState } from 'react';

export function useDebounced<T>(value: T, milliseconds: number): T {
    const [settled, setSettled] = useState(value);

    useEffect(() => {
        const timer = setTimeout(() => setSettled(value), milliseconds);

        return () => clearTimeout(timer);
    }, [value, milliseconds]);
    return settled;
}
