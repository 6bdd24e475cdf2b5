// main.tsx - starts the pages.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { preloadPage } from './routes';

// The page's code comes while the server is asked who is there.
preloadPage(location.pathname);
createRoot(document.getElementById('app')!).render(<StrictMode><App /></StrictMode>);
