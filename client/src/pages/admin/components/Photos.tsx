// Photos.tsx - everybody's reference images as a list of their own.
import { useRef, useState } from 'react';
import { getRow } from '../../../api/admin';
import { sentence } from '../../../api/client';
import { keys } from '../../../api/queryKeys';
import type { ReferenceImage } from '../../../api/types';
import { Button, IconButton } from '../../../components/Button';
import { Icon } from '../../../components/Icon';
import { Menu } from '../../../components/Menu';
import { notify } from '../../../components/notify';
import { PictureImage } from '../../../components/PictureImage';
import { Time } from '../../../components/Time';
import { useAccount, UserName } from '../../../components/UserName';
import { cancelUpload, retryUpload, startUpload, useUploads } from '../../images/uploads';
import { photoName, usePhotoRemoval } from '../hooks/use-photos';
import type { Place } from '../hooks/use-place';
import { useRows } from '../hooks/use-rows';
import { UserField } from './fields';
import { NewPhotoDialog } from './NewPhotoDialog';
import { PhotoDialog } from './PhotoDialog';
import { useLimits } from './PhotoStrip';
import { FilterField, RowList, SearchField } from './RowList';

const withPicture = [
    { value: '', label: 'All' },
    { value: 'true', label: 'With a picture' },
    { value: 'false', label: 'Without a picture' },
];

function PhotoCard({ photo, place, onEdit }: { photo: ReferenceImage; place: Place; onEdit: () => void }) {
    const input = useRef<HTMLInputElement>(null);
    const upload = useUploads(photo.user).get(photo.order);
    const { accept, maxUpload } = useLimits();
    const remove = usePhotoRemoval();
    const { data: owner } = useAccount(photo.user);
    const name = photoName(photo);
    const label = `${name} of ${owner?.email ?? 'a user'}`;

    async function replace(file: File): Promise<void> {
        try {
            // The version that is replaced is the one that was seen.
            const now = await getRow('reference-images', photo.id);
            const isSeen = now.row.updated_at === photo.updated_at;

            startUpload({ userId: photo.user, order: photo.order, file, imageId: photo.id, etag: isSeen ? now.etag : '"0"', maxUpload });
        }
        catch (error) {
            notify({ tone: 'error', title: 'The photo could not be replaced.', detail: sentence(error) });
        }
    }

    return (
        <li className="card admin-photo">
            <input ref={input} type="file" accept={accept} hidden aria-label={`Picture for ${label}`} onChange={(event) => {
                const file = event.target.files?.[0];

                if (file) {
                    void replace(file);
                }
                event.target.value = '';
            }} />
            <div className="admin-photo-frame">
                {photo.image
                    ? <PictureImage src={photo.image.medium} alt={label} stale={keys.adminRows('reference-images')} loading="lazy" />
                    : <span className="admin-photo-none"><Icon name="picture" size={32} />No picture yet</span>}
                {upload && !upload.error && <span className="admin-photo-sending" role="status">Uploading {Math.floor(upload.sent * 100)} %</span>}
            </div>
            <div className="admin-photo-line">
                <h2 className="admin-name">{name}</h2>
                <Menu label={`More about ${label}`} trigger={<IconButton size="small" label={`More about ${label}`} icon={<Icon name="more" size={18} />} />} actions={[
                    { label: photo.image ? 'Replace…' : 'Add the picture…', icon: <Icon name="replace" size={18} />, onSelect: () => input.current?.click() },
                    { label: 'Name and slot…', icon: <Icon name="edit" size={18} />, onSelect: onEdit },
                    { label: 'Only this user', icon: <Icon name="user" size={18} />, onSelect: () => place.filter('user', photo.user) },
                    { label: 'Delete…', icon: <Icon name="trash" size={18} />, danger: true, onSelect: () => void remove(photo, owner?.email ?? 'a user') },
                ]} />
            </div>
            <p className="admin-email"><UserName id={photo.user} /></p>
            <p className="hint">Slot {photo.order + 1} · <Time at={photo.created_at} /></p>
            {upload?.error && (
                <div className="notice notice-error admin-slot-notice" role="alert">
                    <p className="notice-body">{upload.error.status === 412 ? 'Somebody else has changed it meanwhile. It is shown as it is now, and yours was not put in.' : upload.error.detail}</p>
                    <div className="row">
                        {upload.error.status === 412
                            ? <Button size="small" onClick={() => startUpload({ ...upload, etag: undefined, maxUpload })}>Replace it all the same</Button>
                            : <Button size="small" onClick={() => retryUpload(photo.user, photo.order)}>Try again</Button>}
                        <Button size="small" tone="quiet" onClick={() => cancelUpload(photo.user, photo.order)}>Close</Button>
                    </div>
                </div>
            )}
        </li>
    );
}

export function Photos({ place }: { place: Place }) {
    const [edited, setEdited] = useState<ReferenceImage | null>(null);
    const [isAdding, setAdding] = useState(false);
    const user = place.get('user');
    const rows = useRows('reference-images', { search: place.get('search'), user_id: user, has_image: place.get('image') });

    return (
        <>
            <div className="toolbar">
                <SearchField label="Search reference images" value={place.get('search')} onChange={(words) => place.filter('search', words)} />
                <div className="toolbar-filter"><UserField label="User" value={user || null} onChange={(id) => place.filter('user', id ?? '')} none="Everybody" /></div>
                <FilterField label="Show" value={place.get('image')} options={withPicture} onChange={(value) => place.filter('image', value)} />
                <div className="toolbar-end"><Button tone="primary" icon={<Icon name="plus" />} onClick={() => setAdding(true)}>Add a photo</Button></div>
            </div>
            <RowList label="Reference images" rows={rows} nouns="reference images" isFiltered={place.isFiltered} onClearFilter={place.clear} icon="picture"
                className="admin-photo-grid" skeleton="admin-skeleton-photo" empty={<p>Put one in with “Add a photo”, or at a user under Users.</p>}>
                {(photo) => <PhotoCard key={photo.id} photo={photo} place={place} onEdit={() => setEdited(photo)} />}
            </RowList>
            {edited && <PhotoDialog photo={edited} onClose={() => setEdited(null)} />}
            {isAdding && <NewPhotoDialog userId={user || null} onClose={() => setAdding(false)} />}
        </>
    );
}
