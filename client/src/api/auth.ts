// auth.ts - who is logged in.
import { request } from './client';
import type { User } from './types';

/** The caller. An ApiError with status 401 when nobody is logged in. */
export function fetchMe(signal?: AbortSignal): Promise<User> {
    return request<User>('GET', 'users/me/', { signal, session: 'throw' });
}

export function logIn(email: string, password: string): Promise<User> {
    return request<User>('POST', 'auth/login/', { json: { email, password }, session: 'throw' });
}

export function logOut(): Promise<void> {
    return request<void>('POST', 'auth/logout/', { session: 'throw' });
}
