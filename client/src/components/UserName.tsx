// UserName.tsx - the email of a user, looked up by id.
import { useQuery } from '@tanstack/react-query';
import { getRow } from '../api/admin';
import { ApiError } from '../api/client';
import { keys } from '../api/queryKeys';

const FRESH = 5 * 60_000;

/** A user's account, cached. */
export function useAccount(id: string | null) {
    return useQuery({
        queryKey: keys.adminRow('users', id ?? ''),
        queryFn: async ({ signal }) => (await getRow('users', id!, signal)).row,
        enabled: id !== null,
        staleTime: FRESH,
    });
}

export function UserName({ id }: { id: string | null }) {
    const { data, error } = useAccount(id);

    if (!id || (error instanceof ApiError && error.status === 404)) {
        return <>Deleted user</>;
    }
    return <span className={data ? undefined : 'user-name-pending'}>{data?.email ?? '…'}</span>;
}
