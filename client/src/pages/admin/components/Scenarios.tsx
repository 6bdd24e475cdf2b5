// Scenarios.tsx - test scenarios and who plays them.
import { useState } from 'react';
import type { TestScenario } from '../../../api/admin';
import { Button, IconButton } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { notify } from '../../../components/notify';
import { Time } from '../../../components/Time';
import { UserName } from '../../../components/UserName';
import type { Place } from '../hooks/use-place';
import { useRowForm } from '../hooks/use-row-form';
import type { FormSpec, RowForm, Value, Values } from '../hooks/use-row-form';
import { useRemoval, useRows } from '../hooks/use-rows';
import { TextField, UserField } from './fields';
import { RowDialog } from './RowDialog';
import { RowList, SearchField } from './RowList';

interface ScenarioValues extends Values {
    name: string;
    user_id: string | null;
}

const spec: FormSpec<'test-scenarios', ScenarioValues> = {
    kind: 'test-scenarios',
    noun: 'test scenario',
    required: ['name'],
    empty: { name: '', user_id: null },
    fromRow: (row) => ({ name: row.name, user_id: row.user }),
};
const names = {
    name: { label: 'Name' },
    user_id: { label: 'User', show: (value: Value) => (value ? <UserName id={value as string} /> : 'no user') },
};

function ScenarioDialog({
    scenario,
    onClose,
    onSaved,
}: {
    scenario: TestScenario | null;
    onClose: () => void;
    onSaved: (scenario: TestScenario) => void;
}) {
    const form = useRowForm(spec, scenario?.id ?? null, onSaved);
    const { values, set, faults } = form;

    return (
        <RowDialog
            title={scenario ? `Edit ${scenario.name}` : 'New test scenario'}
            noun="test scenario"
            form={form as RowForm}
            names={names}
            save={scenario ? 'Save' : 'Create scenario'}
            onClose={onClose}
            onChoose={(name, value) => set(name, value as string)}
        >
            <TextField
                label="Name"
                autoFocus
                maxLength={255}
                value={values.name}
                error={faults.name}
                onChange={(value) => set('name', value)}
                hint="Shown as the user's name on the Images page."
            />
            <UserField
                label="User"
                value={values.user_id}
                onChange={(id) => set('user_id', id)}
                none="No user"
                error={faults.user_id}
            />
        </RowDialog>
    );
}

export function Scenarios({ place }: { place: Place }) {
    const [open, setOpen] = useState<TestScenario | 'new' | null>(null);
    const rows = useRows('test-scenarios', { search: place.get('search') });
    const remove = useRemoval('test-scenarios');

    function askToDelete(scenario: TestScenario): void {
        void remove({
            id: scenario.id,
            name: scenario.name,
            question: (now) => ({
                title: now ? `${now.name} has changed. Delete anyway?` : `Delete ${scenario.name}?`,
                body: 'Keeps the user with photos and identities. The user is no longer a test user on the Images page.',
                action: 'Delete',
                danger: true,
            }),
        });
    }

    return (
        <>
            <div className="toolbar">
                <SearchField
                    label="Search test scenarios"
                    value={place.get('search')}
                    onChange={(words) => place.filter('search', words)}
                />
                <div className="toolbar-end">
                    <Button tone="primary" icon={<Icon name="plus" />} onClick={() => setOpen('new')}>
                        New test scenario
                    </Button>
                </div>
            </div>
            <RowList
                label="Test scenarios"
                rows={rows}
                nouns="test scenarios"
                isFiltered={place.isFiltered}
                onClearFilter={place.clear}
                icon="text"
                skeleton="admin-skeleton-scenario"
                empty={
                    <p>
                        A test scenario lets staff generate pictures for a user. Create the first one with “New test
                        scenario”.
                    </p>
                }
            >
                {(scenario) => (
                    <li key={scenario.id} className="card admin-scenario">
                        <div className="admin-who">
                            <h2 className="admin-name">{scenario.name}</h2>
                            <p className="hint">
                                {scenario.user_email ? (
                                    <>
                                        User <span className="admin-email">{scenario.user_email}</span>
                                    </>
                                ) : (
                                    'No user yet. Not shown on the Images page.'
                                )}{' '}
                                · <Time at={scenario.created_at} />
                            </p>
                        </div>
                        <div className="admin-row-actions">
                            <Button
                                size="small"
                                icon={<Icon name="edit" size={16} />}
                                aria-label={`Edit ${scenario.name}`}
                                onClick={() => setOpen(scenario)}
                            >
                                Edit
                            </Button>
                            <IconButton
                                size="small"
                                tone="default"
                                label={`Delete ${scenario.name}`}
                                icon={<Icon name="trash" size={16} />}
                                onClick={() => askToDelete(scenario)}
                            />
                        </div>
                    </li>
                )}
            </RowList>
            {open && (
                <ScenarioDialog
                    scenario={open === 'new' ? null : open}
                    onClose={() => setOpen(null)}
                    onSaved={(saved) => {
                        setOpen(null);
                        notify({ tone: 'success', title: `${saved.name} is ${open === 'new' ? 'created' : 'saved'}.` });
                    }}
                />
            )}
        </>
    );
}
