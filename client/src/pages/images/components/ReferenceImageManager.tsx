// ReferenceImageManager.tsx - the five slots, and pictures dropped or pasted anywhere on the page.
import { useEffect, useRef, useState } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import type { UseQueryResult } from '@tanstack/react-query';
import { keys } from '../../../api/queryKeys';
import { confirm, notify } from '../../../components/notify';
import { ErrorNotice } from '../../../components/ErrorNotice';
import { Skeleton } from '../../../components/Skeleton';
import { Icon } from '../../../components/Icon';
import type { AvailableUser, GenerationLimits, ReferenceImage } from '../../../api/types';
import { useDeleteReferenceImage, useMoveReferenceImage } from '../hooks/use-reference-images';
import type { Settings } from '../settings';
import { cancelUpload, megabytes, retryUpload, startUpload, useUploads } from '../uploads';
import { ReferenceImageSlot } from './ReferenceImageSlot';

const SLOTS = 5;

interface ReferenceImageManagerProps {
    user: AvailableUser;
    photos: UseQueryResult<ReferenceImage[]>;
    limits: GenerationLimits | undefined;
    settings: Settings;
}

const formatNames: Readonly<Record<string, string>> = {
    'image/jpeg': 'JPEG',
    'image/png': 'PNG',
    'image/webp': 'WebP',
    'image/gif': 'GIF',
    'image/heic': 'HEIC',
    'image/avif': 'AVIF',
};

function limitsInWords(limits: GenerationLimits): string {
    const names = limits.formats.map((format) => formatNames[format] ?? format);
    const last = names.pop();

    return `${names.join(', ')} or ${last}, up to ${megabytes(limits.max_upload)} and ${Math.round(limits.max_pixels / 1e6)} megapixels.`;
}

/** The pictures in a drop or paste. */
function filesOf(data: DataTransfer | null): File[] {
    return Array.from(data?.files ?? []);
}

function slotOf(element: Element | null | undefined): number | null {
    const slot = element?.closest<HTMLElement>('[data-slot]')?.dataset.slot;

    return slot === undefined ? null : Number(slot);
}

function isTextField(element: Element | null): boolean {
    return (
        element instanceof HTMLTextAreaElement ||
        (element instanceof HTMLInputElement && !['checkbox', 'radio', 'file'].includes(element.type))
    );
}

