// PhotoStrip.tsx - a user's five slots as small pictures within his row: put in, replaced, deleted there.
import { useRef, useState } from 'react';
import type { DragEvent } from 'react';
import { useQuery } from '@tanstack/react-query';
import { getRow } from '../../../api/admin';
import { getOptions } from '../../../api/imageGeneration';
import { keys } from '../../../api/queryKeys';
import { sentence } from '../../../api/client';
import type { ReferenceImage } from '../../../api/types';
import { Button } from '../../../components/Button';
import { Icon, Spinner } from '../../../components/Icon';
import { Menu } from '../../../components/Menu';
import { confirm, notify } from '../../../components/notify';
import { PictureImage } from '../../../components/PictureImage';
import { Skeleton } from '../../../components/Skeleton';
import { useReferenceImages } from '../../images/hooks/use-reference-images';
import { cancelUpload, retryUpload, startUpload, useUploads } from '../../images/uploads';
import type { Upload } from '../../images/uploads';
import { useInView } from '../hooks/use-in-view';
import { usePhotoRemoval } from '../hooks/use-photos';
import { PhotoDialog } from './PhotoDialog';

const SLOTS = 5;
const slots = Array.from({ length: SLOTS }, (_, order) => order);

/** The limits of pictures, and what they are until the server has said so. */
export function useLimits() {
    const { data } = useQuery({ queryKey: keys.options, queryFn: ({ signal }) => getOptions(signal), staleTime: 5 * 60_000 });

    return { accept: data?.limits.formats.join(',') ?? 'image/*', maxUpload: data?.limits.max_upload ?? Infinity };
}

interface SlotProps {
    order: number;
    userName: string;
    userId: string;
    photo: ReferenceImage | undefined;
    upload: Upload | undefined;
    accept: string;
    onFile: (file: File) => void;
    onEdit: () => void;
    onDelete: () => void;
}

function Slot({ order, userName, userId, photo, upload, accept, onFile, onEdit, onDelete }: SlotProps) {
    const input = useRef<HTMLInputElement>(null);
    const [isOver, setOver] = useState(false);
    const picture = photo?.image ?? null;
    const label = `Photo ${order + 1} of ${userName}${photo?.name ? `: ${photo.name}` : ''}`;
    const choose = () => input.current?.click();
    const drop = {
        onDragOver: (event: DragEvent) => {
            if (event.dataTransfer.types.includes('Files')) {
                event.preventDefault();
                setOver(true);
            }
        },
        onDragLeave: () => setOver(false),
        onDrop: (event: DragEvent) => {
            const file = event.dataTransfer.files[0];

            event.preventDefault();
            setOver(false);
            if (file) {
                onFile(file);
            }
        },
    };
    const shown = picture
        ? <PictureImage src={picture.thumbnail} alt="" stale={keys.referenceImagesOf(userId)} loading="lazy" className="admin-thumb" />
        : <Icon name="picture" />;

    return (
        <li className={`admin-slot ${isOver ? 'admin-slot-over' : ''}`} {...drop}>
            <input ref={input} type="file" accept={accept} hidden aria-label={`Picture for slot ${order + 1} of ${userName}`} onChange={(event) => {
                const file = event.target.files?.[0];

                if (file) {
                    onFile(file);
                }
                event.target.value = '';
            }} />
            {upload && !upload.error && (
                <button type="button" className="admin-slot-button" aria-label={`${label}: cancel the upload`} title={`${Math.floor(upload.sent * 100)} %`}
                    onClick={() => cancelUpload(userId, order)}>
                    <Spinner /><span className="admin-slot-percent">{Math.floor(upload.sent * 100)} %</span>
                </button>
            )}
            {(!upload || upload.error) && photo && (
                <Menu label={label} trigger={<button type="button" className={`admin-slot-button ${upload?.error ? 'admin-slot-failed' : ''}`} aria-label={label} title={photo.name || `Photo ${order + 1}`}>{shown}</button>} actions={[
                    { label: picture ? 'Replace…' : 'Add the picture…', icon: <Icon name="replace" size={18} />, onSelect: choose },
                    { label: 'Name and slot…', icon: <Icon name="edit" size={18} />, onSelect: onEdit },
                    ...(picture ? [{ label: 'Open in full size', icon: <Icon name="zoom" size={18} />, onSelect: () => void window.open(picture.original, '_blank', 'noreferrer') }] : []),
                    { label: 'Delete…', icon: <Icon name="trash" size={18} />, danger: true, onSelect: onDelete },
                ]} />
            )}
            {(!upload || upload.error) && !photo && (
                <button type="button" className={`admin-slot-button admin-slot-empty ${upload?.error ? 'admin-slot-failed' : ''}`} aria-label={`Add photo ${order + 1} of ${userName}`} title="Add a photo" onClick={choose}>
                    <Icon name={upload?.error ? 'warning' : 'plus'} />
                </button>
            )}
        </li>
    );
}

