// Admin.tsx - the page Admin: users with their photos, all photos, identities, test scenarios.
import { PageHeader } from '../../components/PageHeader';
import { Tabs } from '../../components/Tabs';
import { Identities } from './components/Identities';
import { Photos } from './components/Photos';
import { Scenarios } from './components/Scenarios';
import { Users } from './components/Users';
import { usePlace } from './hooks/use-place';
import '../../styles/lists.css';
import './admin.css';

const tabs = [
    { value: 'users', label: 'Users' },
    { value: 'photos', label: 'Reference images' },
    { value: 'identities', label: 'Identities' },
    { value: 'scenarios', label: 'Test scenarios' },
];
const panels = { users: Users, photos: Photos, identities: Identities, scenarios: Scenarios } as const;

export default function Admin() {
    const place = usePlace();
    const tab = place.tab in panels ? (place.tab as keyof typeof panels) : 'users';
    const Panel = panels[tab];

    return (
        <div className="page">
            <PageHeader title="Admin" />
            <Tabs label="Resources" tabs={tabs} value={tab} onChange={(chosen) => place.go(chosen)}>
                <Panel place={place} />
            </Tabs>
        </div>
    );
}
