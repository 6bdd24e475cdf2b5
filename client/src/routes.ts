// routes.ts - the table of pages: path, name in the navbar, and the code that is loaded for it.
//
// Paths have one part, so that files are found relative to it wherever the pages live; what a page shows of
// itself stands behind the question mark.
import { lazy } from 'react';
import type { ComponentType } from 'react';
import { base } from './base';
import { prefetchImages } from './pages/images/prefetch';

type Page = ComponentType;

export interface PageRoute {
    path: string;
    label: string;
    /** Whether it is of no use to those who are not staff. */
    staff: boolean;
    /** Loads the page's code. */
    load: () => Promise<unknown>;
    /** The page: at once when its code is there. React's lazy alone would show a skeleton for 300 ms all the same. */
    page: () => Page;
    /** Asks for what the page will ask for first, while its code comes. */
    prefetch?: (search: URLSearchParams, me: string) => void;
}

function route(
    path: string,
    label: string,
    staff: boolean,
    bring: () => Promise<{ default: Page }>,
    prefetch?: PageRoute['prefetch'],
): PageRoute {
    let loaded: Page | null = null;
    const load = () =>
        bring().then((module) => {
            loaded = module.default;
            return module;
        });
    const later = lazy(load);

    return { path, label, staff, load, page: () => loaded ?? later, prefetch };
}

export const routes: readonly PageRoute[] = [
    route('/', 'Home', false, () => import('./pages/home/Home')),
    route('/images', 'Images', true, () => import('./pages/images/Images'), prefetchImages),
    route('/prompts', 'Prompts', true, () => import('./pages/prompts/Prompts')),
    route('/admin', 'Admin', true, () => import('./pages/admin/Admin')),
];

/** The page that the window's address names. */
export function presentRoute(): PageRoute | undefined {
    const path = location.pathname.startsWith(base) ? `/${location.pathname.slice(base.length)}` : location.pathname;

    return routes.find((one) => one.path === path);
}
