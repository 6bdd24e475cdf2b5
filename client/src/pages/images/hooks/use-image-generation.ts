// use-image-generation.ts - for whom and with what pictures are made, the jobs of this tab, what is done with results.
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

/** Any identity, also of a user who is not chosen. */
export function useIdentity(id: string | null) {
    const client = useQueryClient();
    const listed = () =>
        client
            .getQueriesData<Identity[]>({ queryKey: keys.identitiesOfAll })
            .map(([key, all]) => ({ key, one: all?.find((identity) => identity.id === id) }))
            .find(({ one }) => one);

    return useQuery({
        // One of a list that is here already need not be asked for.
        initialData: () => listed()?.one,
        initialDataUpdatedAt: () => client.getQueryState(listed()?.key ?? [])?.dataUpdatedAt,
        queryKey: keys.identity(id ?? ''),
        queryFn: ({ signal }) => getIdentity(id!, signal),
        enabled: id !== null,
        staleTime: PICTURES_FRESH,
    });
}

/** The text that would be sent now. */
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

// Other tabs look at once when one has begun something.
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('identityimg.jobs') : null;

const MOST = 12; // cards that stay; the history has the others
const LOOK = 1000; // between two looks for the job of a request that has no answer yet
const LOOK_IDLE = 20_000; // ... while nothing is under way here
const ASK = 1200; // between two questions for a job, where the server does not hold the answer

/** A request that was sent and has neither a job nor an error yet. */
export interface Sending {
    key: string;
    wanted: GenerationRequest;
    at: number;
    /** Jobs that were there before. */
    known: ReadonlySet<string>;
    /** The request got no answer: the job may have begun all the same. */
    error: ApiError | null;
}

function rememberJob(client: QueryClient, job: GenerationJob): void {
    client.setQueryData(keys.job(job.id), job);
}

// The callers' own jobs that have not ended, whoever began them: this tab, another one, or one that was closed.
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

// A question for each job, and again after each answer. One of them the server may hold until something changes.
function useWatchedJobs(ids: readonly string[]) {
    const client = useQueryClient();
    // A browser has few connections to a host, and shares them among its tabs: one of them may be held here.
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

/** All that goes on in this tab: requests without an answer, jobs that run, and those that have ended meanwhile. */
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
    // Whoever was seen running stays when it has ended.
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

    // What has ended changes the history, and how long pictures usually take.
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

    // The answer was an error. Where it is a job's end, that job is among the latest, and says more.
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
        // A request whose job is seen is no longer shown beside it; nor is one whose answer was lost.
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
            notify({ tone: 'error', title: 'The generation could not be canceled.', detail: sentence(error) });
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

/** Puts a job's picture on its identity, and takes it back. */
export function useSaveToIdentity(job: GenerationJob) {
    const client = useQueryClient();
    const undo = useMutation({
        mutationFn: () => restoreIdentityImage(job.identity!, newKey()),
        onSuccess: (identity) => {
            rememberIdentity(client, identity);
            notify({ tone: 'info', title: `${identity.name} has its previous picture again.` });
        },
        onError: (error) =>
            notify({ tone: 'error', title: 'The picture before could not be brought back.', detail: sentence(error) }),
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
        onError: (error) => notify({ tone: 'error', title: 'The picture was not saved.', detail: sentence(error) }),
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
