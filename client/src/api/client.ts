// client.ts - requests to the API: where it is, typed errors, sessions that end, uploads with progress.
import { base } from '../base';
import type { ErrorCode } from './types';

const given = document.querySelector<HTMLMetaElement>('meta[name="identityimg-api"]')?.content || '/api/v1';

/** The API's base, absolute, with a slash at the end. */
export const api = new URL(`${given.replace(/\/+$/, '')}/`, new URL(base, location.href)).href;

/** Codes that only the client sets: no response, or request aborted. */
export type LocalCode = 'network' | 'aborted' | 'no_json';

/** Why a request failed: the server's sentence, or ours if there was no response (status 0). */
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

    /** Whether a retry of the same request may succeed later. */
    get isTransient(): boolean {
        return this.status === 0 ? this.code === 'network' : [408, 429, 502, 503, 504].includes(this.status);
    }
}

/** Whether the request was aborted on purpose. */
export function isAborted(error: unknown): boolean {
    return error instanceof ApiError && error.code === 'aborted';
}

/** The sentence to show for a thrown value. */
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
    /** A retry with the same key does not repeat the work. */
    idempotencyKey?: string;
    /** `throw`: report a 401 like other errors. Otherwise wait until the user has logged in again. */
    session?: 'throw';
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

// --- Expired sessions ------------------------------------------------------------------------------

let logInAgain: ((error: ApiError) => Promise<void>) | null = null;

/** Asks for the password when a session has expired. Resolves when there is a new session. */
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

/** An address of the API. `next` links of the API are returned unchanged. */
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

/** The server's time in milliseconds, which its timestamps are based on. */
export function serverNow(): number {
    return Date.now() + clockOffset;
}

// The Date header has a resolution of one second.
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
        body.detail ?? `The server answered with status ${status} and no message.`,
        body.errors ?? {},
        body.request_id ?? header('X-Request-Id'),
        wait > 0 ? wait : null,
    );
}

function noAnswer(signal?: AbortSignal): ApiError {
    return signal?.aborted
        ? new ApiError(0, 'aborted', 'Canceled.')
        : new ApiError(
              0,
              'network',
              navigator.onLine ? 'The server is not responding. Try again.' : 'You are offline.',
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
    // A 304 answers a conditional request.
    if (!response.ok && response.status !== 304) {
        throw errorOf(response.status, text, (name) => response.headers.get(name));
    }
    return { data: (text ? parse(text) : null) as T, status: response.status, headers: response.headers };
}

/** Sends a request and returns the response with status and headers. */
export function requestFull<T>(method: Method, path: string, options: RequestOptions = {}): Promise<Answer<T>> {
    return revive(options, () => send<T>(method, path, options));
}

/** Sends a request and returns the body of the response. Throws an ApiError. */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
    return (await requestFull<T>(method, path, options)).data;
}

// --- Uploads ----------------------------------------------------------------------------------------

export interface UploadOptions extends RequestOptions {
    form: FormData;
    /** The fraction that was sent, from 0 to 1. At 1 the server processes the file. */
    onProgress?: (sent: number) => void;
}

// fetch() does not report upload progress.
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
