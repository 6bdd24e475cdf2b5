// drafts.ts - what was typed or chosen and not sent yet: kept through a reload, in this tab, until one logs out.
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
        // A full or forbidden store only costs the draft.
    }
}

/** As useState, but kept through a reload under the name. */
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

/** Forgets all drafts of this tab. */
export function forgetDrafts(): void {
    try {
        Object.keys(sessionStorage)
            .filter((key) => key.startsWith(PREFIX))
            .forEach((key) => sessionStorage.removeItem(key));
    } catch {
        // There is nothing to forget then.
    }
}
