// RevertDialog.tsx - makes a version the one that is used: by switching off what is newer, or by a copy of its text.
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

/** The active versions that stand in the way of one. */
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
    const on = prompt.is_active ? '' : `Version ${prompt.version} is switched on. `;
    const off = newer.length
        ? `${listed(newer.map((one) => one.version))} ${newer.length === 1 ? 'is' : 'are'} switched off. `
        : '';

    return `${on}${off}No new version is made.`;
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

    // Switched on before the others are switched off: at no moment is there none.
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
                    'Somebody else has changed the versions meanwhile. What is said here is true again: read it once more.',
                );
                return;
            }
            const version = way === 'switch' ? await switchBack() : await copy();
            const used = usedOf(await fetchVersions(client, prompt.prompt_type));

            notify(
                used?.version === version
                    ? { tone: 'success', title: `Version ${version} of ${label} is used now.` }
                    : {
                          tone: 'error',
                          title: `Version ${version} is active, but version ${used?.version} is used.`,
                          detail: 'Somebody else has made it meanwhile.',
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
            text: `Version ${next} says what version ${prompt.version} says, and is used at once. Nothing is switched off.`,
        },
    ];

    return (
        <Dialog
            open
            title={`Use version ${prompt.version}`}
            onClose={onClose}
            description={
                used
                    ? `Version ${used.version} of ${label} is used at present.`
                    : `No version of ${label} is used at present.`
            }
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
                    {way === 'switch' ? `Switch to version ${prompt.version}` : `Make version ${next}`}
                </Button>
            </div>
        </Dialog>
    );
}
