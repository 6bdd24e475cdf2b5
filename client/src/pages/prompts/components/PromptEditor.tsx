// PromptEditor.tsx - editor for a new version: text, problems, preview and changes.
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import type { Prompt } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Field } from '../../../components/Field';
import { Icon } from '../../../components/Icon';
import { Skeleton } from '../../../components/Skeleton';
import { Tabs } from '../../../components/Tabs';
import { useNewVersion } from '../hooks/use-new-version';
import { usedOf } from '../hooks/use-prompts';
import { lengthOf, MAX_BODY } from '../placeholders';
import type { Problem, PromptType } from '../placeholders';
import { ContextKeys } from './ContextKeys';
import { PlaceholderCheck } from './PlaceholderCheck';
import { PromptPreview } from './PromptPreview';

const Differences = lazy(() => import('./Differences'));

interface PromptEditorProps {
    type: PromptType;
    label: string;
    versions: readonly Prompt[];
    /** The version that the text starts from. */
    base: Prompt | null;
    /** Closes the editor, with the created version, if any. */
    onDone: (version: number | null) => void;
}

// Inserts text at the cursor as if it was typed, so that Ctrl+Z undoes it.
function insert(area: HTMLTextAreaElement, text: string): void {
    area.focus();
    if (!document.execCommand('insertText', false, text)) {
        area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
        area.dispatchEvent(new Event('input', { bubbles: true }));
    }
}

function numbered(value: number): string {
    return value.toLocaleString();
}

const sides = [
    { value: 'preview', label: 'Preview' },
    { value: 'changes', label: 'Changes' },
];

function MeanwhileNotice({ version, next, onCompare }: { version: number; next: number; onCompare: () => void }) {
    return (
        <div className="notice notice-warning" role="alert">
            <Icon name="warning" />
            <div className="notice-body">
                <p className="notice-title">Another user created version {version} in the meantime.</p>
                <p>
                    Your text is not saved yet. Save again to create version {next}; what version {version} changed is
                    not in it.
                </p>
            </div>
            <Button size="small" onClick={onCompare}>
                Compare with version {version}
            </Button>
        </div>
    );
}

export function PromptEditor({ type, label, versions, base, onDone }: PromptEditorProps) {
    const area = useRef<HTMLTextAreaElement>(null);
    const { draft, change, wasTouched, faults, meanwhile, busy, save, leave } = useNewVersion({
        type,
        label,
        versions,
        base,
        onDone,
    });
    const [side, setSide] = useState('preview');
    const [against, setAgainst] = useState<number | null>(null);
    const newest = versions[0]?.version ?? 0;
    const compared = versions.find((one) => one.version === (against ?? draft.from)) ?? null;
    const live = usedOf(versions);
    const length = lengthOf(draft.body);
    const isPlain = type !== 'image_generation';

    // Focus the text if the server reports a problem in it.
    useEffect(() => {
        if (faults.body) {
            area.current?.focus();
        }
    }, [faults.body]);

    function show({ place }: Problem): void {
        if (area.current && place) {
            area.current.focus();
            area.current.setSelectionRange(place.start, place.end);
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
            <form
                className="card stack"
                noValidate
                onSubmit={(event) => {
                    event.preventDefault();
                    void save();
                }}
            >
                <header>
                    <h2 id="prompt-editor">New version of {label}</h2>
                    <p className="hint">
                        {draft.from ? `Starts from version ${draft.from}.` : 'Starts empty.'} Your draft is kept in this
                        tab until you save or discard it.
                    </p>
                </header>
                {base && base.version !== draft.from && (
                    <div className="notice">
                        <p className="notice-body">
                            This is your draft from {draft.from ? `version ${draft.from}` : 'scratch'}.
                        </p>
                        <Button
                            size="small"
                            onClick={() =>
                                change({
                                    from: base.version,
                                    newest,
                                    body: base.body,
                                    contextKeys: base.required_context_keys,
                                })
                            }
                        >
                            Start over from version {base.version}
                        </Button>
                    </div>
                )}
                <Field
                    label="Text"
                    error={faults.body}
                    aside={
                        <span className={length > MAX_BODY ? 'prompts-too-long' : 'hint'}>
                            {numbered(length)} of {numbered(MAX_BODY)} characters
                        </span>
                    }
                >
                    {(props) => (
                        <textarea
                            {...props}
                            ref={area}
                            className="input prompts-area"
                            rows={16}
                            autoFocus
                            value={draft.body}
                            onChange={(event) => change({ body: event.target.value })}
                        />
                    )}
                </Field>
                {!isPlain && (
                    <PlaceholderCheck
                        body={draft.body}
                        onInsert={(text) => area.current && insert(area.current, text)}
                        onShow={show}
                    />
                )}
                <ContextKeys
                    chosen={draft.contextKeys}
                    error={faults.contextKeys}
                    onChange={(contextKeys) => change({ contextKeys })}
                />
                <label className="tick">
                    <input
                        type="checkbox"
                        checked={draft.isActive}
                        onChange={(event) => change({ isActive: event.target.checked })}
                    />
                    <span className="tick-body">
                        <span>Make live on save</span>
                        <span className="hint">
                            {live ? `Otherwise version ${live.version} stays live.` : 'Otherwise no version is live.'}
                        </span>
                    </span>
                </label>
                {faults.form && (
                    <p className="notice notice-error" role="alert">
                        {faults.form}
                    </p>
                )}
                {meanwhile && (
                    <MeanwhileNotice
                        version={meanwhile.version}
                        next={newest + 1}
                        onCompare={() => {
                            setAgainst(meanwhile.version);
                            setSide('changes');
                        }}
                    />
                )}
                <div className="row prompts-save">
                    <Button type="submit" tone="primary" busy={busy}>
                        Save as version {newest + 1}
                    </Button>
                    <Button onClick={() => void leave()}>{wasTouched ? 'Discard draft' : 'Cancel'}</Button>
                    <span className="hint">Ctrl or Cmd + Enter saves</span>
                </div>
            </form>
            <div className="card prompts-side">
                <Tabs small label="Tools" tabs={sides} value={side} onChange={setSide}>
                    {side === 'preview' && <PromptPreview type={type} body={draft.body} withoutWarnings />}
                    {side === 'changes' &&
                        (compared ? (
                            <Suspense fallback={<Skeleton className="prompts-skeleton-preview" />}>
                                <Differences
                                    before={compared.body}
                                    after={draft.body}
                                    from={`Version ${compared.version}`}
                                    to="this text"
                                />
                            </Suspense>
                        ) : (
                            <p className="hint">No version to compare with.</p>
                        ))}
                </Tabs>
            </div>
        </section>
    );
}
