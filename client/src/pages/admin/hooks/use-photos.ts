// use-photos.ts - add and delete photos of any user. A newer picture is never replaced without asking.
import { useEffect, useRef } from 'react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRow } from '../../../api/admin';
import { sentence } from '../../../api/client';
import { getOptions } from '../../../api/imageGeneration';
import { keys } from '../../../api/queryKeys';
import type { ReferenceImage } from '../../../api/types';
import { confirm, notify } from '../../../components/notify';
import { startUpload, useUploads } from '../../images/uploads';
import type { Upload } from '../../images/uploads';
import { refreshRows, useRemoval } from './use-rows';

/** Display name of a photo. */
export function photoName(photo: ReferenceImage): string {
    return photo.name || `Photo ${photo.order + 1}`;
}

/** Limits of pictures, with defaults until the server has sent them. */
export function useLimits() {
    const { data } = useQuery({
        queryKey: keys.options,
        queryFn: ({ signal }) => getOptions(signal),
        staleTime: 5 * 60_000,
    });

    return { accept: data?.limits.formats.join(',') ?? 'image/*', maxUpload: data?.limits.max_upload ?? Infinity };
}

export interface NewPicture {
    userId: string;
    order: number;
    file: File;
    /** The displayed photo whose picture is replaced. Without it, the slot is free. */
    seen: ReferenceImage | undefined;
    /** "Photo 1 of Sam", for a confirmation. */
    label: string;
}

/** Adds a picture to a slot. Asks first if the photo has changed since it was displayed. */
export function usePutPicture(): (picture: NewPicture) => Promise<void> {
    const client = useQueryClient();
    const { maxUpload } = useLimits();

    return async ({ userId, order, file, seen, label }) => {
        try {
            const now = seen && (await getRow('reference-images', seen.id));

            if (now && now.row.updated_at !== seen.updated_at) {
                await refreshRows(client, 'reference-images');
                if (
                    !(await confirm({
                        title: `${label} has changed`,
                        body: 'Another user changed this photo. The page shows its current state. Replace anyway?',
                        action: 'Replace',
                    }))
                ) {
                    return;
                }
            }
            startUpload({ userId, order, file, imageId: seen?.id ?? null, etag: now?.etag, maxUpload });
        } catch (error) {
            notify({ tone: 'error', title: "Couldn't replace the photo.", detail: sentence(error) });
            void refreshRows(client, 'reference-images');
        }
    };
}

/** Refetches lists of photos when an upload to one of a user's slots has finished. */
export function useArrivals(userId: string): ReadonlyMap<number, Upload> {
    const client = useQueryClient();
    const uploads = useUploads(userId);
    const before = useRef(0);

    useEffect(() => {
        if (uploads.size < before.current) {
            void client.invalidateQueries({ queryKey: keys.adminRows('reference-images') });
        }
        before.current = uploads.size;
    }, [client, uploads.size]);
    return uploads;
}

export function usePhotoRemoval(): (photo: ReferenceImage, userName: string) => Promise<void> {
    const client = useQueryClient();
    const remove = useRemoval('reference-images');

    return (photo, userName) => {
        const queryKey = keys.referenceImagesOf(photo.user);

        return remove({
            id: photo.id,
            name: `${photoName(photo)} of ${userName}`,
            question: (now) => ({
                title: now
                    ? `“${photoName(now)}” has changed. Delete anyway?`
                    : `Delete “${photoName(photo)}” of ${userName}?`,
                body: 'Deletes the photo. Pictures generated from it stay.',
                action: 'Delete',
                danger: true,
            }),
            hide: () => {
                const before = client.getQueryData<ReferenceImage[]>(queryKey);

                client.setQueryData<ReferenceImage[]>(queryKey, (photos) =>
                    photos?.filter((one) => one.id !== photo.id),
                );
                return () => client.setQueryData(queryKey, before);
            },
        });
    };
}
