// PageHeader.tsx - heading and window title of a page. Gets the focus on navigation.
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
    // Leave the focus to the browser on the first page. On navigation, focus the heading.
    useEffect(() => {
        if (lastPath !== null && lastPath !== path) {
            window.scrollTo(0, 0);
            heading.current?.focus({ preventScroll: true });
        }
        lastPath = path;
    }, [path]);
    // The skeleton's heading may have had the focus before the page's code was loaded.
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
