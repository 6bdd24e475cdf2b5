// use-photos.ts - deleting photos of whomever: they go from all lists at once, and come back when that fails.
import { useQueryClient } from '@tanstack/react-query';
import { keys } from '../../../api/queryKeys';
import type { ReferenceImage } from '../../../api/types';
import { useRemoval } from './use-rows';

/** What a photo is called. */
export function photoName(photo: ReferenceImage): string {
    return photo.name || `Photo ${photo.order + 1}`;
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
                title: now ? `“${photoName(now)}” was changed meanwhile. Delete all the same?` : `Delete “${photoName(photo)}” of ${userName}?`,
                body: 'The photo and its picture are gone then. Pictures that were made with it stay.',
                action: 'Delete', danger: true,
            }),
            hide: () => {
                const before = client.getQueryData<ReferenceImage[]>(queryKey);

                client.setQueryData<ReferenceImage[]>(queryKey, (photos) => photos?.filter((one) => one.id !== photo.id));
                return () => client.setQueryData(queryKey, before);
            },
        });
    };
}
