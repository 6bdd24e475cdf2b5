// useAttempt.ts - the Idempotency-Key of a request. A retry of the same request keeps its key, so that a lost
// connection creates nothing twice.
import { useRef } from 'react';
import { ApiError, newKey } from '../api/client';

export interface Attempt {
    keyFor: (body: unknown) => string;
    /** Whether this request was sent and got no response. */
    isOpen: (body: unknown) => boolean;
    /** The request failed. After a response, a retry needs a new key, because the server keeps the refusal under the old one. */
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
