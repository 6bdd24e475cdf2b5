// use-image-generation.ts - users, options, jobs of this tab, and actions on results.
import { useEffect, useMemo, useRef, useState } from 'react';
import { useInfiniteQuery, useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import type { QueryClient } from '@tanstack/react-query';
import { ApiError, newKey, sentence } from '../../../api/client';
import { getIdentity, listIdentities, restoreIdentityImage } from '../../../api/identities';
import {
    cancelJob,
    generate,
    getJob,
    getOptions,
    listActiveJobs,
    listJobs,
    listUsers,
    nextJobs,
    saveJobToIdentity,
} from '../../../api/imageGeneration';
import { getActivePrompt, previewPrompt } from '../../../api/prompts';
import { keys } from '../../../api/queryKeys';
import type { AvailableUser, GenerationJob, GenerationRequest, Identity } from '../../../api/types';
import { notify } from '../../../components/notify';
import { useDraft } from '../../../session/drafts';
import { useSession } from '../../../session/SessionProvider';
import { isActive } from '../jobs';

const HOUR = 3_600_000;
const PICTURES_FRESH = 5 * 60_000;

export function useUsers() {
    return useQuery({ queryKey: keys.generationUsers, queryFn: ({ signal }) => listUsers(signal), staleTime: 60_000 });
}

export function useOptions() {
    return useQuery({ queryKey: keys.options, queryFn: ({ signal }) => getOptions(signal), staleTime: 60_000 });
}

export function useIdentities(user: AvailableUser | undefined) {
    return useQuery({
        queryKey: keys.identitiesOf(user?.id ?? ''),
        queryFn: ({ signal }) => listIdentities(user!.id, user!.is_current_user, signal),
        enabled: user !== undefined,
        staleTime: PICTURES_FRESH,
    });
}

/** Any identity, including those of other users. */
export function useIdentity(id: string | null) {
    const client = useQueryClient();
    const listed = () =>
        client
            .getQueriesData<Identity[]>({ queryKey: keys.identitiesOfAll })
            .map(([key, all]) => ({ key, one: all?.find((identity) => identity.id === id) }))
            .find(({ one }) => one);

    return useQuery({
        // Use the list in the cache, if it has the identity.
        initialData: () => listed()?.one,
        initialDataUpdatedAt: () => client.getQueryState(listed()?.key ?? [])?.dataUpdatedAt,
        queryKey: keys.identity(id ?? ''),
        queryFn: ({ signal }) => getIdentity(id!, signal),
        enabled: id !== null,
        staleTime: PICTURES_FRESH,
    });
}

/** The prompt that would be sent now. */
export function usePromptPreview(identityId: string | null, additionalPrompt: string, enabled: boolean) {
    const prompt = useQuery({
        queryKey: keys.activePrompt('image_generation'),
        queryFn: ({ signal }) => getActivePrompt('image_generation', signal),
        enabled,
    });
    const id = prompt.data?.id;
    const preview = useQuery({
        queryKey: keys.promptPreview(id ?? '', identityId ?? '', additionalPrompt),
        queryFn: ({ signal }) =>
            previewPrompt({ identity_id: identityId!, prompt_id: id, additional_prompt: additionalPrompt }, signal),
        enabled: enabled && id !== undefined && identityId !== null,
        placeholderData: (before) => before,
        gcTime: 60_000,
    });

    return { prompt, preview };
}

// --- Jobs of this tab -------------------------------------------------------------------------------

// Tell other tabs to poll when this tab starts a job.
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('identityimg.jobs') : null;

const MOST = 12; // maximum number of cards; the history has the rest
const LOOK = 1000; // polling interval for the job of a pending request
const LOOK_IDLE = 20_000; // polling interval while no job is running
const ASK = 1200; // polling interval for a job where the server does not hold the response

/** A pending request without a job or an error. */
export interface Sending {
    key: string;
    wanted: GenerationRequest;
    at: number;
    /** Jobs that existed before the request. */
    known: ReadonlySet<string>;
    /** The request got no response. The job may have started anyway. */
    error: ApiError | null;
}

function rememberJob(client: QueryClient, job: GenerationJob): void {
    client.setQueryData(keys.job(job.id), job);
}

// The caller's unfinished jobs, from this tab, another tab or a closed tab.
function useActiveJobs(isSending: boolean) {
    const { user } = useSession();
    const client = useQueryClient();
    const active = useQuery({
        queryKey: keys.activeJobs,
        queryFn: ({ signal }) => listActiveJobs(user.id, signal),
        refetchInterval: isSending ? LOOK : LOOK_IDLE,
        staleTime: LOOK,
    });

    useEffect(() => {
        const look = () => void client.invalidateQueries({ queryKey: keys.activeJobs });

        channel?.addEventListener('message', look);
        return () => channel?.removeEventListener('message', look);
    }, [client]);
    return useMemo(() => (active.data ?? []).map((job) => job.id), [active.data]);
}

function isRunning(client: QueryClient, id: string): boolean {
    const job = client.getQueryData<GenerationJob>(keys.job(id));

    return job !== undefined && isActive(job);
}

// Poll each job. The server may hold one of the requests until the job changes.
function useWatchedJobs(ids: readonly string[]) {
    const client = useQueryClient();
    // Browsers limit connections per host across tabs, so only one request may be held.
    const waiting = ids.find((id) => isRunning(client, id));
    const answers = useQueries({
        queries: ids.map((id) => ({
            queryKey: keys.job(id),
            queryFn: async ({ signal }: { signal: AbortSignal }) => {
                const since = Date.now();
                const known = client.getQueryData<GenerationJob>(keys.job(id));
                const job = await getJob(id, signal, id === waiting ? known : undefined);

                held.set(id, Date.now() - since);
                return job;
            },
            staleTime: LOOK,
            refetchInterval: (query: { state: { data?: GenerationJob } }) => {
                const job = query.state.data;

                return job && isActive(job) ? ((held.get(id) ?? 0) > 2 * ASK ? 50 : ASK) : (false as const);
            },
            refetchIntervalInBackground: true,
            retry: (failures: number, error: Error) => error instanceof ApiError && error.isTransient && failures < 20,
        })),
    });
    return answers;
}

const held = new Map<string, number>();

/** Activity of this tab: pending requests, running jobs and finished jobs. */
export function useJobs() {
    const client = useQueryClient();
    const [shown, setShown] = useDraft<string[]>('images.jobs', []);
    const [sending, setSending] = useState<readonly Sending[]>([]);
    const active = useActiveJobs(sending.some((one) => !one.error || one.error.status === 0));
    const ids = useMemo(
        () => [...active.filter((id) => !shown.includes(id)), ...shown].slice(0, MOST),
        [active, shown],
    );
    const answers = useWatchedJobs(ids);
    const shownNow = useRef(shown);

    shownNow.current = ids;
    // Keep a job that was seen running after it has finished.
    useEffect(() => {
        if (active.some((id) => !shown.includes(id))) {
            setShown(ids);
        }
    }, [active, shown, ids, setShown]);

    const jobs = answers.flatMap((answer) => answer.data ?? []);
    const ended = jobs
        .filter((job) => !isActive(job))
        .map((job) => job.id)
        .join();

    // A finished job changes the history and the usual duration.
    useEffect(() => {
        if (ended) {
            void client.invalidateQueries({ queryKey: ['jobs', 'list'] });
            void client.invalidateQueries({ queryKey: keys.options });
        }
    }, [client, ended]);

    function show(job: GenerationJob): void {
        rememberJob(client, job);
        if (!shownNow.current.includes(job.id)) {
            setShown([job.id, ...shownNow.current].slice(0, MOST));
        }
    }

    function forget(id: string): void {
        setShown(shownNow.current.filter((one) => one !== id));
    }

    async function start(wanted: GenerationRequest, key = newKey()): Promise<void> {
        const one: Sending = { key, wanted, at: Date.now(), known: new Set(shownNow.current), error: null };

        setSending((all) => [one, ...all.filter((other) => other.key !== key)]);
        try {
            const request = generate(wanted, key);

            channel?.postMessage('begun');
            show(await request);
            setSending((all) => all.filter((other) => other.key !== key));
        } catch (error) {
            await settleFailure(one, error);
        }
    }

    // The response was an error. If a job failed, it is among the latest jobs and has more details.
    async function settleFailure(one: Sending, error: unknown): Promise<void> {
        const failure = error instanceof ApiError ? error : new ApiError(0, 'network', sentence(error));

        if (failure.code === 'generation_canceled') {
            setSending((all) => all.filter((other) => other.key !== one.key));
            return;
        }
        const latest = failure.status === 0 ? null : await listJobs({ limit: '5', state: 'failed' }).catch(() => null);
        const job = latest?.results.find(
            (candidate) =>
                candidate.error?.code === failure.code &&
                !one.known.has(candidate.id) &&
                candidate.identity === one.wanted.identity_id &&
                Date.parse(candidate.created_at) > one.at - 120_000,
        );

        if (job) {
            show(job);
        }
        setSending((all) =>
            job
                ? all.filter((other) => other.key !== one.key)
                : all.map((other) => (other.key === one.key ? { ...one, error: failure } : other)),
        );
    }

    return {
        jobs,
        // Hide a request once its job is known, even if the response was lost.
        sending: sending.filter((one) => (one.error && one.error.status !== 0) || ids.every((id) => one.known.has(id))),
        start,
        retry: (one: Sending) => void start(one.wanted, one.error?.isTransient ? one.key : newKey()),
        dismiss: (one: Sending) => setSending((all) => all.filter((other) => other.key !== one.key)),
        show,
        forget,
    };
}

export type Jobs = ReturnType<typeof useJobs>;

export function useCancelJob() {
    const client = useQueryClient();

    return useMutation({
        mutationFn: (id: string) => cancelJob(id),
        onSuccess: (job) => rememberJob(client, job),
        onError: (error, id) => {
            void client.invalidateQueries({ queryKey: keys.job(id) });
            notify({ tone: 'error', title: "Couldn't cancel the generation.", detail: sentence(error) });
        },
    });
}

// --- Results ----------------------------------------------------------------------------------------

function rememberIdentity(client: QueryClient, identity: Identity): void {
    client.setQueryData(keys.identity(identity.id), identity);
    client.setQueryData<Identity[]>(keys.identitiesOf(identity.user), (all) =>
        all?.map((one) => (one.id === identity.id ? identity : one)),
    );
}

/** Saves a job's picture to its identity, with undo. */
export function useSaveToIdentity(job: GenerationJob) {
    const client = useQueryClient();
    const undo = useMutation({
        mutationFn: () => restoreIdentityImage(job.identity!, newKey()),
        onSuccess: (identity) => {
            rememberIdentity(client, identity);
            notify({ tone: 'info', title: `${identity.name} has its previous picture again.` });
        },
        onError: (error) =>
            notify({ tone: 'error', title: "Couldn't restore the previous picture.", detail: sentence(error) }),
    });
    const save = useMutation({
        mutationFn: () => saveJobToIdentity(job.id, newKey()),
        onSuccess: (identity) => {
            rememberIdentity(client, identity);
            notify({
                tone: 'success',
                title: `Saved to ${identity.name}.`,
                action: { label: 'Undo', run: () => undo.mutate() },
            });
        },
        onError: (error) => notify({ tone: 'error', title: "Couldn't save the picture.", detail: sentence(error) }),
    });

    return { save, undo };
}

// --- History ----------------------------------------------------------------------------------------

export function useHistory(filter: Record<string, string>) {
    return useInfiniteQuery({
        queryKey: keys.jobList(filter),
        queryFn: ({ signal, pageParam }) =>
            pageParam ? nextJobs(pageParam, signal) : listJobs({ ...filter, limit: '8' }, signal),
        initialPageParam: null as string | null,
        getNextPageParam: (page) => page.next,
        placeholderData: (before) => before,
        staleTime: PICTURES_FRESH,
        gcTime: HOUR,
    });
}
