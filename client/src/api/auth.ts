// auth.ts - API calls for the current user and the session.
import { ApiError, request } from './client';
import { keys } from './queryKeys';
import type { User } from './types';

/** The caller. Fails with status 401 without a session. */
export const meQuery = {
    queryKey: keys.me,
    queryFn: ({ signal }: { signal: AbortSignal }) => request<User>('GET', 'users/me/', { signal, session: 'throw' }),
    staleTime: Infinity,
    retry: (failures: number, error: Error) => failures < 2 && error instanceof ApiError && error.isTransient,
};

export function logIn(email: string, password: string): Promise<User> {
    return request<User>('POST', 'auth/login/', { json: { email, password }, session: 'throw' });
}

export function logOut(): Promise<void> {
    return request<void>('POST', 'auth/logout/', { session: 'throw' });
}
