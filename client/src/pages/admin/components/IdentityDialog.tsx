// IdentityDialog.tsx - makes an identity, or changes one.
import { useId, useMemo, useRef } from 'react';
import type { Identity } from '../../../api/types';
import { Button, IconButton } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { UserName } from '../../../components/UserName';
import { useRowForm } from '../hooks/use-row-form';
import type { FormSpec, RowForm, Value, Values } from '../hooks/use-row-form';
import { AreaField, TextField, UserField } from './fields';
import { RowDialog } from './RowDialog';

interface IdentityDialogProps {
    identity: Identity | null;
    /** The user of a new identity, if known. */
    userId: string | null;
    categories: readonly string[];
    onClose: () => void;
    onSaved: (identity: Identity) => void;
}

interface IdentityValues extends Values {
    user_id: string | null;
    name: string;
    category: string;
    i_am_statement: string;
    visualization: string;
    notes: readonly string[];
}

const MAX_NOTES = 100;

function specFor(userId: string | null): FormSpec<'identities', IdentityValues> {
    return {
        kind: 'identities',
        noun: 'identity',
        required: ['user_id', 'name', 'category'],
        empty: { user_id: userId, name: '', category: '', i_am_statement: '', visualization: '', notes: [] },
        fromRow: (row) => ({
            user_id: row.user,
            name: row.name,
            category: row.category,
            i_am_statement: row.i_am_statement ?? '',
            visualization: row.visualization ?? '',
            notes: row.notes,
        }),
        // A line that was left empty is no note.
        toJson: (name, value) =>
            name === 'notes' ? (value as readonly string[]).filter((note) => note.trim()) : value,
    };
}

const names = {
    user_id: { label: 'User', show: (value: Value) => <UserName id={value as string | null} /> },
    name: { label: 'Name' },
    category: { label: 'Category' },
    i_am_statement: { label: 'I am statement' },
    visualization: { label: 'Visualization' },
    notes: { label: 'Notes' },
};

function Notes({
    notes,
    error,
    onChange,
}: {
    notes: readonly string[];
    error?: string;
    onChange: (notes: readonly string[]) => void;
}) {
    const list = useRef<HTMLFieldSetElement>(null);
    const id = useId();
    // The next frame has the field that is wanted.
    const focus = (index: number) =>
        requestAnimationFrame(() => list.current?.querySelectorAll('input')[index]?.focus());

    return (
        <fieldset ref={list} className="fieldset" aria-describedby={error ? `${id}-error` : undefined}>
            <legend>Notes</legend>
            {notes.map((note, index) => (
                <div key={index} className="admin-note">
                    <input
                        className="input"
                        aria-label={`Note ${index + 1}`}
                        aria-invalid={error ? true : undefined}
                        maxLength={2000}
                        value={note}
                        onChange={(event) =>
                            onChange(notes.map((one, at) => (at === index ? event.target.value : one)))
                        }
                        onKeyDown={(event) => {
                            if (event.key === 'Enter' && !event.nativeEvent.isComposing) {
                                event.preventDefault();
                                onChange([...notes.slice(0, index + 1), '', ...notes.slice(index + 1)]);
                                focus(index + 1);
                            }
                        }}
                    />
                    <IconButton
                        label={`Remove note ${index + 1}`}
                        icon={<Icon name="close" size={18} />}
                        onClick={() => {
                            onChange(notes.filter((_, at) => at !== index));
                            focus(Math.max(0, index - 1));
                        }}
                    />
                </div>
            ))}
            {error && (
                <p className="field-error" id={`${id}-error`}>
                    <Icon name="warning" size={16} />
                    {error}
                </p>
            )}
            {notes.length < MAX_NOTES && (
                <div>
                    <Button
                        size="small"
                        icon={<Icon name="plus" size={16} />}
                        onClick={() => {
                            onChange([...notes, '']);
                            focus(notes.length);
                        }}
                    >
                        Add a note
                    </Button>
                </div>
            )}
        </fieldset>
    );
}

export function IdentityDialog({ identity, userId, categories, onClose, onSaved }: IdentityDialogProps) {
    const spec = useMemo(() => specFor(userId), [userId]);
    const form = useRowForm(spec, identity?.id ?? null, onSaved);
    const { values, set, faults } = form;
    const id = useId();

    return (
        <RowDialog
            title={identity ? `Edit ${identity.name}` : 'New identity'}
            noun="identity"
            form={form as RowForm}
            names={names}
            save={identity ? 'Save' : 'Create identity'}
            onClose={onClose}
            onChoose={(name, value) => set(name, value as string)}
        >
            <UserField
                label="User"
                value={values.user_id}
                onChange={(user) => set('user_id', user)}
                error={faults.user_id}
            />
            <div className="form-row">
                <TextField
                    label="Name"
                    autoFocus={Boolean(identity)}
                    maxLength={255}
                    value={values.name}
                    error={faults.name}
                    onChange={(value) => set('name', value)}
                />
                <TextField
                    label="Category"
                    list={`${id}-categories`}
                    maxLength={255}
                    value={values.category}
                    error={faults.category}
                    onChange={(value) => set('category', value)}
                />
                <datalist id={`${id}-categories`}>
                    {categories.map((one) => (
                        <option key={one} value={one} />
                    ))}
                </datalist>
            </div>
            <AreaField
                label="I am statement"
                rows={2}
                maxLength={10000}
                value={values.i_am_statement}
                error={faults.i_am_statement}
                onChange={(value) => set('i_am_statement', value)}
                hint="“I am …” Optional."
            />
            <AreaField
                label="Visualization"
                rows={3}
                maxLength={10000}
                value={values.visualization}
                error={faults.visualization}
                onChange={(value) => set('visualization', value)}
                hint="How living this identity looks. Optional."
            />
            <Notes notes={values.notes} error={faults.notes} onChange={(notes) => set('notes', notes)} />
        </RowDialog>
    );
}
