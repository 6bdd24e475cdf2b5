// routes.ts - the table of pages: path, name in the navbar, and the code that is loaded for it.
//
// Paths have one part, so that files are found relative to it wherever the pages live; what a page shows of
// itself stands behind the question mark.
import { lazy } from 'react';
import type { ComponentType, LazyExoticComponent } from 'react';
import { base } from './base';

export interface PageRoute {
    path: string;
    label: string;
    load: () => Promise<{ default: ComponentType }>;
    page: LazyExoticComponent<ComponentType>;
    /** Whether it is of no use to those who are not staff. */
    staff: boolean;
}

function route(path: string, label: string, staff: boolean, load: PageRoute['load']): PageRoute {
    return { path, label, staff, load, page: lazy(load) };
}

export const routes: readonly PageRoute[] = [
    route('/', 'Home', false, () => import('./pages/home/Home')),
    route('/images', 'Images', true, () => import('./pages/images/Images')),
    route('/prompts', 'Prompts', true, () => import('./pages/prompts/Prompts')),
    route('/admin', 'Admin', true, () => import('./pages/admin/Admin')),
];

/** Begins to load a page's code; a failure shows when the page is opened. */
export function preloadPage(pathname: string): void {
    const path = pathname.startsWith(base) ? `/${pathname.slice(base.length)}` : pathname;

    routes.find((one) => one.path === path)?.load().catch(() => undefined);
}
