// uploads.ts - uploads to slots. They continue while the user visits another page.
import { useSyncExternalStore } from 'react';
import { ApiError, isAborted, newKey } from '../../api/client';
import { queryClient } from '../../api/queryClient';
import { keys } from '../../api/queryKeys';
import { uploadReferenceImage } from '../../api/referenceImages';
import type { ReferenceImage } from '../../api/types';

export interface Upload {
    userId: string;
    order: number;
    file: File;
    imageId: string | null;
    /** The version of the photo that may be replaced; without it, any version. */
    etag?: string;
    /** Object URL of the file, for a preview. */
    preview: string;
    /** From 0 to 1; at 1 the server processes the file. */
    sent: number;
    error: ApiError | null;
}

interface Entry {
    upload: Upload;
    controller: AbortController;
    key: string;
}

const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();
let snapshot: readonly Upload[] = [];

// Closing the page would abort uploads, so the browser asks.
function hold(event: BeforeUnloadEvent): void {
    event.preventDefault();
}

function tell(): void {
    if (Array.from(entries.values()).some(({ upload }) => !upload.error)) {
        addEventListener('beforeunload', hold);
    } else {
        removeEventListener('beforeunload', hold);
    }
    snapshot = Array.from(entries.values(), (entry) => entry.upload);
    listeners.forEach((listener) => listener());
}

function nameOf(userId: string, order: number): string {
    return `${userId} ${order}`;
}

function change(name: string, entry: Entry, upload: Partial<Upload>): void {
    if (entries.get(name) === entry) {
        entry.upload = { ...entry.upload, ...upload };
        tell();
    }
}

function drop(name: string, entry: Entry): void {
    if (entries.get(name) === entry) {
        entries.delete(name);
        URL.revokeObjectURL(entry.upload.preview);
        tell();
    }
}

/** Adds a photo to a cached list, or replaces its older version there. */
export function rememberPhoto(photo: ReferenceImage): void {
    queryClient.setQueryData<ReferenceImage[]>(keys.referenceImagesOf(photo.user), (photos) =>
        [...(photos ?? []).filter((one) => one.id !== photo.id && one.order !== photo.order), photo].sort(
            (one, other) => one.order - other.order,
        ),
    );
}

// Load the server's picture before the preview is removed, so that the slot does not flicker.
async function settle(photo: ReferenceImage): Promise<void> {
    const picture = new Image();

    picture.src = photo.image?.medium ?? '';
    await Promise.race([picture.decode().catch(() => undefined), new Promise((done) => setTimeout(done, 2000))]);
    await queryClient.cancelQueries({ queryKey: keys.referenceImagesOf(photo.user) });
    rememberPhoto(photo);
}

async function run(name: string, entry: Entry): Promise<void> {
    const { userId, order, file, imageId, etag } = entry.upload;

    try {
        const photo = await uploadReferenceImage({
            userId,
            order,
            file,
            imageId,
            etag,
            key: entry.key,
            signal: entry.controller.signal,
            onProgress: (sent) => change(name, entry, { sent }),
        });

        await settle(photo);
        drop(name, entry);
    } catch (error) {
        if (isAborted(error)) {
            drop(name, entry);
            // The server may store the picture anyway if the upload was complete.
            setTimeout(() => void queryClient.invalidateQueries({ queryKey: keys.referenceImagesOf(userId) }), 3000);
        } else {
            change(name, entry, {
                error: error instanceof ApiError ? error : new ApiError(0, 'network', String(error)),
            });
        }
    }
    // The cached list may be outdated: the slot may be in use, or a response may be lost.
    void queryClient.invalidateQueries({ queryKey: keys.referenceImagesOf(userId) });
}

export interface NewUpload {
    userId: string;
    order: number;
    file: File;
    imageId: string | null;
    etag?: string;
    /** Maximum size in bytes. */
    maxUpload: number;
}

/** Starts an upload to a slot. Cancels a running upload to the same slot. */
export function startUpload({ maxUpload, ...wanted }: NewUpload): void {
    const name = nameOf(wanted.userId, wanted.order);
    const tooLarge =
        wanted.file.size > maxUpload
            ? new ApiError(
                  413,
                  'upload_too_large',
                  `This picture has ${megabytes(wanted.file.size)}. The limit is ${megabytes(maxUpload)}.`,
              )
            : null;
    const entry: Entry = {
        upload: { ...wanted, preview: URL.createObjectURL(wanted.file), sent: 0, error: tooLarge },
        controller: new AbortController(),
        key: newKey(),
    };

    cancelUpload(wanted.userId, wanted.order);
    entries.set(name, entry);
    tell();
    if (!tooLarge) {
        void run(name, entry);
    }
}

/** "25 MB", "1.5 MB", "340 kB". */
export function megabytes(bytes: number): string {
    const number = bytes / 1048576;

    return number < 1
        ? `${Math.ceil(bytes / 1024)} kB`
        : `${number < 10 ? Math.ceil(number * 10) / 10 : Math.round(number)} MB`;
}

/** Retries a failed upload. */
export function retryUpload(userId: string, order: number): void {
    const name = nameOf(userId, order);
    const entry = entries.get(name);

    if (entry?.upload.error) {
        // The server keeps a refusal under its key. Reuse the key only if there was no response.
        entry.key = entry.upload.error.isTransient ? entry.key : newKey();
        change(name, entry, { error: null, sent: 0 });
        void run(name, entry);
    }
}

/** Cancels an upload or dismisses a failed one. */
export function cancelUpload(userId: string, order: number): void {
    const name = nameOf(userId, order);
    const entry = entries.get(name);

    if (entry) {
        drop(name, entry);
        entry.controller.abort();
    }
}

function subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

/** A user's running and failed uploads, by slot. */
export function useUploads(userId: string): ReadonlyMap<number, Upload> {
    const uploads = useSyncExternalStore(subscribe, () => snapshot);

    return new Map(uploads.filter((one) => one.userId === userId).map((one) => [one.order, one]));
}
