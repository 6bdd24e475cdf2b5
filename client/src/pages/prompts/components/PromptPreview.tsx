// PromptPreview.tsx - a text rendered for a real identity, exactly as the generator gets it.
import { useState } from 'react';
import { useQuery } from '@tanstack/react-query';
import { listRows } from '../../../api/admin';
import { keys } from '../../../api/queryKeys';
import { Button } from '../../../components/Button';
import { EmptyState } from '../../../components/EmptyState';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Field } from '../../../components/Field';
import { Icon } from '../../../components/Icon';
import type { PickerItem } from '../../../components/Picker';
import { identityItem, IdentityPicker } from '../../../components/pickers';
import { Skeleton } from '../../../components/Skeleton';
import { useDebounced } from '../../../components/useDebounced';
import { useDraft } from '../../../session/drafts';
import { usePreview } from '../hooks/use-prompts';
import type { PromptType } from '../placeholders';

const REST = 400; // debounce in milliseconds before the server is asked
const MAX_ADDITIONAL = 10_000;

interface PromptPreviewProps {
    type: PromptType;
    /** A saved version or a draft. */
    promptId?: string;
    body?: string;
    /** Another component shows the problems of the text. */
    withoutWarnings?: boolean;
}

// Use the newest identity by default.
function useIdentity(): [PickerItem | null, (item: PickerItem | null) => void, boolean] {
    const [chosen, choose] = useDraft<PickerItem | null>('prompts.identity', null);
    const first = useQuery({
        queryKey: [...keys.adminRows('identities'), 'first'],
        queryFn: async ({ signal }) => (await listRows('identities', { limit: '1' }, null, signal)).results[0] ?? null,
        enabled: chosen === null,
    });

    return [chosen ?? (first.data ? identityItem(first.data) : null), choose, chosen === null && first.data === null];
}

function Rendered({
    type,
    promptId,
    body,
    withoutWarnings,
    identity,
    additional,
}: PromptPreviewProps & { identity: string; additional: string }) {
    const text = useDebounced(body, REST);
    const more = useDebounced(additional, REST);
    const isBlank = promptId === undefined && !text?.trim();
    const { data, error, isFetching, refetch } = usePreview(
        isBlank
            ? null
            : {
                  identity_id: identity,
                  additional_prompt: more,
                  ...(promptId ? { prompt_id: promptId } : { body: text }),
              },
    );
    const warnings = withoutWarnings || type !== 'image_generation' ? [] : (data?.warnings ?? []);

    if (isBlank) {
        return <p className="hint">Enter text to preview it with the identity's values.</p>;
    }
    if (error) {
        return <ErrorNotice error={error} title="No preview available." onRetry={() => void refetch()} />;
    }
    if (!data) {
        return <Skeleton className="prompts-skeleton-preview" />;
    }
    return (
        <>
            {warnings.map((warning) => (
                <p key={warning} className="notice notice-warning">
                    <Icon name="warning" />
                    {warning}
                </p>
            ))}
            <pre
                className="prompts-text prompts-rendered"
                tabIndex={0}
                role="region"
                aria-label="Preview"
                aria-busy={isFetching}
            >
                {data.prompt}
            </pre>
        </>
    );
}

export function PromptPreview(props: PromptPreviewProps) {
    const [identity, choose, isNobody] = useIdentity();
    const [additional, setAdditional] = useDraft('prompts.additional', '');
    const [wanted, setWanted] = useState(Boolean(additional));

    if (isNobody) {
        return (
            <EmptyState icon="user" title="No identity to preview with">
                <p>Create one on the Admin page, under Identities.</p>
            </EmptyState>
        );
    }
    return (
        <div className="stack prompts-preview">
            {identity ? (
                <IdentityPicker label="Identity" chosen={identity} onChange={choose} />
            ) : (
                <Skeleton className="prompts-skeleton-picker" />
            )}
            {wanted ? (
                <Field
                    label="Additional prompt"
                    hint="Text that staff can add on the Images page. If empty, “None provided” is used."
                >
                    {(control) => (
                        <textarea
                            {...control}
                            autoFocus={!additional}
                            className="input prompts-additional"
                            maxLength={MAX_ADDITIONAL}
                            rows={2}
                            value={additional}
                            onChange={(event) => setAdditional(event.target.value)}
                        />
                    )}
                </Field>
            ) : (
                <div>
                    <Button
                        size="small"
                        tone="quiet"
                        icon={<Icon name="plus" size={16} />}
                        onClick={() => setWanted(true)}
                    >
                        Add an additional prompt
                    </Button>
                </div>
            )}
            {props.type !== 'image_generation' && (
                <p className="hint">The preview fills in the Image Generation placeholders only.</p>
            )}
            {identity ? (
                <Rendered {...props} identity={identity.value} additional={additional} />
            ) : (
                <Skeleton className="prompts-skeleton-preview" />
            )}
        </div>
    );
}
