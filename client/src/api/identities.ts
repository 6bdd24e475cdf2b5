// identities.ts - calls for identities and their pictures.
import { request } from './client';
import type { Identity } from './types';

/** A user's identities: the caller's own, or those of a test user. */
export function listIdentities(userId: string, isCurrentUser: boolean, signal?: AbortSignal): Promise<Identity[]> {
    return request<Identity[]>('GET', isCurrentUser ? 'users/me/identities/' : `test-users/${userId}/identities/`, {
        signal,
    });
}

/** Any identity; for staff. */
export function getIdentity(id: string, signal?: AbortSignal): Promise<Identity> {
    return request<Identity>('GET', `admin/identities/${id}/`, { signal });
}

/** Restores the picture before the last change. */
export function restoreIdentityImage(id: string, key: string): Promise<Identity> {
    return request<Identity>('POST', `identities/${id}/restore-image/`, { idempotencyKey: key });
}
