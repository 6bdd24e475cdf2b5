// Skeleton.tsx - the shape of what is to come, in its size, so that nothing jumps.
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

/** While the server is asked who is there. */
export function AppSkeleton() {
    return (
        <div className="app-skeleton" aria-busy="true">
            <p className="visually-hidden" role="status">
                Loading
            </p>
        </div>
    );
}
