// PromptEditor.tsx - writes a new version: the text, what is wrong with it, what it says of an identity, what changes.
import { lazy, Suspense, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getEnums } from '../../../api/admin';
import { ApiError, newKey, sentence } from '../../../api/client';
import { keys } from '../../../api/queryKeys';
import type { Prompt } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { Icon } from '../../../components/Icon';
import { confirm, notify } from '../../../components/notify';
import { Skeleton } from '../../../components/Skeleton';
import { Tabs } from '../../../components/Tabs';
import { useDebounced } from '../../../components/useDebounced';
import { keepDraft, readDraft } from '../drafts';
import type { Draft } from '../drafts';
import { fetchVersions, useCreateVersion, usedOf } from '../hooks/use-prompts';
import { findPlaceholders, lengthOf, MAX_BODY, placeholders, problemsOf } from '../placeholders';
import type { Problem, PromptType } from '../placeholders';
import { PromptPreview } from './PromptPreview';

const Differences = lazy(() => import('./Differences'));
const REST = 600;       // milliseconds without a key until what is wrong is read out

interface PromptEditorProps {
    type: PromptType;
    label: string;
    versions: readonly Prompt[];
    /** What it begins as. */
    base: Prompt | null;
    /** Leaves the editor; with the version that was made, if one was. */
    onDone: (version: number | null) => void;
}

function begin(type: PromptType, versions: readonly Prompt[], base: Prompt | null): Draft {
    return readDraft(type) ?? {
        from: base?.version ?? 0, newest: versions[0]?.version ?? 0, body: base?.body ?? '', isActive: true,
        contextKeys: base?.required_context_keys ?? [],
    };
}

function isTouched(draft: Draft, versions: readonly Prompt[]): boolean {
    const from = versions.find((one) => one.version === draft.from);

    return draft.body !== (from?.body ?? '') || draft.contextKeys.join() !== (from?.required_context_keys ?? []).join() || !draft.isActive;
}

function numbered(value: number): string {
    return value.toLocaleString();
}

// Puts a text where the cursor is; so that Ctrl+Z takes it back, as if it had been typed.
function insert(area: HTMLTextAreaElement, text: string): void {
    area.focus();
    if (!document.execCommand('insertText', false, text)) {
        area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
        area.dispatchEvent(new Event('input', { bubbles: true }));
    }
}

function Placeholders({ body, onInsert }: { body: string; onInsert: (name: string) => void }) {
    const found = new Set(findPlaceholders(body).map((one) => one.name));

    return (
        <div className="prompts-chips" role="group" aria-label="Placeholders">
            {placeholders.map((name) => (
                <button key={name} type="button" className={`prompts-chip ${found.has(name) ? 'prompts-chip-there' : ''}`} onClick={() => onInsert(`{${name}}`)}
                    aria-label={`Insert {${name}}, which ${found.has(name) ? 'is there' : 'is missing'}`} title="Insert">
                    <Icon name={found.has(name) ? 'check' : 'plus'} size={16} /><code>{`{${name}}`}</code>
                </button>
            ))}
        </div>
    );
}

function Problems({ problems, onShow }: { problems: readonly Problem[]; onShow: (problem: Problem) => void }) {
    const settled = useDebounced(problems.map((problem) => problem.sentence).join(' '), REST);

    return (
        <>
            <p className="visually-hidden" role="status">{settled || 'The placeholders are as they must be.'}</p>
            {problems.length
                ? (
                    <ul className="prompts-problems" aria-label="What is wrong with the text">
                        {problems.map((problem, index) => (
                            <li key={index} className="notice notice-warning">
                                <Icon name="warning" size={18} />
                                <span className="notice-body">{problem.sentence}</span>
                                {problem.place && <Button size="small" onClick={() => onShow(problem)}>Show where</Button>}
                            </li>
                        ))}
                    </ul>
                )
                : <p className="prompts-fine"><Icon name="check" size={18} />The placeholders are as they must be.</p>}
        </>
    );
}

interface ContextKeysProps {
    chosen: readonly string[];
    error?: string;
    onChange: (chosen: string[]) => void;
}

