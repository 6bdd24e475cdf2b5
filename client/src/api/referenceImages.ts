// referenceImages.ts - API calls for a user's photos. Staff pass the user.
import { request, upload } from './client';
import type { ReferenceImage } from './types';

export function listReferenceImages(userId: string, signal?: AbortSignal): Promise<ReferenceImage[]> {
    return request<ReferenceImage[]>('GET', 'reference-images/', { query: { user_id: userId }, signal });
}

export interface UploadRequest {
    userId: string;
    order: number;
    file: File;
    /** The photo whose picture is added or replaced. Without it, a new photo is created in the slot. */
    imageId: string | null;
    /** The version of the photo on screen. Only this version is replaced. */
    etag?: string;
    key: string;
    signal: AbortSignal;
    onProgress: (sent: number) => void;
}

/** "Me at the sea" for "Me at the sea.jpg"; empty for the default names of clipboard pictures. */
export function labelOf(fileName: string): string {
    const label = fileName
        .replace(/\.[^.]*$/, '')
        .trim()
        .slice(0, 255);

    return /^(image|blob|clipboard)?$/i.test(label) ? '' : label;
}

/** Adds a picture to a slot. */
export function uploadReferenceImage({
    userId,
    order,
    file,
    imageId,
    etag,
    key,
    signal,
    onProgress,
}: UploadRequest): Promise<ReferenceImage> {
    const form = new FormData();

    if (!imageId) {
        form.set('user_id', userId);
        form.set('order', String(order));
        form.set('name', labelOf(file.name));
    }
    form.set('image', file);
    return upload<ReferenceImage>(imageId ? `reference-images/${imageId}/upload-image/` : 'reference-images/', {
        query: imageId ? { user_id: userId } : {},
        form,
        headers: etag ? { 'If-Match': etag } : {},
        idempotencyKey: key,
        signal,
        onProgress,
    });
}

export function deleteReferenceImage(userId: string, id: string): Promise<void> {
    return request<void>('DELETE', `reference-images/${id}/`, { query: { user_id: userId } });
}

/** Moves a photo to another slot. A photo in that slot moves to this photo's slot. */
export function moveReferenceImage(userId: string, id: string, order: number): Promise<ReferenceImage> {
    return request<ReferenceImage>('PATCH', `reference-images/${id}/`, {
        query: { user_id: userId, swap: true },
        json: { order },
    });
}
