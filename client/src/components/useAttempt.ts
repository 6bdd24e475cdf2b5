// useAttempt.ts - the Idempotency-Key of what is sent: the same again has the same key, so that a line that broke
// makes nothing twice.
import { useRef } from 'react';
import { ApiError, newKey } from '../api/client';

export interface Attempt {
    keyFor: (body: unknown) => string;
    /** Whether just this was sent, and no answer came. */
    isOpen: (body: unknown) => boolean;
    /** It came to nothing. What had an answer is tried anew under a new key: a refusal is kept under the old one. */
    failed: (error: unknown) => void;
}

export function useAttempt(): Attempt {
    const last = useRef({ sent: '', key: '' });

    return {
        keyFor: (body) => {
            const sent = JSON.stringify(body);

            if (last.current.sent !== sent) {
                last.current = { sent, key: newKey() };
            }
            return last.current.key;
        },
        isOpen: (body) => last.current.sent === JSON.stringify(body),
        failed: (error) => {
            if (!(error instanceof ApiError) || !error.isTransient) {
                last.current = { sent: '', key: '' };
            }
        },
    };
}