function ContextKeys({ chosen, error, onChange }: ContextKeysProps) {
    const enums = useQuery({ queryKey: keys.enums, queryFn: ({ signal }) => getEnums(signal), staleTime: 5 * 60_000 });
    const known = enums.data?.context_keys.map((one) => one.value) ?? [];
    const all = [...known, ...chosen.filter((one) => !known.includes(one))];

    return (
        <fieldset className="fieldset" aria-describedby={error ? 'context-keys-error' : undefined}>
            <legend>What must be gathered before it can be filled in</legend>
            <div className="row">
                {all.map((key) => (
                    <label key={key} className="tick">
                        <input type="checkbox" checked={chosen.includes(key)}
                            onChange={(event) => onChange(all.filter((one) => (one === key ? event.target.checked : chosen.includes(one))))} />
                        <code>{key}</code>
                    </label>
                ))}
                {!all.length && <Skeleton className="prompts-skeleton-keys" />}
            </div>
            {error && <p className="field-error" id="context-keys-error"><Icon name="warning" size={16} />{error}</p>}
        </fieldset>
    );
}

interface Meanwhile {
    version: Prompt;
}

function MeanwhileNotice({ meanwhile, next, onCompare }: { meanwhile: Meanwhile; next: number; onCompare: () => void }) {
    const { version } = meanwhile.version;

    return (
        <div className="notice notice-warning" role="alert">
            <Icon name="warning" />
            <div className="notice-body">
                <p className="notice-title">Somebody has made version {version} while you wrote.</p>
                <p>Nothing of yours was saved yet. Save again to make it version {next}; what version {version} changed is not in it.</p>
            </div>
            <Button size="small" onClick={onCompare}>Compare with version {version}</Button>
        </div>
    );
}

type Faults = { body?: string; contextKeys?: string; form?: string };

function faultsOf(error: unknown): Faults {
    const errors = error instanceof ApiError ? error.errors : {};
    const faults = { body: errors.body?.[0], contextKeys: errors.required_context_keys?.[0] };

    return faults.body || faults.contextKeys ? faults : { form: sentence(error) };
}

const sides = [{ value: 'preview', label: 'Preview' }, { value: 'changes', label: 'Changes' }];

