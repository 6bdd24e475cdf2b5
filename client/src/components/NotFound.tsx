// NotFound.tsx - an address that no page has.
import { Link } from 'wouter';
import { EmptyState } from './EmptyState';
import { PageHeader } from './PageHeader';

export function NotFound() {
    return (
        <div className="page page-narrow">
            <PageHeader title="Not found" />
            <EmptyState icon="search" title="There is no page at this address.">
                <Link href="/" className="button button-primary">
                    Go to Home
                </Link>
            </EmptyState>
        </div>
    );
}
