// Identities.tsx - search, create, edit and delete identities of all users, with their pictures.
import { useRef, useState } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getEnums, getRow } from '../../../api/admin';
import { newKey, request, sentence, upload } from '../../../api/client';
import { restoreIdentityImage } from '../../../api/identities';
import { keys } from '../../../api/queryKeys';
import type { Identity } from '../../../api/types';
import { Button, IconButton } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { Menu } from '../../../components/Menu';
import { confirm, notify } from '../../../components/notify';
import { PictureImage } from '../../../components/PictureImage';
import { Time } from '../../../components/Time';
import { UserName } from '../../../components/UserName';
import { useLimits } from '../hooks/use-photos';
import type { Place } from '../hooks/use-place';
import { refreshRows, useRemoval, useRows } from '../hooks/use-rows';
import { UserField } from './fields';
import { IdentityDialog } from './IdentityDialog';
import { FilterField, RowList, SearchField } from './RowList';

export function useCategories(): string[] {
    const { data } = useQuery({ queryKey: keys.enums, queryFn: ({ signal }) => getEnums(signal), staleTime: 60_000 });

    return data?.identity_categories.map((one) => one.value) ?? [];
}

const inWords = (category: string) => category.replaceAll('_', ' ');

// Changes of the picture: each can be taken back for a day, and says so.
function useIdentityPicture(identity: Identity) {
    const client = useQueryClient();

    async function undo(): Promise<void> {
        try {
            await restoreIdentityImage(identity.id, newKey());
            notify({ tone: 'success', title: `${identity.name} has its previous picture again.` });
        } catch (error) {
            notify({
                tone: 'error',
                title: "Couldn't restore the previous picture.",
                detail: sentence(error),
            });
        }
        await refreshRows(client, 'identities');
    }

    /** Only of the identity that was seen; one that has changed meanwhile is shown and asked about. */
    async function change(done: string, failed: string, send: (etag: string) => Promise<unknown>): Promise<void> {
        try {
            const now = await getRow('identities', identity.id);

            if (now.row.updated_at !== identity.updated_at) {
                await refreshRows(client, 'identities');
                if (
                    !(await confirm({
                        title: `${identity.name} has changed`,
                        body: 'Another user changed this identity. The page shows its current state. Continue anyway?',
                        action: 'Continue',
                    }))
                ) {
                    return;
                }
            }
            await send(now.etag);
            notify({ tone: 'success', title: done, action: { label: 'Undo', run: () => void undo() } });
        } catch (error) {
            notify({ tone: 'error', title: failed, detail: sentence(error) });
        }
        await refreshRows(client, 'identities');
    }

    return {
        undo,
        replace: (file: File) =>
            change(`${identity.name} has a new picture.`, "Couldn't add the picture.", (etag) => {
                const form = new FormData();

                form.set('image', file);
                return upload(`identities/${identity.id}/upload-image/`, {
                    form,
                    headers: { 'If-Match': etag },
                    idempotencyKey: newKey(),
                });
            }),
        remove: () =>
            change(`${identity.name} no longer has a picture.`, "Couldn't remove the picture.", (etag) =>
                request('DELETE', `identities/${identity.id}/delete-image/`, { headers: { 'If-Match': etag } }),
            ),
    };
}

interface IdentityRowProps {
    identity: Identity;
    place: Place;
    onEdit: () => void;
    onDelete: () => void;
}