interface FailureProps {
    upload: Upload;
    onReplace: () => void;
}

// The server's sentence stays until somebody has read it.
function Failure({ upload, onReplace }: FailureProps) {
    const { order, userId, error } = upload;
    const wasChanged = error?.status === 412;

    return (
        <div className="notice notice-error admin-slot-notice" role="alert">
            <p className="notice-body">Photo {order + 1}: {wasChanged ? 'Somebody else has changed it meanwhile. It is shown as it is now, and yours was not put in.' : error?.detail}</p>
            <div className="row">
                {wasChanged
                    ? <Button size="small" onClick={onReplace}>Replace it all the same</Button>
                    : <Button size="small" aria-label={`Photo ${order + 1}: try again`} onClick={() => retryUpload(userId, order)}>Try again</Button>}
                <Button size="small" tone="quiet" aria-label={wasChanged ? undefined : `Photo ${order + 1}: close`} onClick={() => cancelUpload(userId, order)}>{wasChanged ? 'Keep it as it is' : 'Close'}</Button>
            </div>
        </div>
    );
}

export function PhotoStrip({ userId, name }: { userId: string; name: string }) {
    const [ref, isInView] = useInView<HTMLDivElement>();
    const photos = useReferenceImages(isInView ? userId : null);
    const uploads = useUploads(userId);
    const { accept, maxUpload } = useLimits();
    const remove = usePhotoRemoval();
    const [edited, setEdited] = useState<ReferenceImage | null>(null);
    const at = (order: number) => photos.data?.find((photo) => photo.order === order);

    // What is replaced is what was seen: one that has become another meanwhile is not, unless one says so.
    async function put(order: number, file: File, seen = at(order)): Promise<void> {
        try {
            const now = seen && await getRow('reference-images', seen.id);

            if (now && now.row.updated_at !== seen.updated_at) {
                await photos.refetch();
                if (!await confirm({
                    title: `Photo ${order + 1} of ${name} was changed meanwhile`,
                    body: 'Somebody else has changed it. It is shown as it is now. Replace it all the same?', action: 'Replace it',
                })) {
                    return;
                }
            }
            startUpload({ userId, order, file, imageId: seen?.id ?? null, etag: now?.etag, maxUpload });
        }
        catch (error) {
            notify({ tone: 'error', title: 'The photo could not be replaced.', detail: sentence(error) });
            void photos.refetch();
        }
    }

    return (
        <div ref={ref} className="admin-photos">
            {photos.error && !photos.data
                ? <p className="field-error"><Icon name="warning" size={16} />{sentence(photos.error)}</p>
                : (
                    <ul className="admin-slots" aria-label={`Photos of ${name}`} aria-busy={!photos.data}>
                        {slots.map((order) => (photos.data
                            ? <Slot key={order} order={order} userId={userId} userName={name} photo={at(order)} upload={uploads.get(order)} accept={accept}
                                onFile={(file) => void put(order, file)} onEdit={() => setEdited(at(order) ?? null)} onDelete={() => void remove(at(order)!, name)} />
                            : <li key={order} className="admin-slot"><Skeleton className="admin-skeleton-slot" /></li>))}
                    </ul>
                )}
            {[...uploads.values()].filter((upload) => upload.error).map((upload) => (
                <Failure key={upload.order} upload={upload} onReplace={() => startUpload({ userId, order: upload.order, file: upload.file, imageId: at(upload.order)?.id ?? null, maxUpload })} />
            ))}
            {edited && <PhotoDialog photo={edited} onClose={() => setEdited(null)} />}
        </div>
    );
}
