// use-row-form.ts - a form for one row: loads it with its version, sends the changed fields, and merges changes
// of other users.
import { useState } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { changeRow, createRow, getRow } from '../../../api/admin';
import type { Kind, Rows } from '../../../api/admin';
import { ApiError, sentence } from '../../../api/client';
import { useAttempt } from '../../../components/useAttempt';
import { refreshRows } from './use-rows';

export type Value = string | boolean | readonly string[] | null;
export type Values = Record<string, Value>;
export type Faults = Readonly<Record<string, string>>;

export interface FormSpec<K extends Kind, V extends Values> {
    kind: K;
    /** Noun for sentences, such as "user". */
    noun: string;
    empty: V;
    fromRow: (row: Rows[K]) => V;
    /** Converts a value to the API's form, where they differ. */
    toJson?: (name: keyof V & string, value: Value) => unknown;
    query?: Record<string, unknown>;
    /** Required fields. */
    required?: readonly (keyof V & string)[];
}

/** A field that both users changed. */
export interface Quarrel {
    name: string;
    mine: Value;
    theirs: Value;
}

export interface Conflict {
    /** Fields that the user has to decide. */
    quarrels: readonly Quarrel[];
    /** Fields that only the other user changed; they are merged. */
    taken: readonly string[];
}

interface Seen<V> {
    values: V;
    etag: string;
}

const same = (one: Value | undefined, other: Value | undefined) => JSON.stringify(one) === JSON.stringify(other);

/** Three-way merge of a row: fields that the other user did not change keep the typed value. */
export function merge<V extends Values>(base: V, mine: V, theirs: V): { values: V; conflict: Conflict } {
    const names = Object.keys(base);
    const changed = names.filter((name) => !same(base[name], theirs[name]));
    const quarrels = changed.filter((name) => !same(base[name], mine[name]) && !same(mine[name], theirs[name]));
    const taken = changed.filter((name) => same(base[name], mine[name]));

    return {
        values: { ...mine, ...Object.fromEntries(taken.map((name) => [name, theirs[name]])) },
        conflict: { quarrels: quarrels.map((name) => ({ name, mine: mine[name]!, theirs: theirs[name]! })), taken },
    };
}

function faultsOf(error: ApiError): Faults {
    return Object.fromEntries(Object.entries(error.errors).map(([name, sentences]) => [name, sentences.join(' ')]));
}

export function useRowForm<K extends Kind, V extends Values>(
    spec: FormSpec<K, V>,
    id: string | null,
    onSaved: (row: Rows[K]) => void,
) {
    const client = useQueryClient();
    const [seen, setSeen] = useState<Seen<V> | null>(null);
    const [typed, setTyped] = useState<Partial<V>>({});
    const [faults, setFaults] = useState<Faults>({});
    const [fault, setFault] = useState<string | null>(null);
    const [conflict, setConflict] = useState<Conflict | null>(null);
    const [busy, setBusy] = useState(false);
    const attempt = useAttempt();
    // Fetch the row on each opening. Do not fetch it again while the user types.
    const loaded = useQuery({
        queryKey: ['form', spec.kind, id],
        queryFn: ({ signal }) => getRow(spec.kind, id!, signal),
        enabled: id !== null,
        staleTime: Infinity,
        gcTime: 0,
    });
    const base: Seen<V> | null =
        seen ??
        (id === null ? { values: spec.empty, etag: '' } : null) ??
        (loaded.data ? { values: spec.fromRow(loaded.data.row), etag: loaded.data.etag } : null);
    const values: V = { ...spec.empty, ...base?.values, ...typed };
    const changed = base ? Object.keys(values).filter((name) => !same(values[name], base.values[name])) : [];

    function set<N extends keyof V & string>(name: N, value: V[N]): void {
        setTyped((before) => ({ ...before, [name]: value }));
        setFaults(({ [name]: _gone, ...rest }) => rest);
    }

    function json(): Record<string, unknown> {
        const names =
            id === null
                ? Object.keys(values).filter((name) => !(values[name] === '' && spec.empty[name] === ''))
                : changed;

        return Object.fromEntries(
            names.map((name) => [name, spec.toJson ? spec.toJson(name, values[name]!) : values[name]]),
        );
    }

    // Another user saved first: merge their row with the typed values, and ask about fields that both changed.
    async function compare(): Promise<void> {
        const now = await getRow(spec.kind, id!);
        const theirs = spec.fromRow(now.row);
        const merged = merge(base!.values, values, theirs);

        setSeen({ values: theirs, etag: now.etag });
        setTyped(merged.values);
        setConflict(merged.conflict);
        void refreshRows(client, spec.kind);
    }

    async function refuse(error: unknown): Promise<void> {
        if (!(error instanceof ApiError)) {
            throw error;
        }
        attempt.failed(error);
        if (error.status === 412) {
            await compare();
            return;
        }
        if (
            error.status === 404 &&
            id !== null &&
            Object.keys(error.errors).length === 0 &&
            error.code === 'not_found' &&
            error.detail === 'Not found.'
        ) {
            void refreshRows(client, spec.kind);
            setFault(`Another user deleted this ${spec.noun}. You can still copy your text.`);
            return;
        }
        const found = faultsOf(error);

        setFaults(found);
        // Errors without a field are shown below the fields.
        setFault(Object.keys(found).some((name) => name in values) ? null : error.detail);
    }

    async function submit(): Promise<void> {
        if (busy || !base) {
            return;
        }
        // Report all missing fields at once; the server reports only the first.
        const missing = (spec.required ?? []).filter(
            (name) => values[name] === null || (typeof values[name] === 'string' && !values[name].trim()),
        );

        if (missing.length) {
            setFault(null);
            setFaults(Object.fromEntries(missing.map((name) => [name, 'This field is required.'])));
            return;
        }
        setBusy(true);
        setFault(null);
        setFaults({});
        try {
            const body = json();
            const row =
                id === null
                    ? await createRow(spec.kind, body, attempt.keyFor(body))
                    : await changeRow(spec.kind, id, body, base.etag, spec.query);

            void refreshRows(client, spec.kind);
            onSaved(row);
        } catch (error) {
            await refuse(error).catch((worse: unknown) => setFault(sentence(worse)));
        } finally {
            setBusy(false);
        }
    }

    return {
        isReady: base !== null,
        loadError: base ? null : loaded.error,
        reload: () => void loaded.refetch(),
        row: loaded.data?.row ?? null,
        values,
        set,
        faults,
        fault,
        conflict,
        busy,
        submit,
        isDirty: changed.length > 0,
    };
}

export type RowForm = Omit<ReturnType<typeof useRowForm<Kind, Values>>, 'set' | 'row'>;
