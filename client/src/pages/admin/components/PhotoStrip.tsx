// PhotoStrip.tsx - a user's five slots as thumbnails: add, replace and delete photos.
import { useRef, useState } from 'react';
import type { DragEvent } from 'react';
import { sentence } from '../../../api/client';
import { keys } from '../../../api/queryKeys';
import type { ReferenceImage } from '../../../api/types';
import { Icon, Spinner } from '../../../components/Icon';
import { Menu } from '../../../components/Menu';
import { PictureImage } from '../../../components/PictureImage';
import { Skeleton } from '../../../components/Skeleton';
import { useKeepFocus } from '../../../components/useKeepFocus';
import { useReferenceImages } from '../../images/hooks/use-reference-images';
import { cancelUpload, useUploads } from '../../images/uploads';
import type { Upload } from '../../images/uploads';
import { useInView } from '../hooks/use-in-view';
import { useLimits, usePhotoRemoval, usePutPicture } from '../hooks/use-photos';
import { PhotoDialog } from './PhotoDialog';
import { UploadFailure } from './UploadFailure';

const SLOTS = 5;
const slots = Array.from({ length: SLOTS }, (_, order) => order);

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
    const place = useKeepFocus<HTMLLIElement>(`${photo?.id} ${Boolean(upload)}`);
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
    const shown = picture ? (
        <PictureImage
            src={picture.thumbnail}
            alt=""
            stale={keys.referenceImagesOf(userId)}
            loading="lazy"
            className="admin-thumb"
        />
    ) : (
        <Icon name="picture" />
    );

    return (
        <li ref={place} className={`admin-slot ${isOver ? 'admin-slot-over' : ''}`} {...drop}>
            <input
                ref={input}
                type="file"
                accept={accept}
                hidden
                aria-label={`Picture for slot ${order + 1} of ${userName}`}
                onChange={(event) => {
                    const file = event.target.files?.[0];

                    if (file) {
                        onFile(file);
                    }
                    event.target.value = '';
                }}
            />
            {upload && !upload.error && (
                <button
                    type="button"
                    className="admin-slot-button"
                    aria-label={`${label}: cancel the upload`}
                    title={`${Math.floor(upload.sent * 100)} %`}
                    onClick={() => cancelUpload(userId, order)}
                >
                    <Spinner />
                    <span className="admin-slot-percent">{Math.floor(upload.sent * 100)} %</span>
                </button>
            )}
            {(!upload || upload.error) && photo && (
                <Menu
                    label={label}
                    trigger={
                        <button
                            type="button"
                            className={`admin-slot-button ${upload?.error ? 'admin-slot-failed' : ''}`}
                            aria-label={label}
                            title={photo.name || `Photo ${order + 1}`}
                        >
                            {shown}
                        </button>
                    }
                    actions={[
                        {
                            label: picture ? 'Replace…' : 'Add picture…',
                            icon: <Icon name="replace" size={18} />,
                            onSelect: choose,
                        },
                        { label: 'Name and slot…', icon: <Icon name="edit" size={18} />, onSelect: onEdit },
                        ...(picture
                            ? [
                                  {
                                      label: 'View full size',
                                      icon: <Icon name="zoom" size={18} />,
                                      onSelect: () => void window.open(picture.original, '_blank', 'noreferrer'),
                                  },
                              ]
                            : []),
                        { label: 'Delete…', icon: <Icon name="trash" size={18} />, danger: true, onSelect: onDelete },
                    ]}
                />
            )}
            {(!upload || upload.error) && !photo && (
                <button
                    type="button"
                    className={`admin-slot-button admin-slot-empty ${upload?.error ? 'admin-slot-failed' : ''}`}
                    aria-label={`Add photo ${order + 1} of ${userName}`}
                    title="Add a photo"
                    onClick={choose}
                >
                    <Icon name={upload?.error ? 'warning' : 'plus'} />
                </button>
            )}
        </li>
    );
}

export function PhotoStrip({ userId, name }: { userId: string; name: string }) {
    const [ref, isInView] = useInView<HTMLDivElement>();
    const photos = useReferenceImages(isInView ? userId : null);
    const uploads = useUploads(userId);
    const { accept } = useLimits();
    const put = usePutPicture();
    const remove = usePhotoRemoval();
    const [edited, setEdited] = useState<ReferenceImage | null>(null);
    const at = (order: number) => photos.data?.find((photo) => photo.order === order);

    return (
        <div ref={ref} className="admin-photos">
            {photos.error && !photos.data ? (
                <p className="field-error">
                    <Icon name="warning" size={16} />
                    {sentence(photos.error)}
                </p>
            ) : (
                <ul className="admin-slots" aria-label={`Photos of ${name}`} aria-busy={!photos.data}>
                    {slots.map((order) =>
                        photos.data ? (
                            <Slot
                                key={order}
                                order={order}
                                userId={userId}
                                userName={name}
                                photo={at(order)}
                                upload={uploads.get(order)}
                                accept={accept}
                                onFile={(file) =>
                                    void put({
                                        userId,
                                        order,
                                        file,
                                        seen: at(order),
                                        label: `Photo ${order + 1} of ${name}`,
                                    })
                                }
                                onEdit={() => setEdited(at(order) ?? null)}
                                onDelete={() => void remove(at(order)!, name)}
                            />
                        ) : (
                            <li key={order} className="admin-slot">
                                <Skeleton className="admin-skeleton-slot" />
                            </li>
                        ),
                    )}
                </ul>
            )}
            {[...uploads.values()]
                .filter((upload) => upload.error)
                .map((upload) => (
                    <UploadFailure key={upload.order} upload={upload} />
                ))}
            {edited && <PhotoDialog photo={edited} onClose={() => setEdited(null)} />}
        </div>
    );
}
