// StaffOnly.tsx - shown to other users in place of a staff page.
import { EmptyState } from './EmptyState';
import { PageHeader } from './PageHeader';

export function StaffOnly({ title }: { title: string }) {
    return (
        <div className="page page-narrow">
            <PageHeader title={title} />
            <EmptyState icon="people" title="This page is for staff.">
                <p>Ask an administrator for staff rights, or log in with another account.</p>
            </EmptyState>
        </div>
    );
}
