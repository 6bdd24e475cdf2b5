// prefetch.ts - first requests of the Images page. All pages load this file, so keep it small.
import { request } from '../../api/client';
import { queryClient } from '../../api/queryClient';
import { keys } from '../../api/queryKeys';
import type { ReferenceImage } from '../../api/types';

function ask<T>(queryKey: readonly unknown[], path: string, query: Record<string, string> = {}): Promise<T> {
    return queryClient.fetchQuery({
        queryKey,
        queryFn: ({ signal }) => request<T>('GET', path, { query, signal, session: 'throw' }),
        retry: false,
    });
}

export function prefetchImages(search: URLSearchParams, me: string): void {
    const user = search.get('user') ?? me;
    const failed = () => undefined;

    ask<ReferenceImage[]>(keys.referenceImagesOf(user), 'reference-images/', { user_id: user })
        .then((photos) =>
            photos.forEach((photo) => {
                new Image().src = photo.image?.medium ?? '';
            }),
        )
        .catch(failed);
    ask(keys.generationUsers, 'image-generation/users/').catch(failed);
    ask(keys.options, 'image-generation/options/').catch(failed);
}
