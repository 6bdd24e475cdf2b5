// SessionProvider.tsx - the current user. Shows the login page, or a dialog when the session expires.
import { createContext, lazy, Suspense, use, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { logOut, meQuery } from '../api/auth';
import { ApiError, onSessionEnd, sentence } from '../api/client';
import { keys } from '../api/queryKeys';
import type { User } from '../api/types';
import { ErrorNotice } from '../components/ErrorNotice';
import { AppSkeleton } from '../components/Skeleton';
import { notify } from '../components/notify';
import { forgetDrafts } from './drafts';
import { rememberUser } from './lastUser';
import { Login } from './Login';

const SessionExpired = lazy(() => import('./SessionExpired'));

interface Session {
    user: User;
    logOut: () => Promise<void>;
}

const SessionContext = createContext<Session | null>(null);

/** The session; only below SessionProvider. */
export function useSession(): Session {
    const session = use(SessionContext);

    if (!session) {
        throw new Error('There is no SessionProvider above.');
    }
    return session;
}

interface Waiting {
    resolve: () => void;
    reject: (error: ApiError) => void;
    error: ApiError;
}

// Requests with a 401 wait here until there is a new session or the user logs out.
function useRevival() {
    const waiting = useRef<Waiting[]>([]);
    const [expired, setExpired] = useState(false);
    const settle = useCallback((how: (one: Waiting) => void) => {
        waiting.current.splice(0).forEach(how);
        setExpired(false);
    }, []);
    const ask = useCallback(
        (error: ApiError) =>
            new Promise<void>((resolve, reject) => {
                waiting.current.push({ resolve, reject, error });
                setExpired(true);
            }),
        [],
    );

    return { expired, ask, settle };
}

export function SessionProvider({ children }: { children: ReactNode }) {
    const client = useQueryClient();
    const { expired, ask, settle } = useRevival();
    const me = useQuery(meQuery);
    const user = me.data;
    const isLoggedIn = user !== undefined;

    const staffId = user?.is_staff ? user.id : null;

    useEffect(() => {
        if (!me.isPending) {
            rememberUser(staffId);
        }
    }, [staffId, me.isPending]);
    useEffect(() => {
        onSessionEnd(isLoggedIn ? ask : null);
        return () => onSessionEnd(null);
    }, [isLoggedIn, ask]);

    const leave = useCallback(async () => {
        forgetDrafts();
        settle((one) => one.reject(one.error));
        await client.cancelQueries();
        await client.resetQueries({ queryKey: keys.me });
        // Clear the cache, so that the next user does not see the data.
        client.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.me[0] });
        client.getMutationCache().clear();
    }, [client, settle]);

    const session = useMemo(
        () =>
            user && {
                user,
                logOut: async () => {
                    try {
                        await logOut();
                    } catch (error) {
                        if (!(error instanceof ApiError) || error.status !== 401) {
                            notify({ tone: 'error', title: "Couldn't log out.", detail: sentence(error) });
                            return;
                        }
                    }
                    await leave();
                },
            },
        [user, leave],
    );

    if (session) {
        return (
            <SessionContext value={session}>
                {children}
                {expired && (
                    <Suspense>
                        <SessionExpired
                            user={session.user}
                            onLeave={leave}
                            onLogIn={(again) => {
                                if (again.id !== session.user.id) {
                                    forgetDrafts();
                                    location.reload();
                                    return;
                                }
                                client.setQueryData(keys.me, again);
                                settle((one) => one.resolve());
                            }}
                        />
                    </Suspense>
                )}
            </SessionContext>
        );
    }
    if (me.error instanceof ApiError && me.error.status === 401) {
        return <Login onLogIn={(someone) => client.setQueryData(keys.me, someone)} />;
    }
    if (me.error) {
        return (
            <main className="page page-narrow">
                <ErrorNotice error={me.error} onRetry={() => void me.refetch()} />
            </main>
        );
    }
    return <AppSkeleton />;
}
