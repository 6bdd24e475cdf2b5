// VersionList.tsx - all versions of a type, newest first.
import type { Prompt } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { Time } from '../../../components/Time';
import { usedOf } from '../hooks/use-prompts';
import { readDraft } from '../drafts';
import type { PromptType } from '../placeholders';

interface VersionListProps {
    type: PromptType;
    label: string;
    versions: readonly Prompt[];
    shown: Prompt | null;
    onChoose: (version: number) => void;
    onWrite: () => void;
}

/** Badge for a live, active or inactive version. */
export function StateBadge({ prompt, versions }: { prompt: Prompt; versions: readonly Prompt[] }) {
    if (usedOf(versions)?.id === prompt.id) {
        return (
            <span className="badge badge-good">
                <Icon name="check" size={14} />
                Live
            </span>
        );
    }
    return <span className="badge">{prompt.is_active ? 'Active' : 'Inactive'}</span>;
}

export function VersionList({ type, label, versions, shown, onChoose, onWrite }: VersionListProps) {
    return (
        <nav className="card prompts-versions" aria-label={`Versions of ${label}`}>
            <Button tone="primary" icon={<Icon name="plus" />} className="button-wide" onClick={onWrite}>
                {readDraft(type) ? 'Continue draft' : 'New version'}
            </Button>
            <ol reversed className="prompts-list">
                {versions.map((version) => (
                    <li key={version.id}>
                        <button
                            type="button"
                            className="prompts-item"
                            aria-current={version.id === shown?.id || undefined}
                            onClick={() => onChoose(version.version)}
                        >
                            <span className="prompts-item-line">
                                <span className="prompts-item-name">Version {version.version}</span>{' '}
                                <StateBadge prompt={version} versions={versions} />
                            </span>
                            <span className="prompts-item-detail">
                                <Time at={version.created_at} />
                            </span>
                        </button>
                    </li>
                ))}
            </ol>
            <p className="hint">The highest active version is live. Versions can't be edited; create a new one.</p>
        </nav>
    );
}
