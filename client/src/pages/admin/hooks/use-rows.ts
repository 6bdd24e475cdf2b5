// use-rows.ts - paginated lists of rows, and deletion of rows.
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import type { InfiniteData, QueryClient, QueryKey } from '@tanstack/react-query';
import { deleteRow, getRow, listRows } from '../../../api/admin';
import type { Filter, Kind, Page, Rows } from '../../../api/admin';
import { ApiError, sentence } from '../../../api/client';
import { keys } from '../../../api/queryKeys';
import { confirm, notify } from '../../../components/notify';
import type { Question } from '../../../components/notify';

const SHOWN = '20'; // rows of a page
const FRESH = 5 * 60_000; // addresses of pictures expire: lists are refetched long before

/** Rows that match a filter, newest first. */
export function useRows<K extends Kind>(kind: K, filter: Filter) {
    return useInfiniteQuery({
        queryKey: keys.adminList(kind, filter),
        queryFn: ({ pageParam, signal }) => listRows(kind, { ...filter, limit: SHOWN }, pageParam, signal),
        initialPageParam: null as string | null,
        getNextPageParam: (page: Page<Rows[K]>) => page.next,
        refetchInterval: FRESH * 3,
        // Keep the previous rows until the new search has results.
        placeholderData: (before) => before,
    });
}

// Other queries that show rows of a kind.
const shownElsewhere: Record<Kind, readonly QueryKey[]> = {
    users: [['admin'], keys.generationUsers, keys.me, keys.identities, keys.referenceImages, keys.jobs],
    identities: [keys.adminRows('identities'), keys.identities, keys.enums, keys.jobs],
    'test-scenarios': [keys.adminRows('test-scenarios'), keys.generationUsers],
    'reference-images': [keys.adminRows('reference-images'), keys.referenceImages],
};

/** Refetches all queries that show rows of a kind. */
export async function refreshRows(client: QueryClient, kind: Kind): Promise<void> {
    await Promise.all(shownElsewhere[kind].map((queryKey) => client.invalidateQueries({ queryKey })));
}

type Lists = [QueryKey, unknown][];

// Removes a row from all lists. Returns the previous lists, to restore it.
async function hideRow(client: QueryClient, kind: Kind, id: string): Promise<Lists> {
    const queryKey = [...keys.adminRows(kind), 'list'];

    await client.cancelQueries({ queryKey });
    const before = client.getQueriesData({ queryKey });

    client.setQueriesData<InfiniteData<Page<{ id: string }>>>(
        { queryKey },
        (data) =>
            data && {
                ...data,
                pages: data.pages.map((page) => ({ ...page, results: page.results.filter((row) => row.id !== id) })),
            },
    );
    return before;
}

function putBack(client: QueryClient, lists: Lists): void {
    lists.forEach(([queryKey, data]) => client.setQueryData(queryKey, data));
}

export interface Removal<T> {
    id: string;
    /** Name of the row in "... is deleted." */
    name: string;
    /** The confirmation; repeated with the current row if another user has changed it. */
    question: (now: T | null) => Question;
    /** Removes it from other queries. Returns a function that restores it. */
    hide?: () => () => void;
}

const isStatus = (error: unknown, status: number) => error instanceof ApiError && error.status === status;

/** Deletes a row after confirmation, in the version on screen. The row leaves the lists at once. */
export function useRemoval<K extends Kind>(kind: K): (removal: Removal<Rows[K]>) => Promise<void> {
    const client = useQueryClient();

    async function send({ id, name, hide }: Removal<Rows[K]>, etag: string): Promise<Rows[K] | null> {
        const lists = await hideRow(client, kind, id);
        const show = hide?.();
        const restore = () => {
            putBack(client, lists);
            show?.();
        };

        try {
            await deleteRow(kind, id, etag);
            notify({ tone: 'success', title: `${name} is deleted.` });
        } catch (error) {
            if (isStatus(error, 412)) {
                restore();
                return (await getRow(kind, id)).row;
            }
            if (isStatus(error, 404)) {
                notify({ tone: 'info', title: `${name} was already deleted.` });
                return null;
            }
            restore();
            notify({ tone: 'error', title: `Couldn't delete ${name}.`, detail: sentence(error) });
        }
        void refreshRows(client, kind);
        return null;
    }

    return async (removal) => {
        const { id, name, question } = removal;
        let changed: Rows[K] | null = null;

        do {
            // Fetch the version before the confirmation, so that a later change by another user is noticed.
            const seen = getRow(kind, id);

            seen.catch(() => undefined);
            if (!(await confirm(question(changed)))) {
                return;
            }
            try {
                changed = await send(removal, (await seen).etag);
            } catch (error) {
                changed = null;
                notify(
                    isStatus(error, 404)
                        ? { tone: 'info', title: `${name} was already deleted.` }
                        : { tone: 'error', title: `Couldn't delete ${name}.`, detail: sentence(error) },
                );
                void refreshRows(client, kind);
            }
        } while (changed);
    };
}
