// promptVersions.ts - API calls that create, activate and deactivate prompt versions.
import { request, requestFull } from './client';
import type { Prompt } from './types';

export interface NewPrompt {
    prompt_type: Prompt['prompt_type'];
    body: string;
    is_active: boolean;
    required_context_keys: string[];
}

export function createPrompt(wanted: NewPrompt, key: string): Promise<Prompt> {
    return request('POST', 'prompts/', { json: wanted, idempotencyKey: key });
}

export async function getPrompt(id: string, signal?: AbortSignal): Promise<{ prompt: Prompt; etag: string }> {
    const { data, headers } = await requestFull<Prompt>('GET', `prompts/${id}/`, { signal });

    return { prompt: data, etag: headers.get('ETag') ?? '*' };
}

export function switchPrompt(id: string, is_active: boolean, etag: string): Promise<Prompt> {
    return request('PATCH', `prompts/${id}/`, { json: { is_active }, headers: { 'If-Match': etag } });
}
