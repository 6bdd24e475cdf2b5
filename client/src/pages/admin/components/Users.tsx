// Users.tsx - search, create, edit and delete users, with the photos of each.
import { useState } from 'react';
import type { Account } from '../../../api/admin';
import { Button, IconButton } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { Menu } from '../../../components/Menu';
import { notify } from '../../../components/notify';
import { Time } from '../../../components/Time';
import { useSession } from '../../../session/SessionProvider';
import type { Place } from '../hooks/use-place';
import { useRemoval, useRows } from '../hooks/use-rows';
import { PasswordDialog } from './PasswordDialog';
import { PhotoStrip } from './PhotoStrip';
import { FilterField, RowList, SearchField } from './RowList';
import { UserDialog } from './UserDialog';

const groups = [
    { value: '', label: 'All users' },
    { value: 'staff', label: 'Staff' },
    { value: 'active', label: 'Active' },
    { value: 'inactive', label: 'Inactive' },
];
const filters: Readonly<Record<string, Record<string, string>>> = {
    staff: { is_staff: 'true' },
    active: { is_active: 'true' },
    inactive: { is_active: 'false' },
};

/** Display name of a user. */
export function nameOf(user: Account): string {
    return `${user.first_name} ${user.last_name}`.trim() || user.email;
}

type Open = { what: 'edit' | 'password'; user: Account } | { what: 'new' } | null;

interface UserRowProps {
    user: Account;
    isMe: boolean;
    place: Place;
    onOpen: (open: Open) => void;
    onDelete: () => void;
}

function UserRow({ user, isMe, place, onOpen, onDelete }: UserRowProps) {
    const name = nameOf(user);

    return (
        <li className="card admin-user">
            <div className="admin-who">
                <h2 className="admin-name">{name}</h2>
                {name !== user.email && <p className="admin-email">{user.email}</p>}
                <p className="admin-badges">
                    {isMe && <span className="badge badge-accent">You</span>}
                    {user.is_staff && <span className="badge badge-accent">Staff</span>}
                    {!user.is_active && <span className="badge badge-warning">Inactive</span>}
                    {!user.has_password && <span className="badge">No password</span>}
                    <span className="hint">
                        Since <Time at={user.created_at} />
                    </span>
                </p>
            </div>
            <PhotoStrip userId={user.id} name={name} />
            <div className="admin-row-actions">
                <Button
                    size="small"
                    icon={<Icon name="edit" size={16} />}
                    aria-label={`Edit ${name}`}
                    onClick={() => onOpen({ what: 'edit', user })}
                >
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
                            label: 'Set password…',
                            icon: <Icon name="key" size={18} />,
                            onSelect: () => onOpen({ what: 'password', user }),
                        },
                        {
                            label: 'Identities',
                            icon: <Icon name="user" size={18} />,
                            onSelect: () => place.go('identities', { user: user.id }),
                        },
                        {
                            label: 'Reference images',
                            icon: <Icon name="picture" size={18} />,
                            onSelect: () => place.go('photos', { user: user.id }),
                        },
                        {
                            label: isMe ? "Delete (you can't delete your own account)" : 'Delete…',
                            icon: <Icon name="trash" size={18} />,
                            danger: true,
                            disabled: isMe,
                            onSelect: onDelete,
                        },
                    ]}
                />
            </div>
        </li>
    );
}

export function Users({ place }: { place: Place }) {
    const { user: me } = useSession();
    const [open, setOpen] = useState<Open>(null);
    const group = place.get('group');
    const rows = useRows('users', { search: place.get('search'), ...filters[group] });
    const remove = useRemoval('users');
    const close = () => setOpen(null);

    function askToDelete(user: Account): void {
        void remove({
            id: user.id,
            name: nameOf(user),
            question: (now) => ({
                title: now ? `${nameOf(now)} has changed. Delete anyway?` : `Delete ${nameOf(user)}?`,
                body: `${(now ?? user).email} will be deleted with all photos, identities and pictures. You can't undo this. To keep them, deactivate the user instead.`,
                action: 'Delete',
                danger: true,
            }),
        });
    }

    return (
        <>
            <div className="toolbar">
                <SearchField
                    label="Search users"
                    value={place.get('search')}
                    onChange={(words) => place.filter('search', words)}
                />
                <FilterField
                    label="Show"
                    value={group}
                    options={groups}
                    onChange={(value) => place.filter('group', value)}
                />
                <div className="toolbar-end">
                    <Button tone="primary" icon={<Icon name="plus" />} onClick={() => setOpen({ what: 'new' })}>
                        New user
                    </Button>
                </div>
            </div>
            <RowList
                label="Users"
                rows={rows}
                nouns="users"
                isFiltered={place.isFiltered}
                onClearFilter={place.clear}
                icon="people"
                skeleton="admin-skeleton-user"
                empty={<p>Create the first one with “New user”.</p>}
            >
                {(user) => (
                    <UserRow
                        key={user.id}
                        user={user}
                        isMe={user.id === me.id}
                        place={place}
                        onOpen={setOpen}
                        onDelete={() => askToDelete(user)}
                    />
                )}
            </RowList>
            {(open?.what === 'edit' || open?.what === 'new') && (
                <UserDialog
                    user={open.what === 'edit' ? open.user : null}
                    isMe={open.what === 'edit' && open.user.id === me.id}
                    onClose={close}
                    onSaved={(user) => {
                        close();
                        notify({
                            tone: 'success',
                            title: open.what === 'new' ? `${nameOf(user)} is created.` : `${nameOf(user)} is saved.`,
                        });
                    }}
                />
            )}
            {open?.what === 'password' && (
                <PasswordDialog
                    user={open.user}
                    onClose={close}
                    onSaved={(user) => {
                        close();
                        notify({
                            tone: 'success',
                            title: `${nameOf(user)} has a new password.`,
                            detail: 'All sessions of this user have ended.',
                        });
                    }}
                />
            )}
        </>
    );
}
