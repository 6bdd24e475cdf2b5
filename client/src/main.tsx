// main.tsx - starts the pages.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { meQuery } from './api/auth';
import { queryClient } from './api/queryClient';
import { presentRoute } from './routes';
import { lastUser } from './session/lastUser';

// The page's code and its first answers come while React starts. Failures show when the page itself asks.
const route = presentRoute();
const search = new URLSearchParams(location.search);
const known = lastUser();

route?.load().catch(() => undefined);
if (known) {
    route?.prefetch?.(search, known);
}
queryClient
    .fetchQuery(meQuery)
    .then((user) => user.is_staff && user.id !== known && route?.prefetch?.(search, user.id))
    .catch(() => undefined);
createRoot(document.getElementById('app')!).render(
    <StrictMode>
        <App />
    </StrictMode>,
);
