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

// The page's code and its first answers come while React starts. Failures show when the page itself asks.
const route = presentRoute();

route?.load().catch(() => undefined);
queryClient.fetchQuery(meQuery)
    .then((user) => user.is_staff && route?.prefetch?.(new URLSearchParams(location.search), user))
    .catch(() => undefined);
createRoot(document.getElementById('app')!).render(<StrictMode><App /></StrictMode>);
