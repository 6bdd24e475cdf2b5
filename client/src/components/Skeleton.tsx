// Skeleton.tsx - placeholders of the final size, which prevent layout shifts.
import { PageHeader } from './PageHeader';

export function Skeleton({ className = '' }: { className?: string }) {
    return <div className={`skeleton ${className}`} aria-hidden="true" />;
}

/** While a page's code is loaded. */
export function PageSkeleton({ title }: { title: string }) {
    return (
        <div className="page" aria-busy="true">
            <PageHeader title={title} />
            <Skeleton className="skeleton-block" />
        </div>
    );
}

/** Shown while the session is being checked. */
export function AppSkeleton() {
    return (
        <div className="app-skeleton" aria-busy="true">
            <p className="visually-hidden" role="status">
                Loading
            </p>
        </div>
    );
}
