// PromptPreview.tsx - what a text says of a real identity: to the character what a generator would get.
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

const REST = 400; // milliseconds without a key until the server is asked
const MAX_ADDITIONAL = 10_000;

interface PromptPreviewProps {
    type: PromptType;
    /** A version, or a text that might become one. */
    promptId?: string;
    body?: string;
    /** What is beside it says itself what is wrong with the text. */
    withoutWarnings?: boolean;
}

// At first the newest identity there is, so that there is something to see.
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
        return <p className="hint">Write something, and you see it here with the identity's words.</p>;
    }
    if (error) {
        return <ErrorNotice error={error} title="There is no preview." onRetry={() => void refetch()} />;
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
            <EmptyState icon="user" title="There is no identity to try it with.">
                <p>Make one on the page Admin, under Identities.</p>
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
                    hint="What staff may add on the page Images; empty, it says None provided."
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
                <p className="hint">
                    Only the placeholders of Image Generation are filled in here; others stay as they are.
                </p>
            )}
            {identity ? (
                <Rendered {...props} identity={identity.value} additional={additional} />
            ) : (
                <Skeleton className="prompts-skeleton-preview" />
            )}
        </div>
    );
}
