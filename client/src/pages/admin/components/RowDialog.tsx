// RowDialog.tsx - the dialog around a row's form: loading, conflicts, errors, unsaved changes.
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '../../../components/Button';
import { Dialog } from '../../../components/Dialog';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Icon } from '../../../components/Icon';
import { Skeleton } from '../../../components/Skeleton';
import type { Conflict, RowForm, Value } from '../hooks/use-row-form';

export interface FieldName {
    label: string;
    /** A value in words, where it is none itself. */
    show?: (value: Value) => ReactNode;
}

interface RowDialogProps {
    title: string;
    description?: ReactNode;
    noun: string;
    form: RowForm;
    /** Labels of the fields in a conflict. */
    names: Readonly<Record<string, FieldName>>;
    onChoose: (name: string, value: Value) => void;
    save: string;
    onClose: () => void;
    children: ReactNode;
}

function inWords(value: Value): ReactNode {
    if (typeof value === 'boolean') {
        return value ? 'yes' : 'no';
    }
    return (Array.isArray(value) ? value.join('; ') : value) || <em>empty</em>;
}

function ConflictNotice({
    conflict,
    noun,
    names,
    values,
    onChoose,
}: Pick<RowDialogProps, 'noun' | 'names' | 'onChoose'> & { conflict: Conflict; values: RowForm['values'] }) {
    const show = (name: string, value: Value) => (names[name]?.show ?? inWords)(value);
    const ref = useRef<HTMLDivElement>(null);

    useEffect(() => ref.current?.focus(), [conflict]);
    return (
        <div ref={ref} className="notice notice-warning admin-conflict" role="alert" tabIndex={-1}>
            <Icon name="warning" />
            <div className="notice-body">
                <p className="notice-title">
                    Another user changed this {noun} since you opened it. Your changes are not saved yet.
                </p>
                {conflict.taken.length > 0 && (
                    <p>
                        Merged:{' '}
                        {conflict.taken.map((name, index) => (
                            <span key={name}>
                                {index > 0 && '; '}
                                {names[name]?.label ?? name} is now “{show(name, values[name]!)}”
                            </span>
                        ))}
                        .
                    </p>
                )}
                <p>
                    {conflict.quarrels.length
                        ? 'Choose the values to keep, then save.'
                        : 'Save again to apply your changes.'}
                </p>
                {conflict.quarrels.map(({ name, mine, theirs }) => (
                    <fieldset key={name} className="fieldset admin-quarrel">
                        <legend>{names[name]?.label ?? name}</legend>
                        {[
                            { what: 'Yours', value: mine },
                            { what: 'Saved', value: theirs },
                        ].map(({ what, value }) => (
                            <label key={what} className="tick">
                                <input
                                    type="radio"
                                    name={`quarrel-${name}`}
                                    checked={JSON.stringify(values[name]) === JSON.stringify(value)}
                                    onChange={() => onChoose(name, value)}
                                />
                                <span className="tick-body">
                                    <span>{what}</span>
                                    <span className="admin-quarrel-value">{show(name, value)}</span>
                                </span>
                            </label>
                        ))}
                    </fieldset>
                ))}
            </div>
        </div>
    );
}

export function RowDialog({
    title,
    description,
    noun,
    form,
    names,
    onChoose,
    save,
    onClose,
    children,
}: RowDialogProps) {
    const [isLeaving, setLeaving] = useState(false);
    const body = useRef<HTMLFormElement>(null);
    const stay = useRef<HTMLButtonElement>(null);

    // To the first field that the server did not take.
    useEffect(() => {
        if (Object.keys(form.faults).length) {
            body.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
        }
    }, [form.faults]);
    useEffect(() => {
        if (isLeaving) {
            stay.current?.focus();
        }
    }, [isLeaving]);

    return (
        <Dialog
            open
            guarded
            title={title}
            description={description}
            onClose={() => (form.isDirty ? setLeaving(true) : onClose())}
        >
            {form.loadError && <ErrorNotice error={form.loadError} onRetry={form.reload} />}
            {!form.isReady && !form.loadError && <Skeleton className="admin-skeleton-form" />}
            {form.isReady && (
                <form
                    ref={body}
                    className="stack"
                    noValidate
                    onSubmit={(event) => {
                        event.preventDefault();
                        setLeaving(false);
                        void form.submit();
                    }}
                >
                    {form.conflict && (
                        <ConflictNotice
                            conflict={form.conflict}
                            noun={noun}
                            names={names}
                            values={form.values}
                            onChoose={onChoose}
                        />
                    )}
                    {children}
                    {form.fault && (
                        <p className="notice notice-error" role="alert">
                            {form.fault}
                        </p>
                    )}
                    {isLeaving ? (
                        <div className="notice notice-warning" role="alert">
                            <p className="notice-body notice-title">Close without saving? Your changes will be lost.</p>
                            <div className="row">
                                <Button ref={stay} size="small" onClick={() => setLeaving(false)}>
                                    Keep editing
                                </Button>
                                <Button size="small" tone="danger" onClick={onClose}>
                                    Close without saving
                                </Button>
                            </div>
                        </div>
                    ) : (
                        <div className="dialog-actions">
                            <Button onClick={() => (form.isDirty ? setLeaving(true) : onClose())}>Cancel</Button>
                            <Button type="submit" tone="primary" busy={form.busy}>
                                {save}
                            </Button>
                        </div>
                    )}
                </form>
            )}
        </Dialog>
    );
}
