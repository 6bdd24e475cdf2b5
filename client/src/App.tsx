// App.tsx - providers, session, layout, and the page for the current address.
import { Suspense, useState } from 'react';
import { QueryClientProvider } from '@tanstack/react-query';
import { Route, Router, Switch } from 'wouter';
import { queryClient } from './api/queryClient';
import { base } from './base';
import { ErrorBoundary } from './components/ErrorBoundary';
import { Layout } from './components/Layout';
import { NotFound } from './components/NotFound';
import { PageSkeleton } from './components/Skeleton';
import { StaffOnly } from './components/StaffOnly';
import { Overlays } from './components/Overlays';
import { routes } from './routes';
import type { PageRoute } from './routes';
import { SessionProvider, useSession } from './session/SessionProvider';

function PageOf({ route }: { route: PageRoute }) {
    // Keep the current page on screen until the next one is ready to render.
    const [Page] = useState(() => route.page());

    return <Page />;
}

function Pages() {
    const { user } = useSession();

    return (
        <Switch>
            {routes.map((route) => (
                <Route key={route.path} path={route.path}>
                    <ErrorBoundary key={route.path}>
                        <Suspense fallback={<PageSkeleton title={route.label} />}>
                            {route.staff && !user.is_staff ? (
                                <StaffOnly title={route.label} />
                            ) : (
                                <PageOf route={route} />
                            )}
                        </Suspense>
                    </ErrorBoundary>
                </Route>
            ))}
            <Route>
                <NotFound />
            </Route>
        </Switch>
    );
}

export function App() {
    return (
        <QueryClientProvider client={queryClient}>
            <Router base={base.replace(/\/$/, '')}>
                <ErrorBoundary>
                    <SessionProvider>
                        <Layout>
                            <Pages />
                        </Layout>
                    </SessionProvider>
                </ErrorBoundary>
                <ErrorBoundary silent>
                    <Overlays />
                </ErrorBoundary>
            </Router>
        </QueryClientProvider>
    );
}
