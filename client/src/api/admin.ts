// admin.ts - API calls for the rows that staff manage: users, identities, test scenarios, photos of all users.
import { request, requestFull } from './client';
import type { components } from './schema';
import type { Enums, Identity, ReferenceImage } from './types';

export type Account = components['schemas']['Account'];
export type TestScenario = components['schemas']['TestScenario'];

/** Kinds of rows, by their name in the address. */
export interface Rows {
    users: Account;
    identities: Identity;
    'test-scenarios': TestScenario;
    'reference-images': ReferenceImage;
}

export type Kind = keyof Rows;

export interface Page<T> {
    results: T[];
    next: string | null;
}

/** A row and its version. A change that names the version cannot overwrite another user's change. */
export interface Versioned<T> {
    row: T;
    etag: string;
}

export type Filter = Record<string, string>;

/** The first page, or the one that a page's `next` names. */
export function listRows<K extends Kind>(
    kind: K,
    filter: Filter,
    next: string | null,
    signal?: AbortSignal,
): Promise<Page<Rows[K]>> {
    return next
        ? request('GET', `admin/${kind}/${new URL(next).search}`, { signal })
        : request('GET', `admin/${kind}/`, { query: filter, signal });
}

export async function getRow<K extends Kind>(kind: K, id: string, signal?: AbortSignal): Promise<Versioned<Rows[K]>> {
    const { data, headers } = await requestFull<Rows[K]>('GET', `admin/${kind}/${id}/`, { signal });

    return { row: data, etag: headers.get('ETag') ?? '*' };
}

export function createRow<K extends Kind>(kind: K, json: unknown, key: string): Promise<Rows[K]> {
    return request('POST', `admin/${kind}/`, { json, idempotencyKey: key });
}

/** Deletes only an unchanged row. Otherwise throws an ApiError with status 412. */
export function changeRow<K extends Kind>(
    kind: K,
    id: string,
    json: unknown,
    etag: string,
    query = {},
): Promise<Rows[K]> {
    return request('PATCH', `admin/${kind}/${id}/`, { json, query, headers: { 'If-Match': etag } });
}

export function deleteRow(kind: Kind, id: string, etag: string): Promise<void> {
    return request('DELETE', `admin/${kind}/${id}/`, { headers: { 'If-Match': etag } });
}

export function getEnums(signal?: AbortSignal): Promise<Enums> {
    return request('GET', 'core/enums/', { signal });
}
