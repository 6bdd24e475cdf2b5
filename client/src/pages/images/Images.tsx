// Images.tsx - the page Images.
import { PageHeader } from '../../components/PageHeader';

export default function Images() {
    return (
        <div className="page">
            <PageHeader title="Images" />
        </div>
    );
}
