// RevertDialog.tsx - makes a version live: deactivates newer versions, or copies its text to a new version.
import { useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import { newKey, sentence } from '../../../api/client';
import type { Prompt } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Dialog } from '../../../components/Dialog';
import { notify } from '../../../components/notify';
import { fetchVersions, switchVersion, useCreateVersion, usedOf } from '../hooks/use-prompts';

interface RevertDialogProps {
    prompt: Prompt;
    versions: readonly Prompt[];
    label: string;
    onClose: () => void;
    onDone: (version: number) => void;
}

type Way = 'switch' | 'copy';

/** Newer active versions, which keep a version from being live. */
function newerActive(prompt: Prompt, versions: readonly Prompt[]): Prompt[] {
    return versions.filter((one) => one.is_active && one.version > prompt.version);
}

function listed(numbers: readonly number[]): string {
    const sorted = [...numbers].sort((one, other) => one - other);

    return sorted.length < 2
        ? `Version ${sorted[0]}`
        : `Versions ${sorted.slice(0, -1).join(', ')} and ${sorted.at(-1)}`;
}

function switchSentence(prompt: Prompt, newer: readonly Prompt[]): string {
    const on = prompt.is_active ? '' : `Version ${prompt.version} is active. `;
    const off = newer.length
        ? `${listed(newer.map((one) => one.version))} ${newer.length === 1 ? 'becomes' : 'become'} inactive. `
        : '';

    return `${on}${off}No new version is created.`;
}

const stateOf = (versions: readonly Prompt[]) => versions.map((one) => `${one.version}${one.is_active}`).join();

export default function RevertDialog({ prompt, versions, label, onClose, onDone }: RevertDialogProps) {
    const client = useQueryClient();
    const create = useCreateVersion();
    const [way, setWay] = useState<Way>('switch');
    const [busy, setBusy] = useState(false);
    const [fault, setFault] = useState<string | null>(null);
    const [key] = useState(newKey);
    const newer = newerActive(prompt, versions);
    const next = (versions[0]?.version ?? 0) + 1;

    // Activate it before the others are deactivated, so that a version is always live.
    async function switchBack(): Promise<number> {
        await switchVersion(client, prompt, true);
        for (const one of newer) {
            await switchVersion(client, one, false);
        }
        return prompt.version;
    }

    async function copy(): Promise<number> {
        const made = await create.mutateAsync({
            key,
            wanted: {
                prompt_type: prompt.prompt_type,
                body: prompt.body,
                is_active: true,
                required_context_keys: prompt.required_context_keys,
            },
        });

        return made.version;
    }

    async function run(): Promise<void> {
        setFault(null);
        setBusy(true);
        try {
            if (stateOf(await fetchVersions(client, prompt.prompt_type)) !== stateOf(versions)) {
                setFault(
                    'Another user changed the versions. This dialog is up to date again. Check it before you continue.',
                );
                return;
            }
            const version = way === 'switch' ? await switchBack() : await copy();
            const used = usedOf(await fetchVersions(client, prompt.prompt_type));

            notify(
                used?.version === version
                    ? { tone: 'success', title: `Version ${version} of ${label} is live.` }
                    : {
                          tone: 'error',
                          title: `Version ${version} is active, but version ${used?.version} is live.`,
                          detail: 'Another user created it.',
                      },
            );
            onDone(version);
        } catch (error) {
            setFault(sentence(error));
            void fetchVersions(client, prompt.prompt_type).catch(() => undefined);
        } finally {
            setBusy(false);
        }
    }

    const used = usedOf(versions);
    const ways: { value: Way; title: string; text: string }[] = [
        {
            value: 'switch',
            title: `Switch ${newer.length ? 'back ' : ''}to version ${prompt.version}`,
            text: switchSentence(prompt, newer),
        },
        {
            value: 'copy',
            title: `Copy its text into a new version ${next}`,
            text: `Version ${next} gets the text of version ${prompt.version} and goes live. No version is deactivated.`,
        },
    ];

    return (
        <Dialog
            open
            title={`Use version ${prompt.version}`}
            onClose={onClose}
            description={used ? `Version ${used.version} of ${label} is live.` : `No version of ${label} is live.`}
        >
            <fieldset className="fieldset">
                <legend className="visually-hidden">How</legend>
                {ways.map(({ value, title, text }) => (
                    <label key={value} className="tick prompts-way">
                        <input
                            type="radio"
                            name="way"
                            value={value}
                            checked={way === value}
                            onChange={() => setWay(value)}
                        />
                        <span className="tick-body">
                            <span>{title}</span>
                            <span className="hint">{text}</span>
                        </span>
                    </label>
                ))}
            </fieldset>
            {fault && (
                <p className="notice notice-error" role="alert">
                    {fault}
                </p>
            )}
            <div className="dialog-actions">
                <Button onClick={onClose}>Cancel</Button>
                <Button tone="primary" busy={busy} onClick={() => void run()}>
                    {way === 'switch' ? `Switch to version ${prompt.version}` : `Create version ${next}`}
                </Button>
            </div>
        </Dialog>
    );
}