export function ReferenceImageManager({ user, photos, limits, settings }: ReferenceImageManagerProps) {
    const slots = limits?.slots ?? SLOTS;
    const client = useQueryClient();
    const uploads = useUploads(user.id);
    const remove = useDeleteReferenceImage(user.id);
    const move = useMoveReferenceImage(user.id);
    const [said, setSaid] = useState('');
    const [isDropping, setDropping] = useState(false);
    const list = useRef<HTMLUListElement>(null);
    const at = (order: number) => photos.data?.find((photo) => photo.order === order);

    // One file goes to the target slot; several go to the target slot and the free slots.
    function put(files: readonly File[], wanted: number | null): void {
        const free = Array.from({ length: slots }, (_, order) => order).filter(
            (order) => order !== wanted && !at(order)?.image && !uploads.has(order),
        );
        const places = wanted === null ? free : [wanted, ...free];

        if (!photos.data) {
            return;
        }
        files.slice(0, places.length).forEach((file, i) => {
            const order = places[i]!;

            startUpload({
                userId: user.id,
                order,
                file,
                imageId: at(order)?.id ?? null,
                maxUpload: limits?.max_upload ?? Infinity,
            });
        });
        if (files.length > places.length) {
            notify({
                tone: 'error',
                title: places.length
                    ? `${files.length - places.length} of ${files.length} pictures did not fit.`
                    : 'All slots are in use.',
                detail: `A user has at most ${slots} photos. Replace or delete one first.`,
            });
        }
    }

    const latest = useRef(put);

    latest.current = put;
    useEffect(() => {
        const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
        const onPaste = (event: ClipboardEvent) => {
            const files = filesOf(event.clipboardData);
            const hovered = Array.from(document.querySelectorAll('[data-slot]')).find((slot) => slot.matches(':hover'));
            const slot = slotOf(document.activeElement) ?? slotOf(hovered);

            if (
                files.length &&
                !(isTextField(document.activeElement) && slot === null) &&
                !document.querySelector('[role=dialog], [role=alertdialog]')
            ) {
                event.preventDefault();
                latest.current(files, slot);
            }
        };
        const onOver = (event: DragEvent) => {
            if (hasFiles(event)) {
                event.preventDefault();
                setDropping(true);
            }
        };
        const onLeave = (event: DragEvent) => event.relatedTarget === null && setDropping(false);
        const onDrop = (event: DragEvent) => {
            setDropping(false);
            if (hasFiles(event)) {
                event.preventDefault();
                latest.current(filesOf(event.dataTransfer), slotOf(event.target as Element));
            }
        };

        document.addEventListener('paste', onPaste);
        document.addEventListener('dragover', onOver);
        document.addEventListener('dragleave', onLeave);
        document.addEventListener('drop', onDrop);
        return () => {
            document.removeEventListener('paste', onPaste);
            document.removeEventListener('dragover', onOver);
            document.removeEventListener('dragleave', onLeave);
            document.removeEventListener('drop', onDrop);
        };
    }, []);

    async function askAndRemove(photo: ReferenceImage): Promise<void> {
        const yes = await confirm({
            title: `Delete ${photo.name ? `“${photo.name}”` : `photo ${photo.order + 1}`}?`,
            body: 'Deletes the photo permanently. Pictures generated from it stay.',
            action: 'Delete photo',
            danger: true,
        });

        if (yes) {
            remove({ id: photo.id });
            setSaid(`Photo ${photo.order + 1} deleted.`);
            focusSlot(photo.order, '', null);
        }
    }

    // The focus moves with the photo, after the photo is rendered in its new slot.
    const pending = useRef<{ order: number; photo: string; action: string | null } | null>(null);

    /** Id of the photo that will be in the slot; '': none. */
    function focusSlot(order: number, photo: string, action: string | null): void {
        pending.current = { order, photo, action };
    }

    useEffect(() => {
        const wanted = pending.current;
        const slot = wanted && list.current?.querySelector<HTMLElement>(`[data-slot="${wanted.order}"]`);

        if (wanted && slot && slot.dataset.photo === wanted.photo) {
            const preferred =
                wanted.action &&
                slot.querySelector<HTMLElement>(`[data-action="${wanted.action}"]:not([aria-disabled=true])`);

            pending.current = null;
            (preferred || slot.querySelector<HTMLElement>('button:not([aria-disabled=true])'))?.focus();
        }
    });

    function moveTo(photo: ReferenceImage, order: number, action: string | null): void {
        if (order < 0 || order >= slots || order === photo.order || uploads.has(order) || uploads.has(photo.order)) {
            return;
        }
        move({ id: photo.id, order });
        setSaid(`Moved to slot ${order + 1}.`);
        if (action) {
            focusSlot(order, photo.id, action);
        }
    }

    // Start from the current slot: keys may be faster than rendering.
    function step(id: string, by: -1 | 1): void {
        const photo = client
            .getQueryData<ReferenceImage[]>(keys.referenceImagesOf(user.id))
            ?.find((one) => one.id === id);

        if (photo) {
            moveTo(photo, photo.order + by, by < 0 ? 'left' : 'right');
        }
    }

    return (
        <section className={`card images-photos ${isDropping ? 'images-dropping' : ''}`} aria-labelledby="photos-title">
            <div className="card-header">
                <h2 id="photos-title">
                    Reference images <span className="images-of">for {user.name}</span>
                </h2>
                <p className="hint" id="photos-limits">
                    {limits ? limitsInWords(limits) : ' '}
                </p>
            </div>
            {photos.error && !photos.data ? (
                <ErrorNotice
                    title="Couldn't load the photos."
                    error={photos.error}
                    onRetry={() => void photos.refetch()}
                />
            ) : (
                <ul className="slots" ref={list} aria-busy={photos.isPending}>
                    {Array.from({ length: slots }, (_, order) => (
                        <li key={order} className="slot-item">
                            {photos.isPending ? (
                                <Skeleton className="slot-skeleton" />
                            ) : (
                                <ReferenceImageSlot
                                    order={order}
                                    slots={slots}
                                    photo={at(order)}
                                    upload={uploads.get(order)}
                                    userId={user.id}
                                    accept={limits?.formats.join() ?? 'image/*'}
                                    isAlong={at(order) ? settings.goesAlong(at(order)!.id) : false}
                                    onAlong={(along) => settings.setAlong(at(order)!.id, along)}
                                    onFiles={(files) => put(files, order)}
                                    onDelete={() => void askAndRemove(at(order)!)}
                                    onMove={(by) => step(at(order)!.id, by)}
                                    onDropPhoto={(id) => {
                                        const photo = photos.data?.find((one) => one.id === id);

                                        if (photo) {
                                            moveTo(photo, order, null);
                                        }
                                    }}
                                    onCancel={() => {
                                        cancelUpload(user.id, order);
                                        focusSlot(order, at(order)?.image ? at(order)!.id : '', null);
                                    }}
                                    onRetry={() => retryUpload(user.id, order)}
                                />
                            )}
                        </li>
                    ))}
                </ul>
            )}
            <p className="hint images-how">
                <Icon name="info" size={16} />
                <span>
                    Click a slot, drop pictures anywhere on this page, or paste one into the slot under the pointer.
                    Drag photos or use the arrows to reorder them.
                </span>
            </p>
            <p className="visually-hidden" role="status">
                {said}
            </p>
        </section>
    );
}
