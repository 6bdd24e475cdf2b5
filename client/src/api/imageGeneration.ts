// imageGeneration.ts - API calls for image generation: users, options, jobs and results.
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

/** Starts a generation. A response of 200 has the finished job, 202 the started one. */
export async function generate(wanted: GenerationRequest, key: string): Promise<GenerationJob> {
    const { data } = await requestFull<Generation | GenerationJob>('POST', 'image-generation/generate/', {
        json: wanted,
        idempotencyKey: key,
        headers: { Prefer: 'respond-async' },
    });

    return 'job' in data ? data.job : data;
}

const WAIT = 20; // seconds that the server may hold a response until the job changes
const tags = new Map<string, string>();

/** A job. Given a known state, the server may hold the response until the state changes. */
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

/** The page that a `next` link names. */
export function nextJobs(next: string, signal?: AbortSignal): Promise<GenerationJobPage> {
    return request<GenerationJobPage>('GET', `image-generation/jobs/${new URL(next).search}`, { signal });
}

/** The unfinished generations that a user requested. */
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
