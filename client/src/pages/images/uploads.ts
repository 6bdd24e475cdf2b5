// uploads.ts - pictures on their way into slots: they go on while one looks at another user, or another page.
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
    /** The version of that photo that may be replaced; without, any. */
    etag?: string;
    /** The file itself, to be shown at once. */
    preview: string;
    /** From 0 to 1; 1: the server is at work with it. */
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

// Leaving the pages would end what is on its way: the browser asks.
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

/** Puts a photo among a user's, in the place of an older state of it. */
export function rememberPhoto(photo: ReferenceImage): void {
    queryClient.setQueryData<ReferenceImage[]>(keys.referenceImagesOf(photo.user), (photos) =>
        [...(photos ?? []).filter((one) => one.id !== photo.id && one.order !== photo.order), photo].sort(
            (one, other) => one.order - other.order,
        ),
    );
}

// So that the slot does not flicker: the server's picture is there before ours goes.
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
            // What had left this machine by then may be stored all the same.
            setTimeout(() => void queryClient.invalidateQueries({ queryKey: keys.referenceImagesOf(userId) }), 3000);
        } else {
            change(name, entry, {
                error: error instanceof ApiError ? error : new ApiError(0, 'network', String(error)),
            });
        }
    }
    // Whatever this page believes: the slot may have been taken, or the last word been lost.
    void queryClient.invalidateQueries({ queryKey: keys.referenceImagesOf(userId) });
}

export interface NewUpload {
    userId: string;
    order: number;
    file: File;
    imageId: string | null;
    etag?: string;
    /** The most bytes that the server takes. */
    maxUpload: number;
}

/** Begins an upload into a slot; one that is under way there is given up. */
export function startUpload({ maxUpload, ...wanted }: NewUpload): void {
    const name = nameOf(wanted.userId, wanted.order);
    const tooLarge =
        wanted.file.size > maxUpload
            ? new ApiError(
                  413,
                  'upload_too_large',
                  `This picture has ${megabytes(wanted.file.size)}. At most ${megabytes(maxUpload)} are taken.`,
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

/** Tries again what has failed; the server takes it for the same attempt. */
export function retryUpload(userId: string, order: number): void {
    const name = nameOf(userId, order);
    const entry = entries.get(name);

    if (entry?.upload.error) {
        // A refusal is kept under its key; only what had no answer goes on under the old one.
        entry.key = entry.upload.error.isTransient ? entry.key : newKey();
        change(name, entry, { error: null, sent: 0 });
        void run(name, entry);
    }
}

/** Gives up an upload, or forgets one that failed. */
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

/** What is on its way, or has failed, for a user, by slot. */
export function useUploads(userId: string): ReadonlyMap<number, Upload> {
    const uploads = useSyncExternalStore(subscribe, () => snapshot);

    return new Map(uploads.filter((one) => one.userId === userId).map((one) => [one.order, one]));
}
