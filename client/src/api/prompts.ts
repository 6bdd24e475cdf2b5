// prompts.ts - API calls for prompt versions.
import { request } from './client';
import type { Prompt, PromptPreview } from './types';

export function listPrompts(type: string, signal?: AbortSignal): Promise<Prompt[]> {
    return request<Prompt[]>('GET', 'prompts/', { query: { prompt_type: type }, signal });
}

/** The live version: the highest active one. */
export async function getActivePrompt(type: string, signal?: AbortSignal): Promise<Prompt | null> {
    const active = (await listPrompts(type, signal)).filter((prompt) => prompt.is_active);

    return active.sort((one, other) => other.version - one.version)[0] ?? null;
}

export interface PreviewRequest {
    identity_id: string;
    prompt_id?: string;
    body?: string;
    additional_prompt?: string;
}

export function previewPrompt(wanted: PreviewRequest, signal?: AbortSignal): Promise<PromptPreview> {
    return request<PromptPreview>('POST', 'prompts/preview/', { json: wanted, signal });
}
