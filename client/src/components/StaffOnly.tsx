// StaffOnly.tsx - in place of a page that is for staff.
import { EmptyState } from './EmptyState';
import { PageHeader } from './PageHeader';

export function StaffOnly({ title }: { title: string }) {
    return (
        <div className="page page-narrow">
            <PageHeader title={title} />
            <EmptyState icon="people" title="This page is for staff.">
                <p>Ask an administrator to make your account staff, or log in with another one.</p>
            </EmptyState>
        </div>
    );
}
