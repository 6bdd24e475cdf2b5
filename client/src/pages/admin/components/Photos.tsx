// Photos.tsx - list of the reference images of all users.
import { useRef, useState } from 'react';
import { keys } from '../../../api/queryKeys';
import type { ReferenceImage } from '../../../api/types';
import { Button, IconButton } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { Menu } from '../../../components/Menu';
import { PictureImage } from '../../../components/PictureImage';
import { Time } from '../../../components/Time';
import { useAccount, UserName } from '../../../components/UserName';
import { photoName, useArrivals, useLimits, usePhotoRemoval, usePutPicture } from '../hooks/use-photos';
import type { Place } from '../hooks/use-place';
import { useRows } from '../hooks/use-rows';
import { UserField } from './fields';
import { NewPhotoDialog } from './NewPhotoDialog';
import { PhotoDialog } from './PhotoDialog';
import { FilterField, RowList, SearchField } from './RowList';
import { UploadFailure } from './UploadFailure';

const withPicture = [
    { value: '', label: 'All' },
    { value: 'true', label: 'With a picture' },
    { value: 'false', label: 'Without a picture' },
];

function PhotoCard({ photo, place, onEdit }: { photo: ReferenceImage; place: Place; onEdit: () => void }) {
    const input = useRef<HTMLInputElement>(null);
    const upload = useArrivals(photo.user).get(photo.order);
    const { accept } = useLimits();
    const put = usePutPicture();
    const remove = usePhotoRemoval();
    const { data: owner } = useAccount(photo.user);
    const name = photoName(photo);
    const label = `${name} of ${owner?.email ?? 'a user'}`;

    return (
        <li className="card admin-photo">
            <input
                ref={input}
                type="file"
                accept={accept}
                hidden
                aria-label={`Picture for ${label}`}
                onChange={(event) => {
                    const file = event.target.files?.[0];

                    if (file) {
                        void put({ userId: photo.user, order: photo.order, file, seen: photo, label });
                    }
                    event.target.value = '';
                }}
            />
            <div className="admin-photo-frame">
                {photo.image ? (
                    <PictureImage
                        src={photo.image.medium}
                        alt={label}
                        stale={keys.adminRows('reference-images')}
                        loading="lazy"
                    />
                ) : (
                    <span className="admin-photo-none">
                        <Icon name="picture" size={32} />
                        No picture yet
                    </span>
                )}
                {upload && !upload.error && (
                    <span className="admin-photo-sending" role="status">
                        Uploading {Math.floor(upload.sent * 100)} %
                    </span>
                )}
            </div>
            <div className="admin-photo-line">
                <h2 className="admin-name">{name}</h2>
                <Menu
                    label={`More about ${label}`}
                    trigger={
                        <IconButton size="small" label={`More about ${label}`} icon={<Icon name="more" size={18} />} />
                    }
                    actions={[
                        {
                            label: photo.image ? 'Replace…' : 'Add picture…',
                            icon: <Icon name="replace" size={18} />,
                            onSelect: () => input.current?.click(),
                        },
                        { label: 'Name and slot…', icon: <Icon name="edit" size={18} />, onSelect: onEdit },
                        {
                            label: 'Only this user',
                            icon: <Icon name="user" size={18} />,
                            onSelect: () => place.filter('user', photo.user),
                        },
                        {
                            label: 'Delete…',
                            icon: <Icon name="trash" size={18} />,
                            danger: true,
                            onSelect: () => void remove(photo, owner?.email ?? 'a user'),
                        },
                    ]}
                />
            </div>
            <p className="admin-email">
                <UserName id={photo.user} />
            </p>
            <p className="hint">
                Slot {photo.order + 1} · <Time at={photo.created_at} />
            </p>
            {upload?.error && <UploadFailure upload={upload} />}
        </li>
    );
}

export function Photos({ place }: { place: Place }) {
    const [edited, setEdited] = useState<ReferenceImage | null>(null);
    const [isAdding, setAdding] = useState(false);
    const user = place.get('user');
    const rows = useRows('reference-images', {
        search: place.get('search'),
        user_id: user,
        has_image: place.get('image'),
    });

    return (
        <>
            <div className="toolbar">
                <SearchField
                    label="Search reference images"
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
                    label="Show"
                    value={place.get('image')}
                    options={withPicture}
                    onChange={(value) => place.filter('image', value)}
                />
                <div className="toolbar-end">
                    <Button tone="primary" icon={<Icon name="plus" />} onClick={() => setAdding(true)}>
                        Add a photo
                    </Button>
                </div>
            </div>
            <RowList
                label="Reference images"
                rows={rows}
                nouns="reference images"
                isFiltered={place.isFiltered}
                onClearFilter={place.clear}
                icon="picture"
                className="admin-photo-grid"
                skeleton="admin-skeleton-photo"
                empty={<p>Use “Add a photo”, or add one to a user under Users.</p>}
            >
                {(photo) => <PhotoCard key={photo.id} photo={photo} place={place} onEdit={() => setEdited(photo)} />}
            </RowList>
            {edited && <PhotoDialog photo={edited} onClose={() => setEdited(null)} />}
            {isAdding && <NewPhotoDialog userId={user || null} onClose={() => setAdding(false)} />}
        </>
    );
}
