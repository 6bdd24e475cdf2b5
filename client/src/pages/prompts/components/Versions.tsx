// Versions.tsx - list of versions beside the selected version or the editor.
import { useEffect, useRef } from 'react';
import { useSearchParams } from 'wouter';
import type { Prompt } from '../../../api/types';
import { Button } from '../../../components/Button';
import { EmptyState } from '../../../components/EmptyState';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Icon } from '../../../components/Icon';
import { Skeleton } from '../../../components/Skeleton';
import { usedOf, useVersions } from '../hooks/use-prompts';
import type { PromptType } from '../placeholders';
import { PromptEditor } from './PromptEditor';
import { focusVersion, Version } from './Version';
import { VersionList } from './VersionList';

interface VersionsProps {
    type: PromptType;
    label: string;
}

/** State in the address: ?version=3&show=compare, or ?write=3 for a new version based on version 3. */
export function usePlace(type: PromptType) {
    const [search, setSearch] = useSearchParams();

    return {
        version: Number(search.get('version')) || null,
        show: search.get('show') ?? 'text',
        /** null: no editor; 0: an empty text. */
        write: search.has('write') ? Number(search.get('write')) || 0 : null,
        look: (version: number | null, show = 'text') =>
            setSearch({
                type,
                ...(version ? { version: String(version) } : {}),
                ...(show === 'text' ? {} : { show }),
            }),
        begin: (from: number) => setSearch({ type, write: String(from) }),
    };
}

function VersionsSkeleton() {
    return (
        <div className="prompts-columns" aria-busy="true">
            <Skeleton className="prompts-skeleton-list" />
            <Skeleton className="prompts-skeleton-text" />
        </div>
    );
}

function Nothing({ label, onWrite }: { label: string; onWrite: () => void }) {
    return (
        <div className="card">
            <EmptyState icon="text" title={`No ${label} prompt yet`}>
                <p>Write the first version. By default it goes live when you save it.</p>
                <Button tone="primary" icon={<Icon name="plus" />} onClick={onWrite}>
                    Write the first version
                </Button>
            </EmptyState>
        </div>
    );
}

function NotThere({ version, onLeave }: { version: number; onLeave: () => void }) {
    return (
        <section className="card">
            <EmptyState icon="text" title={`Version ${version} doesn't exist`}>
                <p>Choose a version from the list.</p>
                <Button onClick={onLeave}>Show the live version</Button>
            </EmptyState>
        </section>
    );
}

function Warning({ versions, label }: { versions: readonly Prompt[]; label: string }) {
    return (
        !usedOf(versions) && (
            <div className="notice notice-warning prompts-warning" role="status">
                <Icon name="warning" />
                <div className="notice-body">
                    <p className="notice-title">No version of {label} is active.</p>
                    <p>Requests that need this prompt fail until you activate a version.</p>
                </div>
            </div>
        )
    );
}

export function Versions({ type, label }: VersionsProps) {
    const { data: versions, error, refetch } = useVersions(type);
    const place = usePlace(type);
    const shown =
        versions &&
        (place.version ? versions.find((one) => one.version === place.version) : (usedOf(versions) ?? versions[0]));

    const isWriting = place.write !== null;
    const wasWriting = useRef(isWriting);

    // After the editor closes, focus the version that is shown.
    useEffect(() => {
        if (wasWriting.current && !isWriting) {
            focusVersion();
        }
        wasWriting.current = isWriting;
    }, [isWriting]);

    if (error && !versions) {
        return <ErrorNotice error={error} onRetry={() => void refetch()} />;
    }
    if (!versions) {
        return <VersionsSkeleton />;
    }
    if (isWriting) {
        return (
            <PromptEditor
                type={type}
                label={label}
                versions={versions}
                base={versions.find((one) => one.version === place.write) ?? null}
                onDone={(version) => place.look(version)}
            />
        );
    }
    if (!versions.length) {
        return <Nothing label={label} onWrite={() => place.begin(0)} />;
    }
    return (
        <>
            <Warning versions={versions} label={label} />
            <div className="prompts-columns">
                <VersionList
                    type={type}
                    label={label}
                    versions={versions}
                    shown={shown ?? null}
                    onChoose={(version) => place.look(version, place.show)}
                    onWrite={() => place.begin((usedOf(versions) ?? versions[0]!).version)}
                />
                {shown ? (
                    <Version
                        key={shown.id}
                        prompt={shown}
                        versions={versions}
                        label={label}
                        show={place.show}
                        onShow={(show) => place.look(shown.version, show)}
                        onLook={place.look}
                        onWrite={() => place.begin(shown.version)}
                    />
                ) : (
                    <NotThere version={place.version!} onLeave={() => place.look(null)} />
                )}
            </div>
        </>
    );
}