export function PromptEditor({ type, label, versions, base, onDone }: PromptEditorProps) {
    const client = useQueryClient();
    const create = useCreateVersion();
    const area = useRef<HTMLTextAreaElement>(null);
    const attempt = useRef({ sent: '', key: '' });
    const [draft, setDraft] = useState(() => begin(type, versions, base));
    const [faults, setFaults] = useState<Faults>({});
    const [meanwhile, setMeanwhile] = useState<Meanwhile | null>(null);
    const [busy, setBusy] = useState(false);
    const [side, setSide] = useState('preview');
    const [against, setAgainst] = useState<number | null>(null);
    const newest = versions[0]?.version ?? 0;
    const compared = versions.find((one) => one.version === (against ?? draft.from)) ?? null;
    const problems = problemsOf(type, draft.body);
    const length = lengthOf(draft.body);

    const wanted = { prompt_type: type, body: draft.body, is_active: draft.isActive, required_context_keys: draft.contextKeys };
    // The same text sent again is the same attempt: it makes one version, however often the line breaks.
    const isSentAlready = () => attempt.current.sent === JSON.stringify(wanted);

    function change(part: Partial<Draft>): void {
        const next = { ...draft, ...part };

        setDraft(next);
        setFaults({});
        keepDraft(type, isTouched(next, versions) ? next : null);
    }

    async function leave(): Promise<void> {
        if (isTouched(draft, versions) && !await confirm({
            title: 'Throw the draft away?', body: 'What you have written was not saved as a version.', action: 'Throw away', danger: true,
        })) {
            return;
        }
        keepDraft(type, null);
        onDone(draft.from || null);
    }

    function show({ place }: Problem): void {
        if (area.current && place) {
            area.current.focus();
            area.current.setSelectionRange(place.start, place.end);
        }
    }

    async function send(): Promise<void> {
        attempt.current = isSentAlready() ? attempt.current : { sent: JSON.stringify(wanted), key: newKey() };
        const made = await create.mutateAsync({ wanted, key: attempt.current.key });
        const used = usedOf(await fetchVersions(client, type).catch(() => [made, ...versions]));

        keepDraft(type, null);
        notify({
            tone: 'success', title: `Version ${made.version} of ${label} is saved.`,
            detail: used ? `Version ${used.version} is used.` : 'No version is used.',
        });
        onDone(made.version);
    }

    async function save(): Promise<void> {
        const known = meanwhile?.version.version ?? draft.newest;

        if (busy) {
            return;
        }
        setBusy(true);
        setFaults({});
        setMeanwhile(null);
        try {
            // Of an attempt that nobody answered, the newest version may be our own.
            const latest = isSentAlready() ? undefined : (await fetchVersions(client, type))[0];

            if (latest && latest.version > known) {
                setMeanwhile({ version: latest });
                return;
            }
            await send();
        }
        catch (error) {
            // A refusal is kept under its key for a day: what is tried anew needs a new one.
            if (!(error instanceof ApiError) || !error.isTransient) {
                attempt.current = { sent: '', key: '' };
            }
            const found = faultsOf(error);

            setFaults(found);
            if (found.body) {
                area.current?.focus();
            }
        }
        finally {
            setBusy(false);
        }
    }

    function keyDown(event: KeyboardEvent): void {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            void save();
        }
    }

    return (
        <section className="prompts-editor" aria-labelledby="prompt-editor" onKeyDown={keyDown}>
            <form className="card stack" noValidate onSubmit={(event) => {
                event.preventDefault();
                void save();
            }}>
                <header>
                    <h2 id="prompt-editor">New version of {label}</h2>
                    <p className="hint">{draft.from ? `It begins as version ${draft.from}.` : 'It begins empty.'} What you write is kept in this tab until you save it or throw it away.</p>
                </header>
                {base && base.version !== draft.from && (
                    <div className="notice">
                        <p className="notice-body">This is the draft that you began from {draft.from ? `version ${draft.from}` : 'an empty page'}.</p>
                        <Button size="small" onClick={() => change({ from: base.version, newest, body: base.body, contextKeys: base.required_context_keys })}>
                            Begin anew from version {base.version}
                        </Button>
                    </div>
                )}
                <Field label="Text" error={faults.body} aside={<span className={length > MAX_BODY ? 'prompts-too-long' : 'hint'}>{numbered(length)} of {numbered(MAX_BODY)} characters</span>}>
                    {(props) => (
                        <textarea {...props} ref={area} className="input prompts-area" rows={16} autoFocus value={draft.body}
                            onChange={(event) => change({ body: event.target.value })} />
                    )}
                </Field>
                {type === 'image_generation'
                    ? (
                        <>
                            <Placeholders body={draft.body} onInsert={(text) => area.current && insert(area.current, text)} />
                            <Problems problems={problems} onShow={show} />
                        </>
                    )
                    : problems.length > 0 && <p className="hint">{problems[0]!.sentence}</p>}
                <ContextKeys chosen={draft.contextKeys} error={faults.contextKeys} onChange={(contextKeys) => change({ contextKeys })} />
                <label className="tick">
                    <input type="checkbox" checked={draft.isActive} onChange={(event) => change({ isActive: event.target.checked })} />
                    <span className="tick-body"><span>Use it at once</span><span className="hint">Else it is kept switched off, and the present one stays in use.</span></span>
                </label>
                {faults.form && <p className="notice notice-error" role="alert">{faults.form}</p>}
                {meanwhile && (
                    <MeanwhileNotice meanwhile={meanwhile} next={newest + 1} onCompare={() => {
                        setAgainst(meanwhile.version.version);
                        setSide('changes');
                    }} />
                )}
                <div className="row prompts-save">
                    <Button type="submit" tone="primary" busy={busy}>Save as version {newest + 1}</Button>
                    <Button onClick={() => void leave()}>{isTouched(draft, versions) ? 'Throw away' : 'Cancel'}</Button>
                    <span className="hint">Ctrl or Cmd + Enter saves</span>
                </div>
            </form>
            <div className="card prompts-side">
                <Tabs small label="Beside the text" tabs={sides} value={side} onChange={setSide}>
                    {side === 'preview' && <PromptPreview type={type} body={draft.body} withoutWarnings />}
                    {side === 'changes' && (compared
                        ? (
                            <Suspense fallback={<Skeleton className="prompts-skeleton-preview" />}>
                                <Differences before={compared.body} after={draft.body} from={`Version ${compared.version}`} to="this text" />
                            </Suspense>
                        )
                        : <p className="hint">There is no version to compare it with.</p>)}
                </Tabs>
            </div>
        </section>
    );
}
