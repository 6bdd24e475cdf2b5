// App.tsx - providers, session, layout, and the page that the address names.
import { Suspense } from 'react';
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
import { SessionProvider, useSession } from './session/SessionProvider';

function Pages() {
    const { user } = useSession();

    return (
        <Switch>
            {routes.map(({ path, label, page: Page, staff }) => (
                <Route key={path} path={path}>
                    <ErrorBoundary key={path}>
                        <Suspense fallback={<PageSkeleton title={label} />}>
                            {staff && !user.is_staff ? <StaffOnly title={label} /> : <Page />}
                        </Suspense>
                    </ErrorBoundary>
                </Route>
            ))}
            <Route><NotFound /></Route>
        </Switch>
    );
}

export function App() {
    return (
        <QueryClientProvider client={queryClient}>
            <Router base={base.replace(/\/$/, '')}>
                <SessionProvider>
                    <Layout><Pages /></Layout>
                </SessionProvider>
                <Overlays />
            </Router>
        </QueryClientProvider>
    );
}
