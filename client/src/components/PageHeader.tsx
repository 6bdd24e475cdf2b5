// PageHeader.tsx - a page's name: as heading, in the window's title, and as where the focus goes when one comes here.
import { useEffect, useRef } from 'react';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';

const PRODUCT = 'Identity Images';
let lastPath: string | null = null;

export function usePageTitle(title: string): void {
    useEffect(() => {
        document.title = `${title} · ${PRODUCT}`;
    }, [title]);
}

export function PageHeader({ title, children }: { title: string; children?: ReactNode }) {
    const heading = useRef<HTMLHeadingElement>(null);
    const [path] = useLocation();

    usePageTitle(title);
    // The first page is where the browser puts the focus; each further one begins at its heading.
    useEffect(() => {
        if (lastPath !== null && lastPath !== path) {
            window.scrollTo(0, 0);
            heading.current?.focus({ preventScroll: true });
        }
        lastPath = path;
    }, [path]);
    // A page's code may come after its skeleton, whose heading had the focus.
    useEffect(() => {
        if (document.activeElement === document.body && sessionHasMoved(path)) {
            heading.current?.focus({ preventScroll: true });
        }
    }, [path]);

    return (
        <div className="page-header">
            <h1 ref={heading} tabIndex={-1}>
                {title}
            </h1>
            {children}
        </div>
    );
}

let firstPath: string | null = null;

function sessionHasMoved(path: string): boolean {
    firstPath ??= path;
    return firstPath !== path;
}
