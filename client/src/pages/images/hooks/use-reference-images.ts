// use-reference-images.ts - a user's photos: list, move and delete.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { sentence } from '../../../api/client';
import { keys } from '../../../api/queryKeys';
import { deleteReferenceImage, listReferenceImages, moveReferenceImage } from '../../../api/referenceImages';
import type { ReferenceImage } from '../../../api/types';
import { notify } from '../../../components/notify';

// Addresses of pictures expire. The list is refetched before, and when a picture fails to load.
const FRESH = 5 * 60_000;

export function useReferenceImages(userId: string | null) {
    return useQuery({
        queryKey: keys.referenceImagesOf(userId ?? ''),
        queryFn: ({ signal }) => listReferenceImages(userId!, signal),
        enabled: userId !== null,
        staleTime: FRESH,
        refetchInterval: FRESH * 3,
    });
}

/** The list after a photo has moved to another slot and swapped places with a photo there. */
export function moved(photos: readonly ReferenceImage[], id: string, order: number): ReferenceImage[] {
    const from = photos.find((photo) => photo.id === id)?.order;

    return photos
        .map((photo) => {
            if (photo.id === id) {
                return { ...photo, order };
            }
            return photo.order === order && from !== undefined ? { ...photo, order: from } : photo;
        })
        .sort((one, other) => one.order - other.order);
}

// Optimistic update with rollback. Changes run one after the other, because quick moves depend on
// their order.
function useChange<T extends { id: string }>(
    userId: string,
    send: (change: T) => Promise<unknown>,
    apply: (photos: ReferenceImage[], change: T) => ReferenceImage[],
    failed: string,
): (change: T) => void {
    const client = useQueryClient();
    const queryKey = keys.referenceImagesOf(userId);
    const mutationKey = ['change', ...queryKey];
    const mutation = useMutation({
        mutationKey,
        scope: { id: mutationKey.join() },
        mutationFn: ({ change }: { change: T; before: ReferenceImage[] | undefined }) => send(change),
        onError: (error, { before }) => {
            client.setQueryData(queryKey, before);
            notify({ tone: 'error', title: failed, detail: sentence(error) });
        },
        onSettled: () =>
            client.isMutating({ mutationKey }) === 1 ? client.invalidateQueries({ queryKey }) : undefined,
    });

    return (change) => {
        const before = client.getQueryData<ReferenceImage[]>(queryKey);

        void client.cancelQueries({ queryKey });
        client.setQueryData<ReferenceImage[]>(queryKey, (photos) => photos && apply(photos, change));
        mutation.mutate({ change, before });
    };
}

export function useMoveReferenceImage(userId: string) {
    return useChange(
        userId,
        (change: { id: string; order: number }) => moveReferenceImage(userId, change.id, change.order),
        (photos, { id, order }) => moved(photos, id, order),
        "Couldn't move the photo.",
    );
}

export function useDeleteReferenceImage(userId: string) {
    return useChange(
        userId,
        (change: { id: string }) => deleteReferenceImage(userId, change.id),
        (photos, { id }) => photos.filter((photo) => photo.id !== id),
        "Couldn't delete the photo.",
    );
}
