// IdentitySelector.tsx - identity picker, with the statement and current picture of the identity.
import type { UseQueryResult } from '@tanstack/react-query';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Link } from 'wouter';
import { Icon } from '../../../components/Icon';
import { Picker } from '../../../components/Picker';
import { PictureImage } from '../../../components/PictureImage';
import { Skeleton } from '../../../components/Skeleton';
import { keys } from '../../../api/queryKeys';
import type { AvailableUser, Identity } from '../../../api/types';

interface IdentitySelectorProps {
    user: AvailableUser;
    identities: UseQueryResult<Identity[]>;
    chosen: Identity | undefined;
    /** Whether the selected identity is still loading. */
    isWanted: boolean;
    onChange: (id: string) => void;
}

function categoryWords(category: string): string {
    return category.replaceAll('_', ' ');
}

function IdentityCard({ identity }: { identity: Identity }) {
    return (
        <div className="identity">
            <div className="identity-picture">
                {identity.image ? (
                    <PictureImage
                        src={identity.image.medium}
                        alt={`Current picture of ${identity.name}`}
                        stale={keys.identitiesOf(identity.user)}
                    />
                ) : (
                    <span className="identity-none">
                        <Icon name="picture" size={24} />
                        No picture yet
                    </span>
                )}
            </div>
            <div className="identity-words">
                {identity.i_am_statement ? (
                    <blockquote className="identity-statement">{identity.i_am_statement}</blockquote>
                ) : (
                    <p className="muted">This identity has no “I am” statement.</p>
                )}
                {identity.visualization && <p className="identity-visualization">{identity.visualization}</p>}
            </div>
        </div>
    );
}

export function IdentitySelector({ user, identities, chosen, isWanted, onChange }: IdentitySelectorProps) {
    if (identities.error && !identities.data) {
        return (
            <ErrorNotice
                title="Couldn't load the identities."
                error={identities.error}
                onRetry={() => void identities.refetch()}
            />
        );
    }
    if (identities.data?.length === 0) {
        return (
            <div className="field">
                <span className="label">Identity</span>
                <p className="notice">
                    <Icon name="info" />
                    <span className="notice-body">
                        {user.name} has no identity yet. <Link href="/admin?tab=identities">Make one in Admin</Link>{' '}
                        first.
                    </span>
                </p>
            </div>
        );
    }
    return (
        <div className="stack">
            <Picker
                label="Identity"
                value={chosen?.id ?? null}
                onChange={onChange}
                disabled={identities.isPending}
                placeholder={identities.isPending ? 'Loading' : 'Choose an identity'}
                nothing="No matching identity."
                items={(identities.data ?? []).map((identity) => ({
                    value: identity.id,
                    label: identity.name,
                    detail: categoryWords(identity.category),
                    words: identity.i_am_statement ?? '',
                }))}
            />
            {identities.isPending && isWanted ? (
                <Skeleton className="identity-skeleton" />
            ) : (
                chosen && <IdentityCard identity={chosen} />
            )}
        </div>
    );
}
