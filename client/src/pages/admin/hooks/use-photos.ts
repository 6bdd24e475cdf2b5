// use-photos.ts - photos of whomever: putting pictures in, and deleting; nobody's newer picture is replaced unseen.
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

/** What a photo is called. */
export function photoName(photo: ReferenceImage): string {
    return photo.name || `Photo ${photo.order + 1}`;
}

/** The limits of pictures, and what they are until the server has said so. */
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
    /** The photo whose picture is replaced, as it is shown; without, the slot is free. */
    seen: ReferenceImage | undefined;
    /** "Photo 1 of Sam": for a question. */
    label: string;
}

/** Puts a picture into a slot; one that has become another since it was shown is asked about. */
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
                        title: `${label} was changed meanwhile`,
                        body: 'Somebody else has changed it. It is shown as it is now. Replace it all the same?',
                        action: 'Replace it',
                    }))
                ) {
                    return;
                }
            }
            startUpload({ userId, order, file, imageId: seen?.id ?? null, etag: now?.etag, maxUpload });
        } catch (error) {
            notify({ tone: 'error', title: 'The photo could not be replaced.', detail: sentence(error) });
            void refreshRows(client, 'reference-images');
        }
    };
}

/** Asks for lists of photos again when a picture has arrived in one of a user's slots. */
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
                    ? `“${photoName(now)}” was changed meanwhile. Delete all the same?`
                    : `Delete “${photoName(photo)}” of ${userName}?`,
                body: 'The photo and its picture are gone then. Pictures that were made with it stay.',
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
