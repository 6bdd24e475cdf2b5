// useDebounced.ts - a value that follows another one when that has come to rest.
import { useEffect, useState } from 'react';

export function useDebounced<T>(value: T, milliseconds: number): T {
    const [settled, setSettled] = useState(value);

    useEffect(() => {
        const timer = setTimeout(() => setSettled(value), milliseconds);

        return () => clearTimeout(timer);
    }, [value, milliseconds]);
    return settled;
}
