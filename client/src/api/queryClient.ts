// queryClient.ts - settings of TanStack Query: caching and refetching.
import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './client';

const TRIES = 3;

export const queryClient = new QueryClient({
    defaultOptions: {
        queries: {
            staleTime: 15_000,
            retry: (failures, error) => failures + 1 < TRIES && error instanceof ApiError && error.isTransient,
            retryDelay: (failures, error) =>
                error instanceof ApiError && error.retryAfter
                    ? Math.min(error.retryAfter, 30) * 1000
                    : 500 * 2 ** failures,
        },
    },
});
