// ReferenceImageSlot.tsx - one of the five slots: empty, filled or uploading.
import { useEffect, useRef, useState } from 'react';
import type { DragEvent } from 'react';
import { Button, IconButton } from '../../../components/Button';
import { Icon, Spinner } from '../../../components/Icon';
import { PictureImage } from '../../../components/PictureImage';
import { keys } from '../../../api/queryKeys';
import type { ReferenceImage } from '../../../api/types';
import type { Upload } from '../uploads';

const DRAGGED = 'application/x-identityimg-photo';

interface ReferenceImageSlotProps {
    order: number;
    slots: number;
    userId: string;
    photo: ReferenceImage | undefined;
    upload: Upload | undefined;
    accept: string;
    /** Whether the next generation uses the photo. */
    isAlong: boolean;
    onAlong: (along: boolean) => void;
    onFiles: (files: File[]) => void;
    onDelete: () => void;
    /** Moves the photo one slot to the left or right. */
    onMove: (by: -1 | 1) => void;
    onDropPhoto: (id: string) => void;
    onCancel: () => void;
    onRetry: () => void;
}

function LocalPreview({ upload }: { upload: Upload }) {
    const [unreadable, setUnreadable] = useState(false);

    // The server reads formats that not every browser displays, such as HEIC.
    return unreadable ? (
        <span className="slot-file">
            <Icon name="picture" size={28} />
            {upload.file.name}
        </span>
    ) : (
        <img
            className="slot-picture"
            src={upload.preview}
            alt=""
            onError={() => setUnreadable(true)}
            draggable={false}
        />
    );
}

function UploadState({
    upload,
    order,
    onCancel,
    onRetry,
}: Pick<ReferenceImageSlotProps, 'order' | 'onCancel' | 'onRetry'> & { upload: Upload }) {
    const percent = Math.floor(upload.sent * 100);
    const label = `Photo ${order + 1}`;
    const bar = useRef<HTMLSpanElement>(null);

    useEffect(() => {
        bar.current?.style.setProperty('--sent', `${percent}%`);
    }, [percent]);
    if (upload.error) {
        return (
            <div className="slot-failed">
                <p role="alert">
                    <Icon name="warning" size={18} />
                    <span>{upload.error.detail}</span>
                </p>
                <div className="slot-failed-actions">
                    <Button size="small" aria-label={`${label}: try again`} onClick={onRetry}>
                        Try again
                    </Button>
                    <Button size="small" tone="quiet" aria-label={`${label}: close`} onClick={onCancel}>
                        Close
                    </Button>
                </div>
            </div>
        );
    }
    return (
        <div className="slot-sending">
            <p className="slot-sending-words">
                {percent < 100 ? (
                    `Uploading ${percent} %`
                ) : (
                    <>
                        <Spinner size={14} />
                        Preparing
                    </>
                )}
            </p>
            <span
                className="slot-bar"
                ref={bar}
                role="progressbar"
                aria-label={`${label}: upload`}
                aria-valuemin={0}
                aria-valuemax={100}
                aria-valuenow={percent}
                aria-valuetext={percent < 100 ? `${percent} %` : 'processing'}
            />
            <Button size="small" aria-label={`${label}: cancel the upload`} onClick={onCancel}>
                Cancel
            </Button>
        </div>
    );
}

export function ReferenceImageSlot(props: ReferenceImageSlotProps) {
    const { order, slots, userId, photo, upload, accept, isAlong, onAlong, onFiles, onDelete, onMove, onDropPhoto } =
        props;
    const input = useRef<HTMLInputElement>(null);
    const [isOver, setOver] = useState(false);
    const picture = photo?.image ?? null;
    const name = photo?.name || `photo ${order + 1}`;
    const choose = () => input.current?.click();

    const drop = {
        onDragOver: (event: DragEvent) => {
            if (event.dataTransfer.types.includes(DRAGGED) || event.dataTransfer.types.includes('Files')) {
                event.preventDefault();
                setOver(true);
            }
        },
        onDragLeave: (event: DragEvent) =>
            !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false),
        // Let the page handle dropped files; it knows the slot.
        onDrop: (event: DragEvent) => {
            const id = event.dataTransfer.getData(DRAGGED);

            setOver(false);
            if (id) {
                event.preventDefault();
                onDropPhoto(id);
            }
        },
    };

    return (
        <div
            className={`slot ${isOver ? 'slot-over' : ''} ${picture && !isAlong && !upload ? 'slot-left' : ''}`}
            data-slot={order}
            data-photo={picture ? photo!.id : ''}
            role="group"
            aria-label={`Slot ${order + 1}${picture ? `: ${name}` : ', empty'}`}
            {...drop}
        >
            <input
                ref={input}
                type="file"
                accept={accept}
                hidden
                aria-label={`Picture for slot ${order + 1}`}
                onChange={(event) => {
                    onFiles(Array.from(event.target.files ?? []));
                    event.target.value = '';
                }}
            />
            <div className="slot-frame">
                {upload && !upload.error && <LocalPreview upload={upload} />}
                {picture && (!upload || upload.error) && (
                    <div
                        className="slot-photo"
                        draggable={!upload}
                        onDragStart={(event) => {
                            event.dataTransfer.setData(DRAGGED, photo!.id);
                            event.dataTransfer.effectAllowed = 'move';
                        }}
                    >
                        <PictureImage
                            className="slot-picture"
                            src={picture.medium}
                            alt={`Photo ${order + 1}${photo!.name ? `: ${photo!.name}` : ''}`}
                            stale={keys.referenceImagesOf(userId)}
                            fetchPriority="high"
                        />
                    </div>
                )}
                {!picture && !upload && (
                    <button type="button" className="slot-empty" aria-describedby="photos-limits" onClick={choose}>
                        <Icon name="plus" size={26} />
                        <span>
                            Add photo<span className="visually-hidden"> to slot {order + 1}</span>
                        </span>
                    </button>
                )}
                {picture && !upload && (
                    <div className="slot-actions">
                        <div className="slot-actions-row">
                            <IconButton
                                size="small"
                                tone="default"
                                data-action="left"
                                label={`Move ${name} left`}
                                icon={<Icon name="left" size={18} />}
                                aria-disabled={order === 0 || undefined}
                                onClick={() => onMove(-1)}
                            />
                            <IconButton
                                size="small"
                                tone="default"
                                data-action="right"
                                label={`Move ${name} right`}
                                icon={<Icon name="right" size={18} />}
                                aria-disabled={order === slots - 1 || undefined}
                                onClick={() => onMove(1)}
                            />
                        </div>
                        <div className="slot-actions-row">
                            <Button
                                size="small"
                                icon={<Icon name="replace" size={16} />}
                                aria-label={`Replace ${name}`}
                                aria-describedby="photos-limits"
                                onClick={choose}
                            >
                                Replace
                            </Button>
                            <IconButton
                                size="small"
                                tone="default"
                                label={`Delete ${name}`}
                                icon={<Icon name="trash" size={16} />}
                                onClick={onDelete}
                                className="slot-delete"
                            />
                        </div>
                    </div>
                )}
                {upload && <UploadState {...props} upload={upload} />}
            </div>
            <div className="slot-foot">
                {picture ? (
                    <label className="check">
                        <input type="checkbox" checked={isAlong} onChange={(event) => onAlong(event.target.checked)} />
                        <span className="slot-name">
                            Use this photo
                            <span className="visually-hidden">: {name}</span>
                        </span>
                    </label>
                ) : (
                    <span className="hint">Slot {order + 1}</span>
                )}
            </div>
        </div>
    );
}
