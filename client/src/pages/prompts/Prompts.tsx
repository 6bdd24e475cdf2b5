// Prompts.tsx - the page Prompts.
import { EmptyState } from '../../components/EmptyState';
import { PageHeader } from '../../components/PageHeader';

export default function Prompts() {
    return (
        <div className="page">
            <PageHeader title="Prompts" />
            <EmptyState icon="text" title="This page is being built." />
        </div>
    );
}
