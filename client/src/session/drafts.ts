// drafts.ts - unsent input, stored in the tab until logout.
import { useCallback, useState } from 'react';

const PREFIX = 'identityimg.draft.';

function read<T>(name: string, initial: T): T {
    try {
        const text = sessionStorage.getItem(PREFIX + name);

        return text === null ? initial : (JSON.parse(text) as T);
    } catch {
        return initial;
    }
}

function write(name: string, value: unknown): void {
    try {
        sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
    } catch {
        // If storage is full or unavailable, only the draft is lost.
    }
}

/** Like useState, but stored under a name through reloads. */
export function useDraft<T>(name: string, initial: T): [T, (value: T) => void] {
    const [kept, setKept] = useState(() => ({ name, value: read(name, initial) }));
    const current = kept.name === name ? kept : { name, value: read(name, initial) };
    const set = useCallback(
        (value: T) => {
            write(name, value);
            setKept({ name, value });
        },
        [name],
    );

    return [current.value, set];
}

/** Deletes all drafts of this tab. */
export function forgetDrafts(): void {
    try {
        Object.keys(sessionStorage)
            .filter((key) => key.startsWith(PREFIX))
            .forEach((key) => sessionStorage.removeItem(key));
    } catch {
        // Storage is unavailable, so there are no drafts.
    }
}
