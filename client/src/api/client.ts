// client.ts - requests to the API: where it is, typed errors, sessions that end, uploads with progress.
import { base } from '../base';
import type { ErrorCode } from './types';

const given = document.querySelector<HTMLMetaElement>('meta[name="identityimg-api"]')?.content || '/api/v1';

/** The API's base, absolute, with a slash at the end. */
export const api = new URL(`${given.replace(/\/+$/, '')}/`, new URL(base, location.href)).href;

/** What this side alone can say: no answer came; the request was given up. */
export type LocalCode = 'network' | 'aborted' | 'no_json';

/** Why a request failed: the server's own sentence, or ours when no answer came (status 0). */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: ErrorCode | LocalCode,
        readonly detail: string,
        readonly errors: Readonly<Record<string, readonly string[]>> = {},
        readonly requestId: string | null = null,
        readonly retryAfter: number | null = null,
    ) {
        super(detail);
        this.name = 'ApiError';
    }

    /** Whether the same request may succeed by itself a little later. */
    get isTransient(): boolean {
        return this.status === 0 ? this.code === 'network' : [408, 429, 502, 503, 504].includes(this.status);
    }
}

/** Whether something was given up on purpose. */
export function isAborted(error: unknown): boolean {
    return error instanceof ApiError && error.code === 'aborted';
}

/** The sentence to show for anything that was thrown. */
export function sentence(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}

export interface Answer<T> {
    data: T;
    status: number;
    headers: Headers;
}

type Query = Record<string, string | number | boolean | null | undefined>;

export interface RequestOptions {
    query?: Query;
    json?: unknown;
    form?: FormData;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    /** The same key makes a second try one with the first. */
    idempotencyKey?: string;
    /** `throw`: a 401 is an answer like others. Else it waits until somebody has logged in again. */
    session?: 'throw';
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

// --- Sessions that end ------------------------------------------------------------------------------

let logInAgain: ((error: ApiError) => Promise<void>) | null = null;

/** Who asks for the password when a session has ended; resolves when there is a new one. */
export function onSessionEnd(ask: typeof logInAgain): void {
    logInAgain = ask;
}

async function revive<T>(options: RequestOptions, send: () => Promise<T>): Promise<T> {
    try {
        return await send();
    } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401 || options.session === 'throw' || !logInAgain) {
            throw error;
        }
        await logInAgain(error);
        return send();
    }
}

// --- Requests ---------------------------------------------------------------------------------------

/** An address of the API: its own `next` links come back as they are. */
export function address(path: string, query: Query = {}): string {
    const url = new URL(path, api);

    for (const [name, value] of Object.entries(query)) {
        if (value !== null && value !== undefined && value !== '') {
            url.searchParams.set(name, String(value));
        }
    }
    return url.href;
}

/** A key for Idempotency-Key. */
export function newKey(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));

    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function headersOf(options: RequestOptions): Record<string, string> {
    return {
        Accept: 'application/json',
        ...(options.json !== undefined ? { 'Content-Type': 'application/json' } : {}),
        ...(options.idempotencyKey ? { 'Idempotency-Key': options.idempotencyKey } : {}),
        ...options.headers,
    };
}

let clockOffset = 0;

/** The time as the server has it, in milliseconds: its rows are stamped with it. */
export function serverNow(): number {
    return Date.now() + clockOffset;
}

// A header Date has whole seconds.
function setClock(date: string | null): void {
    const time = date ? Date.parse(date) : NaN;

    if (!Number.isNaN(time) && Math.abs(time - serverNow()) > 1500) {
        clockOffset = time + 500 - Date.now();
    }
}

interface ErrorBody {
    detail?: string;
    code?: ErrorCode;
    errors?: Record<string, string[]>;
    request_id?: string;
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

function errorOf(status: number, text: string, header: (name: string) => string | null): ApiError {
    const body = (parse(text) ?? {}) as ErrorBody;
    const wait = Number(header('Retry-After'));

    return new ApiError(
        status,
        body.code ?? 'no_json',
        body.detail ?? `The server answered ${status} without a word.`,
        body.errors ?? {},
        body.request_id ?? header('X-Request-Id'),
        wait > 0 ? wait : null,
    );
}

function noAnswer(signal?: AbortSignal): ApiError {
    return signal?.aborted
        ? new ApiError(0, 'aborted', 'Given up.')
        : new ApiError(
              0,
              'network',
              navigator.onLine ? 'The server does not answer. Please try again.' : 'You are offline.',
          );
}

async function send<T>(method: Method, path: string, options: RequestOptions): Promise<Answer<T>> {
    let response: Response;
    let text: string;

    try {
        response = await fetch(address(path, options.query), {
            method,
            headers: headersOf(options),
            body: options.json !== undefined ? JSON.stringify(options.json) : options.form,
            signal: options.signal,
            credentials: 'same-origin',
        });
        text = await response.text();
    } catch {
        throw noAnswer(options.signal);
    }
    setClock(response.headers.get('Date'));
    // 304 answers a request of ours that named what is known.
    if (!response.ok && response.status !== 304) {
        throw errorOf(response.status, text, (name) => response.headers.get(name));
    }
    return { data: (text ? parse(text) : null) as T, status: response.status, headers: response.headers };
}

/** One request, with its status and headers. */
export function requestFull<T>(method: Method, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    return revive(options, () => send<T>(method, path, options));
}

/** One request: the answer's body. Throws an ApiError. */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    return (await requestFull<T>(method, path, options)).data;
}

// --- Uploads ----------------------------------------------------------------------------------------

export interface UploadOptions extends RequestOptions {
    form: FormData;
    /** How much has left this machine, from 0 to 1; 1 means the server is at work. */
    onProgress?: (sent: number) => void;
}

// fetch() tells nothing of an upload's progress.
function sendUpload<T>(path: string, options: UploadOptions): Promise<T> {
    return new Promise((resolve, reject) => {
        const xhr = new XMLHttpRequest();
        const abort = () => xhr.abort();

        xhr.open('POST', address(path, options.query));
        for (const [name, value] of Object.entries(headersOf(options))) {
            xhr.setRequestHeader(name, value);
        }
        xhr.upload.onprogress = (event) =>
            options.onProgress?.(event.lengthComputable ? event.loaded / event.total : 0);
        xhr.upload.onload = () => options.onProgress?.(1);
        xhr.onerror = xhr.onabort = xhr.ontimeout = () => reject(noAnswer(options.signal));
        xhr.onload = () =>
            xhr.status >= 200 && xhr.status < 300
                ? resolve(parse(xhr.responseText) as T)
                : reject(errorOf(xhr.status, xhr.responseText, (name) => xhr.getResponseHeader(name)));
        xhr.onloadend = () => options.signal?.removeEventListener('abort', abort);
        if (options.signal?.aborted) {
            reject(noAnswer(options.signal));
            return;
        }
        options.signal?.addEventListener('abort', abort);
        xhr.send(options.form);
    });
}

/** POSTs a form with a file. Throws an ApiError. */
export function upload<T>(path: string, options: UploadOptions): Promise<T> {
    return revive(options, () => sendUpload<T>(path, options));
}