function IdentityRow({ identity, place, onEdit, onDelete }: IdentityRowProps) {
    const input = useRef<HTMLInputElement>(null);
    const { accept } = useLimits();
    const picture = useIdentityPicture(identity);
    const { image, name } = identity;

    return (
        <li className="card admin-identity">
            <input
                ref={input}
                type="file"
                accept={accept}
                hidden
                aria-label={`Picture for ${name}`}
                onChange={(event) => {
                    const file = event.target.files?.[0];

                    if (file) {
                        void picture.replace(file);
                    }
                    event.target.value = '';
                }}
            />
            <div className="admin-identity-picture">
                {image ? (
                    <PictureImage
                        src={image.medium}
                        alt={`Picture of ${name}`}
                        stale={keys.adminRows('identities')}
                        loading="lazy"
                    />
                ) : (
                    <Icon name="user" size={28} />
                )}
            </div>
            <div className="admin-who">
                <h2 className="admin-name">{name}</h2>
                <p className="admin-badges">
                    <span className="badge">{inWords(identity.category)}</span>{' '}
                    <span className="hint">
                        Since <Time at={identity.created_at} />, of <UserName id={identity.user} />
                    </span>
                </p>
                {identity.i_am_statement && <p className="admin-statement">{identity.i_am_statement}</p>}
            </div>
            <div className="admin-row-actions">
                <Button size="small" icon={<Icon name="edit" size={16} />} aria-label={`Edit ${name}`} onClick={onEdit}>
                    Edit
                </Button>
                <Menu
                    label={`More about ${name}`}
                    trigger={
                        <IconButton
                            size="small"
                            tone="default"
                            label={`More about ${name}`}
                            icon={<Icon name="more" size={18} />}
                        />
                    }
                    actions={[
                        {
                            label: image ? 'Replace picture…' : 'Add picture…',
                            icon: <Icon name="upload" size={18} />,
                            onSelect: () => input.current?.click(),
                        },
                        ...(image
                            ? [
                                  {
                                      label: 'Remove picture',
                                      icon: <Icon name="close" size={18} />,
                                      onSelect: () => void picture.remove(),
                                  },
                              ]
                            : []),
                        {
                            label: 'Restore previous picture',
                            icon: <Icon name="undo" size={18} />,
                            onSelect: () => void picture.undo(),
                        },
                        {
                            label: 'Only this user',
                            icon: <Icon name="user" size={18} />,
                            onSelect: () => place.filter('user', identity.user),
                        },
                        { label: 'Delete…', icon: <Icon name="trash" size={18} />, danger: true, onSelect: onDelete },
                    ]}
                />
            </div>
        </li>
    );
}

export function Identities({ place }: { place: Place }) {
    const [open, setOpen] = useState<Identity | 'new' | null>(null);
    const user = place.get('user');
    const category = place.get('category');
    const categories = useCategories();
    const rows = useRows('identities', { search: place.get('search'), user_id: user, category });
    const remove = useRemoval('identities');

    function askToDelete(identity: Identity): void {
        void remove({
            id: identity.id,
            name: identity.name,
            question: (now) => ({
                title: now ? `${now.name} has changed. Delete anyway?` : `Delete ${identity.name}?`,
                body: "Deletes the identity and its picture. Pictures generated from it stay in the history. You can't undo this.",
                action: 'Delete',
                danger: true,
            }),
        });
    }

    return (
        <>
            <div className="toolbar">
                <SearchField
                    label="Search identities"
                    value={place.get('search')}
                    onChange={(words) => place.filter('search', words)}
                />
                <div className="toolbar-filter">
                    <UserField
                        label="User"
                        value={user || null}
                        onChange={(id) => place.filter('user', id ?? '')}
                        none="All users"
                    />
                </div>
                <FilterField
                    label="Category"
                    value={category}
                    onChange={(value) => place.filter('category', value)}
                    options={[
                        { value: '', label: 'All' },
                        ...(category && !categories.includes(category) ? [category] : [])
                            .concat(categories)
                            .map((one) => ({ value: one, label: inWords(one) })),
                    ]}
                />
                <div className="toolbar-end">
                    <Button tone="primary" icon={<Icon name="plus" />} onClick={() => setOpen('new')}>
                        New identity
                    </Button>
                </div>
            </div>
            <RowList
                label="Identities"
                rows={rows}
                nouns="identities"
                isFiltered={place.isFiltered}
                onClearFilter={place.clear}
                icon="user"
                skeleton="admin-skeleton-identity"
                empty={<p>Create the first one with “New identity”.</p>}
            >
                {(identity) => (
                    <IdentityRow
                        key={identity.id}
                        identity={identity}
                        place={place}
                        onEdit={() => setOpen(identity)}
                        onDelete={() => askToDelete(identity)}
                    />
                )}
            </RowList>
            {open && (
                <IdentityDialog
                    identity={open === 'new' ? null : open}
                    userId={user || null}
                    categories={categories}
                    onClose={() => setOpen(null)}
                    onSaved={(saved) => {
                        setOpen(null);
                        notify({ tone: 'success', title: `${saved.name} is ${open === 'new' ? 'created' : 'saved'}.` });
                    }}
                />
            )}
        </>
    );
}
