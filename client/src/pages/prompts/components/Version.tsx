// Version.tsx - a version: text, comparison, preview and results.
import { lazy, Suspense, useState } from 'react';
import type { Prompt } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { confirm, notify } from '../../../components/notify';
import { Skeleton } from '../../../components/Skeleton';
import { Tabs } from '../../../components/Tabs';
import { Time } from '../../../components/Time';
import { UserName } from '../../../components/UserName';
import { usedOf, useSwitchVersion } from '../hooks/use-prompts';
import { Comparison } from './Comparison';
import { PromptPreview } from './PromptPreview';
import { PromptText } from './PromptText';
import { Results } from './Results';
import { StateBadge } from './VersionList';

const RevertDialog = lazy(() => import('./RevertDialog'));

interface VersionProps {
    prompt: Prompt;
    versions: readonly Prompt[];
    label: string;
    show: string;
    onShow: (show: string) => void;
    onLook: (version: number) => void;
    onWrite: () => void;
}

/** Moves the focus to the heading of the version. */
export function focusVersion(): void {
    document.getElementById('prompt-version')?.focus({ preventScroll: true });
}

const tabs = [
    { value: 'text', label: 'Text' },
    { value: 'compare', label: 'Compare' },
    { value: 'preview', label: 'Preview' },
    { value: 'results', label: 'Results' },
];

function tellUse(prompt: Prompt, versions: readonly Prompt[], isActive: boolean): void {
    const used = usedOf(versions.map((one) => (one.id === prompt.id ? { ...one, is_active: isActive } : one)));

    notify({
        tone: 'success',
        title: `Version ${prompt.version} is ${isActive ? 'active' : 'inactive'}.`,
        detail: used ? `Version ${used.version} is live.` : 'No version is live.',
    });
}

function Switch({ prompt, versions, label }: { prompt: Prompt; versions: readonly Prompt[]; label: string }) {
    const change = useSwitchVersion();
    const isLast = prompt.is_active && versions.filter((one) => one.is_active).length === 1;

    async function flip(): Promise<void> {
        const isActive = !prompt.is_active;

        if (
            isLast &&
            !(await confirm({
                title: `Deactivate the only active version of ${label}?`,
                body: 'Requests that need this prompt fail until a version is active.',
                action: 'Deactivate',
                danger: true,
            }))
        ) {
            return;
        }
        change.mutate({ prompt, isActive }, { onSuccess: () => tellUse(prompt, versions, isActive) });
    }

    return (
        <label className="tick prompts-switch">
            <input type="checkbox" role="switch" checked={prompt.is_active} onChange={() => void flip()} />
            <span>Active</span>
        </label>
    );
}

export function Version({ prompt, versions, label, show, onShow, onLook, onWrite }: VersionProps) {
    const [isReverting, setReverting] = useState(false);
    const isUsed = usedOf(versions)?.id === prompt.id;
    const tab = tabs.some((one) => one.value === show) ? show : 'text';

    return (
        <section className="card prompts-version" aria-labelledby="prompt-version">
            <header className="prompts-version-header">
                <div>
                    <h2 id="prompt-version" tabIndex={-1} className="prompts-version-title">
                        Version {prompt.version} <StateBadge prompt={prompt} versions={versions} />
                    </h2>
                    <p className="hint">
                        Made <Time at={prompt.created_at} withTime /> by{' '}
                        {prompt.created_by ? <UserName id={prompt.created_by} /> : 'the installation'}
                    </p>
                </div>
                <Switch prompt={prompt} versions={versions} label={label} />
            </header>
            <div className="row prompts-actions">
                <Button icon={<Icon name="edit" size={18} />} onClick={onWrite}>
                    New version from this
                </Button>
                {!isUsed && (
                    <Button icon={<Icon name="undo" size={18} />} onClick={() => setReverting(true)}>
                        Use this version…
                    </Button>
                )}
            </div>
            <Tabs small label={`Version ${prompt.version}`} tabs={tabs} value={tab} onChange={onShow}>
                {tab === 'text' && (
                    <PromptText
                        body={prompt.body}
                        type={prompt.prompt_type}
                        contextKeys={prompt.required_context_keys}
                    />
                )}
                {tab === 'compare' && <Comparison prompt={prompt} versions={versions} />}
                {tab === 'preview' && <PromptPreview type={prompt.prompt_type} promptId={prompt.id} />}
                {tab === 'results' && <Results prompt={prompt} />}
            </Tabs>
            <Suspense fallback={<Skeleton className="visually-hidden" />}>
                {isReverting && (
                    <RevertDialog
                        prompt={prompt}
                        versions={versions}
                        label={label}
                        onClose={() => setReverting(false)}
                        onDone={(version) => {
                            setReverting(false);
                            onLook(version);
                            // The button that opened the dialog no longer exists.
                            requestAnimationFrame(focusVersion);
                        }}
                    />
                )}
            </Suspense>
        </section>
    );
}
