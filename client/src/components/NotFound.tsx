// NotFound.tsx - page for an unknown address.
import { Link } from 'wouter';
import { EmptyState } from './EmptyState';
import { PageHeader } from './PageHeader';

export function NotFound() {
    return (
        <div className="page page-narrow">
            <PageHeader title="Not found" />
            <EmptyState icon="search" title="This page doesn't exist.">
                <Link href="/" className="button button-primary">
                    Go to Home
                </Link>
            </EmptyState>
        </div>
    );
}
