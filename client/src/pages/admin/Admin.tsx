// Admin.tsx - the page Admin.
import { EmptyState } from '../../components/EmptyState';
import { PageHeader } from '../../components/PageHeader';

export default function Admin() {
    return (
        <div className="page">
            <PageHeader title="Admin" />
            <EmptyState icon="text" title="This page is being built." />
        </div>
    );
}
