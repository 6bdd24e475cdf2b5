// use-prompts.ts - prompt versions: list, activate, deactivate, create, preview, results.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { QueryClient } from '@tanstack/react-query';
import { ApiError, sentence } from '../../../api/client';
import { listJobs, nextJobs } from '../../../api/imageGeneration';
import { listPrompts, previewPrompt } from '../../../api/prompts';
import type { PreviewRequest } from '../../../api/prompts';
import { createPrompt, getPrompt, switchPrompt } from '../../../api/promptVersions';
import type { NewPrompt } from '../../../api/promptVersions';
import { keys } from '../../../api/queryKeys';
import type { GenerationJobPage, Prompt } from '../../../api/types';
import { notify } from '../../../components/notify';
import type { PromptType } from '../placeholders';

const RESULTS = '24';

/** Versions of a type, newest first. */
export function useVersions(type: PromptType) {
    return useQuery({ queryKey: keys.promptVersions(type), queryFn: ({ signal }) => listPrompts(type, signal) });
}

/** Fetches the current versions. */
export function fetchVersions(client: QueryClient, type: PromptType): Promise<Prompt[]> {
    return client.fetchQuery({
        queryKey: keys.promptVersions(type),
        queryFn: ({ signal }) => listPrompts(type, signal),
        staleTime: 0,
        retry: false,
        networkMode: 'always',
    });
}

/** The live version: the highest active one. */
export function usedOf(versions: readonly Prompt[]): Prompt | null {
    return versions.find((version) => version.is_active) ?? null;
}

function patchList(client: QueryClient, changed: Prompt): void {
    client.setQueryData<Prompt[]>(keys.promptVersions(changed.prompt_type), (versions) =>
        versions?.map((version) => (version.id === changed.id ? changed : version)),
    );
}

/**
 * Activates or deactivates a version, unless another user already did. That is
 * not an error.
 */
export async function switchVersion(client: QueryClient, prompt: Prompt, isActive: boolean): Promise<Prompt> {
    for (let tries = 0; ; tries++) {
        const seen = await getPrompt(prompt.id);

        if (seen.prompt.is_active === isActive) {
            patchList(client, seen.prompt);
            return seen.prompt;
        }
        try {
            const changed = await switchPrompt(prompt.id, isActive, seen.etag);

            patchList(client, changed);
            return changed;
        } catch (error) {
            if (!(error instanceof ApiError) || error.status !== 412 || tries > 3) {
                throw error;
            }
        }
    }
}

/** Optimistic update of the switch, with rollback. */
export function useSwitchVersion() {
    const client = useQueryClient();

    return useMutation({
        networkMode: 'always',
        mutationFn: ({ prompt, isActive }: { prompt: Prompt; isActive: boolean }) =>
            switchVersion(client, prompt, isActive),
        onMutate: async ({ prompt, isActive }) => {
            await client.cancelQueries({ queryKey: keys.promptVersions(prompt.prompt_type) });
            patchList(client, { ...prompt, is_active: isActive });
        },
        onError: (error, { prompt, isActive }) => {
            patchList(client, prompt);
            notify({
                tone: 'error',
                title: `Couldn't ${isActive ? 'activate' : 'deactivate'} version ${prompt.version}.`,
                detail: sentence(error),
            });
        },
        onSettled: () => client.invalidateQueries({ queryKey: keys.prompts }),
    });
}

export function useCreateVersion() {
    const client = useQueryClient();

    return useMutation({
        // Fail while offline instead of waiting for a connection.
        networkMode: 'always',
        mutationFn: ({ wanted, key }: { wanted: NewPrompt; key: string }) => createPrompt(wanted, key),
        onSuccess: (made) => {
            client.setQueryData<Prompt[]>(keys.promptVersions(made.prompt_type), (versions) => [
                made,
                ...(versions ?? []).filter((version) => version.id !== made.id),
            ]);
            void client.invalidateQueries({ queryKey: keys.prompts });
        },
    });
}

export function usePreview(wanted: PreviewRequest | null) {
    const {
        identity_id: identity = '',
        prompt_id: id = '',
        body = '',
        additional_prompt: additional = '',
    } = wanted ?? {};

    return useQuery({
        queryKey: keys.promptPreview(identity, id, body, additional),
        queryFn: ({ signal }) => previewPrompt(wanted!, signal),
        enabled: wanted !== null,
        staleTime: 60_000,
        gcTime: 60_000,
        // Keep the previous preview until the next one is available.
        placeholderData: (before) => before,
    });
}

/** Generations with a version, newest first. */
export function useResults(promptId: string) {
    return useInfiniteQuery({
        queryKey: keys.jobList({ prompt_id: promptId }),
        queryFn: ({ pageParam, signal }) =>
            pageParam ? nextJobs(pageParam, signal) : listJobs({ prompt_id: promptId, limit: RESULTS }, signal),
        initialPageParam: null as string | null,
        getNextPageParam: (page: GenerationJobPage) => page.next,
    });
}
