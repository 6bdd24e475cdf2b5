// imageGeneration.ts - calls for making pictures: for whom, with what, the jobs, and what comes of them.
import { request, requestFull } from './client';
import type {
    AvailableUser,
    Generation,
    GenerationJob,
    GenerationJobPage,
    GenerationOptions,
    GenerationRequest,
    Identity,
} from './types';

export function listUsers(signal?: AbortSignal): Promise<AvailableUser[]> {
    return request<AvailableUser[]>('GET', 'image-generation/users/', { signal });
}

export function getOptions(signal?: AbortSignal): Promise<GenerationOptions> {
    return request<GenerationOptions>('GET', 'image-generation/options/', { signal });
}

/** Starts a generation. The job goes on whoever waits for it: an answer of 200 carries it finished, 202 begun. */
export async function generate(wanted: GenerationRequest, key: string): Promise<GenerationJob> {
    const { data } = await requestFull<Generation | GenerationJob>('POST', 'image-generation/generate/', {
        json: wanted,
        idempotencyKey: key,
        headers: { Prefer: 'respond-async' },
    });

    return 'job' in data ? data.job : data;
}

const WAIT = 20; // seconds that the server may hold an answer until the job is another
const tags = new Map<string, string>();

/** A job. With what is known of it, the server may hold the answer until something has changed. */
export async function getJob(id: string, signal?: AbortSignal, known?: GenerationJob): Promise<GenerationJob> {
    const tag = known && tags.get(id);
    const { data, status, headers } = await requestFull<GenerationJob>('GET', `image-generation/jobs/${id}/`, {
        signal,
        headers: tag ? { Prefer: `wait=${WAIT}`, 'If-None-Match': tag } : {},
    });

    if (status === 304 && known) {
        return known;
    }
    tags.set(id, headers.get('ETag') ?? '');
    return data;
}

export function listJobs(query: Record<string, string>, signal?: AbortSignal): Promise<GenerationJobPage> {
    return request<GenerationJobPage>('GET', 'image-generation/jobs/', { query, signal });
}

/** The page that a page's `next` names. */
export function nextJobs(next: string, signal?: AbortSignal): Promise<GenerationJobPage> {
    return request<GenerationJobPage>('GET', `image-generation/jobs/${new URL(next).search}`, { signal });
}

/** The generations that a user has asked for and that have not ended. */
export async function listActiveJobs(userId: string, signal?: AbortSignal): Promise<GenerationJob[]> {
    const pages = await Promise.all(
        ['running', 'queued'].map((state) => listJobs({ state, requested_by: userId, limit: '100' }, signal)),
    );

    return pages.flatMap((page) => page.results);
}

export function cancelJob(id: string): Promise<GenerationJob> {
    return request<GenerationJob>('POST', `image-generation/jobs/${id}/cancel/`);
}

export function saveJobToIdentity(id: string, key: string): Promise<Identity> {
    return request<Identity>('POST', `image-generation/jobs/${id}/save-to-identity/`, { idempotencyKey: key });
}
