// routes.ts - table of pages: path, label in the navigation bar, and code.
//
// Paths have one segment, so that relative file addresses work below any base path. A page keeps its state
// in the query.
import { lazy } from 'react';
import type { ComponentType } from 'react';
import { base } from './base';
import { prefetchImages } from './pages/images/prefetch';

type Page = ComponentType;

export interface PageRoute {
    path: string;
    label: string;
    /** Whether only staff can use the page. */
    staff: boolean;
    /** Loads the page's code. */
    load: () => Promise<unknown>;
    /** The page; rendered at once if its code is loaded. React's lazy alone would show a skeleton for 300 ms. */
    page: () => Page;
    /** Prefetches the page's first requests while its code is loading. */
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

/** The page of the current address. */
export function presentRoute(): PageRoute | undefined {
    const path = location.pathname.startsWith(base) ? `/${location.pathname.slice(base.length)}` : location.pathname;

    return routes.find((one) => one.path === path);
}
