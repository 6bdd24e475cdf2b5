// use-new-version.ts - the draft of a new version: edit, save, discard.
import { useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { ApiError, sentence } from '../../../api/client';
import type { Prompt } from '../../../api/types';
import { confirm, notify } from '../../../components/notify';
import { useAttempt } from '../../../components/useAttempt';
import { keepDraft, readDraft } from '../drafts';
import type { Draft } from '../drafts';
import type { PromptType } from '../placeholders';
import { fetchVersions, useCreateVersion, usedOf } from './use-prompts';

function begin(type: PromptType, versions: readonly Prompt[], base: Prompt | null): Draft {
    return (
        readDraft(type) ?? {
            from: base?.version ?? 0,
            newest: versions[0]?.version ?? 0,
            body: base?.body ?? '',
            isActive: true,
            contextKeys: base?.required_context_keys ?? [],
        }
    );
}

function isTouched(draft: Draft, versions: readonly Prompt[]): boolean {
    const from = versions.find((one) => one.version === draft.from);

    return (
        draft.body !== (from?.body ?? '') ||
        draft.contextKeys.join() !== (from?.required_context_keys ?? []).join() ||
        !draft.isActive
    );
}

export interface Faults {
    body?: string;
    contextKeys?: string;
    form?: string;
}

function faultsOf(error: unknown): Faults {
    const errors = error instanceof ApiError ? error.errors : {};
    const faults = { body: errors.body?.[0], contextKeys: errors.required_context_keys?.[0] };

    return faults.body || faults.contextKeys ? faults : { form: sentence(error) };
}

interface NewVersion {
    type: PromptType;
    label: string;
    versions: readonly Prompt[];
    base: Prompt | null;
    onDone: (version: number | null) => void;
}

export function useNewVersion({ type, label, versions, base, onDone }: NewVersion) {
    const client = useQueryClient();
    const create = useCreateVersion();
    const attempt = useAttempt();
    const [draft, setDraft] = useState(() => begin(type, versions, base));
    const [faults, setFaults] = useState<Faults>({});
    const [meanwhile, setMeanwhile] = useState<Prompt | null>(null);
    const [busy, setBusy] = useState(false);
    const wasTouched = isTouched(draft, versions);
    const wanted = {
        prompt_type: type,
        body: draft.body,
        is_active: draft.isActive,
        required_context_keys: draft.contextKeys,
    };

    function change(part: Partial<Draft>): void {
        const next = { ...draft, ...part };

        setDraft(next);
        setFaults({});
        keepDraft(type, isTouched(next, versions) ? next : null);
    }

    async function leave(): Promise<void> {
        if (
            wasTouched &&
            !(await confirm({
                title: 'Discard the draft?',
                body: 'Your text was not saved as a version.',
                action: 'Discard draft',
                danger: true,
            }))
        ) {
            return;
        }
        keepDraft(type, null);
        onDone(draft.from || null);
    }

    // The newest version, if another user created it since the draft was started or the last notice.
    async function findNewer(): Promise<Prompt | null> {
        const latest = (await fetchVersions(client, type))[0];

        return latest && latest.version > (meanwhile?.version ?? draft.newest) ? latest : null;
    }

    async function send(): Promise<void> {
        const made = await create.mutateAsync({ wanted, key: attempt.keyFor(wanted) });
        const used = usedOf(await fetchVersions(client, type).catch(() => [made, ...versions]));

        keepDraft(type, null);
        notify({
            tone: 'success',
            title: `Version ${made.version} of ${label} is saved.`,
            detail: used ? `Version ${used.version} is live.` : 'No version is live.',
        });
        onDone(made.version);
    }

    async function save(): Promise<void> {
        if (busy) {
            return;
        }
        setBusy(true);
        setFaults({});
        try {
            // After a request without a response, the newest version may be ours.
            const newer = attempt.isOpen(wanted) ? null : await findNewer();

            setMeanwhile(newer);
            if (!newer) {
                await send();
            }
        } catch (error) {
            attempt.failed(error);
            setFaults(faultsOf(error));
        } finally {
            setBusy(false);
        }
    }

    return { draft, change, wasTouched, faults, meanwhile, busy, save, leave };
}
