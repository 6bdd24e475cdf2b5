/* gemini.mjs - a stand-in for Google's Gemini image API, stricter than its clients are.
 *
 *   node gemini.mjs --port 0 [--record FILE] [--scenario NAME] [--key KEY] [--store project] [--with-stdin]
 *
 * Listens on 127.0.0.1 and prints "listening PORT" when ready. Ends on SIGTERM or SIGINT, and with
 * --with-stdin also when its standard input closes, so that it cannot outlive the test.
 *
 *   POST   /{v1beta|v1}/models/{model}:generateContent   a picture, or the failure of the scenario
 *   POST   ...:streamGenerateContent?alt=sse             the same reply as events, text first
 *   GET    /{v1beta|v1}/models and .../models/{model}    the available models
 *   GET    /__record                                     all requests so far, as JSON
 *   GET    /__last                                       the body of the last request, unchanged
 *   DELETE /__record                                     clear the record
 *   GET    /__scenarios                                  the names of all scenarios
 *   GET    /__held                                       {"held": N, "most": N}: held now; peak since /__hold
 *   POST   /__release                                    answer all held requests, and stop holding
 *   POST   /__release?N                                  answer the N oldest held requests
 *   POST   /__hold                                       start holding again
 *
 * A prompt with [[scenario:NAME]] selects the scenario of its request; --scenario sets that of all
 * others. One table below holds the scenarios. An invalid request is refused before its scenario
 * applies. With --key, any other key is invalid. A request must set "store" to false; with
 * --store project it must omit "store".
 *
 * [[scenario:hold]] is answered when the test releases it, so tests need no timers.
 * [[scenario:hold:NAME]] continues as NAME on release. After HOLD_SECONDS a held request gets a 504.
 *
 * [[scenario:first:N:NAME]] is NAME for the first N requests with that prompt, then "ok".
 *
 * A picture is a JPEG unless the scenario says otherwise. It has exactly the pixels of ratio and
 * size, in one color: the first three bytes of SHA-256 over the text of the prompt and the bytes of
 * each reference, in order.
 */
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { deflateSync, gzipSync } from 'node:zlib';

const MAX_BODY = 20 * 1024 * 1024;
const MAX_IMAGES = 14;
const HOLD_SECONDS = 240;
const LIVING_MODELS = ['gemini-3-pro-image', 'gemini-nano-banana-2.1', 'gemini-3.1-flash-image'];
const MAX_IMAGE = 7 * 1024 * 1024;
const SIZES_1K = {
    '1:1': [1024, 1024],
    '2:3': [848, 1264],
    '3:2': [1264, 848],
    '3:4': [896, 1200],
    '4:3': [1200, 896],
    '4:5': [928, 1152],
    '5:4': [1152, 928],
    '9:16': [768, 1376],
    '16:9': [1376, 768],
    '21:9': [1584, 672],
    '1:4': [512, 2048],
    '4:1': [2048, 512],
    '1:8': [384, 3072],
    '8:1': [3072, 384],
};
const SCALES = { '1K': 1, '2K': 2, '4K': 4 };
/* Ratios that a model does not support. */
const NOT_TAKEN = {
    'gemini-3-pro-image': ['1:4', '4:1', '1:8', '8:1'],
};
const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'];

/* Command line ------------------------------------------------------------------------------ */

function readOptions(args) {
    const options = { port: 0, scenario: 'ok', record: null, key: null, store: 'off', withStdin: false };
    const names = {
        '--port': 'port',
        '--record': 'record',
        '--scenario': 'scenario',
        '--key': 'key',
        '--store': 'store',
    };

    for (let i = 0; i < args.length; i++) {
        if (args[i] === '--with-stdin') {
            options.withStdin = true;
        } else if (names[args[i]] && i + 1 < args.length) {
            options[names[args[i]]] = args[++i];
        } else {
            console.error(`gemini.mjs: ${args[i]} is not an option, or its value is missing`);
            process.exit(2);
        }
    }
    return options;
}

const options = readOptions(process.argv.slice(2));

/* Pictures ---------------------------------------------------------------------------------- */

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) {
        n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    }
    return n >>> 0;
});

function crc32(bytes) {
    let crc = 0xffffffff;

    for (let i = 0; i < bytes.length; i++) {
        crc = CRC_TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
    }
    return (crc ^ 0xffffffff) >>> 0;
}

function pngChunk(type, data) {
    const chunk = Buffer.alloc(12 + data.length);

    chunk.writeUInt32BE(data.length, 0);
    chunk.write(type, 4, 'latin1');
    data.copy(chunk, 8);
    chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
    return chunk;
}

/* A palette of two colors, one bit per pixel: a 4K picture takes milliseconds. */
function png(width, height, color, padding = 0) {
    const head = Buffer.alloc(13);

    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head[8] = 1;
    head[9] = 3;
    return Buffer.concat([
        Buffer.from('89504e470d0a1a0a', 'hex'),
        pngChunk('IHDR', head),
        pngChunk('PLTE', Buffer.from([...color, 255, 255, 255])),
        ...(padding ? [pngChunk('paDd', Buffer.alloc(padding))] : []),
        pngChunk('IDAT', deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height), { level: 1 })),
        pngChunk('IEND', Buffer.alloc(0)),
    ]);
}

function jpegSegment(marker, bytes) {
    const head = Buffer.from([0xff, marker, 0, 0]);

    head.writeUInt16BE(bytes.length + 2, 2);
    return Buffer.concat([head, Buffer.from(bytes)]);
}

function yCbCr([r, g, b]) {
    return [
        0.299 * r + 0.587 * g + 0.114 * b,
        128 - 0.168736 * r - 0.331264 * g + 0.5 * b,
        128 + 0.5 * r - 0.418688 * g - 0.081312 * b,
    ];
}

/* Nine DC codes of four bits each (categories 0 to 8) and one AC code: '0', the end of the block.
 * Every quantizer is 8, so a DC coefficient is the sample minus 128. */
const JPEG_DC = [0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
const JPEG_AC = [0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

function dcBits(value) {
    const size = value ? Math.floor(Math.log2(Math.abs(value))) + 1 : 0;
    const bits = value < 0 ? value + (1 << size) - 1 : value;

    return size.toString(2).padStart(4, '0') + (size ? bits.toString(2).padStart(size, '0') : '');
}

/* The first block of each component encodes its color; the others encode "unchanged": zero bits. */
function jpegScan(width, height, color) {
    const units = Math.ceil(width / 8) * Math.ceil(height / 8);
    const first = yCbCr(color)
        .map((v) => Math.max(0, Math.min(255, Math.round(v))) - 128)
        .map((v) => dcBits(v) + '0')
        .join('');
    const length = first.length + (units - 1) * 3 * 5;
    const scan = Buffer.alloc(Math.ceil(length / 8));
    const stuffed = [];

    for (let i = 0; i < first.length; i++) {
        scan[i >> 3] |= Number(first[i]) << (7 - (i & 7));
    }
    for (let i = length; i < scan.length * 8; i++) {
        scan[i >> 3] |= 1 << (7 - (i & 7));
    }
    for (const byte of scan.subarray(0, 8)) {
        stuffed.push(...(byte === 0xff ? [0xff, 0] : [byte]));
    }
    return Buffer.concat([Buffer.from(stuffed), scan.subarray(8)]);
}

function jpeg(width, height, color) {
    const size = [height >> 8, height & 255, width >> 8, width & 255];

    return Buffer.concat([
        Buffer.from([0xff, 0xd8]),
        jpegSegment(0xe0, [...Buffer.from('JFIF\0', 'latin1'), 1, 1, 0, 0, 1, 0, 1, 0, 0]),
        jpegSegment(0xdb, [0, ...Array(64).fill(8)]),
        jpegSegment(0xc0, [8, ...size, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]),
        jpegSegment(0xc4, JPEG_DC),
        jpegSegment(0xc4, JPEG_AC),
        jpegSegment(0xda, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0]),
        jpegScan(width, height, color),
        Buffer.from([0xff, 0xd9]),
    ]);
}

function sniff(bytes) {
    if (bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff]))) {
        return 'image/jpeg';
    }
    if (bytes.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) {
        return 'image/png';
    }
    if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP') {
        return 'image/webp';
    }
    if (/^ftyp(heic|heix|heim|heis|hevc|mif1|msf1)/.test(bytes.toString('latin1', 4, 12))) {
        return 'image/heic';
    }
    return null;
}

function jpegSize(bytes) {
    let at = 2;

    while (at + 9 <= bytes.length && bytes[at] === 0xff) {
        const marker = bytes[at + 1];

        if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
            return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
        }
        at += 2 + bytes.readUInt16BE(at + 2);
    }
    return [null, null];
}

/* Width and height of a PNG or JPEG reference; null for other types. */
function pixels(bytes) {
    const type = sniff(bytes);

    if (type === 'image/png' && bytes.length >= 24) {
        return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
    }
    return type === 'image/jpeg' ? jpegSize(bytes) : [null, null];
}

/* Errors, in Google's words ------------------------------------------------------------------ */

class Refusal extends Error {
    constructor(code, status, message, details) {
        super(message);
        this.code = code;
        this.body = { error: { code, message, status, ...(details ? { details } : {}) } };
    }
}

const RPC = 'type.googleapis.com/google.rpc.';

function badField(field, description) {
    return new Refusal(400, 'INVALID_ARGUMENT', description, [
        { '@type': RPC + 'BadRequest', fieldViolations: [{ field, description }] },
    ]);
}

function errorInfo(reason, metadata = {}) {
    return {
        '@type': RPC + 'ErrorInfo',
        reason,
        domain: 'googleapis.com',
        metadata: { service: 'generativelanguage.googleapis.com', ...metadata },
    };
}

const KEY_INVALID = () =>
    new Refusal(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        errorInfo('API_KEY_INVALID'),
        {
            '@type': RPC + 'LocalizedMessage',
            locale: 'en-US',
            message: 'API key not valid. Please pass a valid API key.',
        },
    ]);

function quota(message, value, delay, quotaId = 'GenerateRequestsPerMinutePerProjectPerModel') {
    return new Refusal(429, 'RESOURCE_EXHAUSTED', message, [
        {
            '@type': RPC + 'QuotaFailure',
            violations: [
                {
                    quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests',
                    quotaId,
                    quotaDimensions: { location: 'global', model: 'gemini-3-pro-image' },
                    quotaValue: value,
                },
            ],
        },
        {
            '@type': RPC + 'Help',
            links: [
                {
                    description: 'Learn more about Gemini API quotas',
                    url: 'https://ai.google.dev/gemini-api/docs/rate-limits',
                },
            ],
        },
        ...(delay ? [{ '@type': RPC + 'RetryInfo', retryDelay: delay }] : []),
    ]);
}

const STATUSES = {
    400: () =>
        badField(
            'contents',
            'Unable to process input image. Please retry or report in ' +
                'https://developers.generativeai.google/guide/troubleshooting',
        ),
    401: () =>
        new Refusal(
            401,
            'UNAUTHENTICATED',
            'Request had invalid authentication credentials. Expected OAuth 2 ' +
                'access token, login cookie or other valid authentication credential.',
            [errorInfo('ACCESS_TOKEN_TYPE_UNSUPPORTED')],
        ),
    403: () =>
        new Refusal(403, 'PERMISSION_DENIED', 'Your API key was reported as leaked. Please use another API key.'),
    404: () => unknownModel('v1beta', 'gemini-3-pro-image'),
    408: () => new Refusal(408, 'DEADLINE_EXCEEDED', 'Request timeout.'),
    413: () => new Refusal(413, 'INVALID_ARGUMENT', 'Request Entity Too Large'),
    429: () =>
        quota(
            'You exceeded your current quota, please check your plan and billing ' +
                'details.\n* Quota exceeded for metric: generate_content_requests, ' +
                'limit: 20\nPlease retry in 36.4s.',
            '20',
            '37s',
        ),
    499: () => new Refusal(499, 'CANCELLED', 'The operation was cancelled.'),
    500: () =>
        new Refusal(
            500,
            'INTERNAL',
            'An internal error has occurred. Please retry or ' +
                'report in https://developers.generativeai.google/guide/' +
                'troubleshooting',
        ),
    502: () => new Refusal(502, 'UNAVAILABLE', 'Bad gateway.'),
    503: () =>
        new Refusal(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.', [
            errorInfo('MODEL_CAPACITY_EXHAUSTED'),
        ]),
    504: () => new Refusal(504, 'DEADLINE_EXCEEDED', 'Deadline expired before operation could complete.'),
};

function unknownModel(version, model) {
    return new Refusal(
        404,
        'NOT_FOUND',
        `models/${model} is not found for API version ${version}, or is not ` +
            'supported for generateContent. Call ListModels to see the list of ' +
            'available models and their supported methods.',
    );
}

/* Validation of requests -------------------------------------------------------------------- */

function isObject(value) {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/* Each known member has a check, which throws. Unknown members are refused. */
function checkObject(value, path, members) {
    if (!isObject(value)) {
        throw badField(path, `Invalid value at '${path}': an object is expected.`);
    }
    for (const name of Object.keys(value)) {
        if (!Object.hasOwn(members, name)) {
            throw badField(
                path,
                `Invalid JSON payload received. Unknown name "${name}"` +
                    `${path ? ` at '${path}'` : ''}: Cannot find field.`,
            );
        }
        members[name](value[name], path ? `${path}.${name}` : name);
    }
}

function checkArray(check, least = 0) {
    return (value, path) => {
        if (!Array.isArray(value) || value.length < least) {
            throw badField(path, `Invalid value at '${path}': a list is expected.`);
        }
        value.forEach((one, i) => check(one, `${path}[${i}]`));
    };
}

function checkString(value, path) {
    if (typeof value !== 'string') {
        throw badField(path, `Invalid value at '${path}' (TYPE_STRING).`);
    }
}

function checkNumber(value, path) {
    if (typeof value !== 'number') {
        throw badField(path, `Invalid value at '${path}' (TYPE_INT32).`);
    }
}

function checkBoolean(value, path) {
    if (typeof value !== 'boolean') {
        throw badField(path, `Invalid value at '${path}' (TYPE_BOOL).`);
    }
}

function checkOneOf(...names) {
    return (value, path) => {
        if (!names.includes(value)) {
            throw badField(path, `Invalid value at '${path}': ${JSON.stringify(value)}`);
        }
    };
}

function checkBase64(value, path) {
    checkString(value, path);
    if (value === '' || value.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
        throw badField(path, `Invalid value at '${path}' (TYPE_BYTES), Base64 decoding failed.`);
    }
}

function checkInlineData(value, path) {
    checkObject(value, path, { mimeType: checkString, data: checkBase64 });
    if (!IMAGE_TYPES.includes(value.mimeType)) {
        throw badField(path, `Unsupported MIME type: ${value.mimeType}`);
    }
    if ((value.data ?? '').length > (MAX_IMAGE / 3) * 4 + 4) {
        throw badField(path, `Image size exceeds the limit: ${MAX_IMAGE} bytes.`);
    }
    if (sniff(Buffer.from(value.data ?? '', 'base64')) !== value.mimeType.replace('heif', 'heic')) {
        throw badField(path, 'Unhandled generated data mime type: the data is no ' + value.mimeType);
    }
}

function checkPart(value, path) {
    checkObject(value, path, { text: checkString, inlineData: checkInlineData });
    if (Object.keys(value).length !== 1) {
        throw badField(path, `Invalid value at '${path}': oneof field 'data' must be set once.`);
    }
}

const CONTENT = { parts: checkArray(checkPart, 1), role: checkOneOf('user') };

const GENERATION_CONFIG = {
    responseModalities: checkArray(checkOneOf('TEXT', 'IMAGE'), 1),
    imageConfig: (value, path) =>
        checkObject(value, path, {
            aspectRatio: checkOneOf(...Object.keys(SIZES_1K)),
            imageSize: checkOneOf(...Object.keys(SCALES)),
        }),
    temperature: checkNumber,
    candidateCount: checkOneOf(1),
    seed: checkNumber,
    thinkingConfig: (value, path) =>
        checkObject(value, path, {
            includeThoughts: checkBoolean,
            thinkingLevel: checkOneOf('LOW', 'HIGH'),
        }),
};

const REQUEST = {
    contents: checkArray((value, path) => checkObject(value, path, CONTENT), 1),
    systemInstruction: (value, path) => checkObject(value, path, CONTENT),
    safetySettings: checkArray((value, path) =>
        checkObject(value, path, {
            category: checkString,
            threshold: checkString,
        }),
    ),
    generationConfig: (value, path) => checkObject(value, path, GENERATION_CONFIG),
    continuationToken: checkString,
    store: checkBoolean,
};

function inlinePartsOf(body) {
    return (Array.isArray(body?.contents) ? body.contents : [])
        .flatMap((content) => (Array.isArray(content?.parts) ? content.parts : []))
        .filter((part) => isObject(part?.inlineData));
}

function checkBody(body) {
    checkObject(body, '', REQUEST);
    if (!body.contents) {
        throw badField('contents', '* GenerateContentRequest.contents: contents is not specified');
    }
    if (body.store !== (options.store === 'project' ? undefined : false)) {
        throw badField(
            'store',
            options.store === 'project'
                ? 'This stand-in takes no request that says whether it is stored.'
                : 'This stand-in takes no request that may be stored: store must be false.',
        );
    }
    if (inlinePartsOf(body).length > MAX_IMAGES) {
        throw badField('contents', `Please use at most ${MAX_IMAGES} images for this model.`);
    }
}

function checkRatio(body, model) {
    const image = body.generationConfig?.imageConfig ?? {};

    if (NOT_TAKEN[model]?.includes(image.aspectRatio)) {
        throw badField('generation_config.image_config', `${model} does not take ${image.aspectRatio}.`);
    }
}

function parseBody(raw) {
    try {
        return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
    } catch {
        throw new Refusal(400, 'INVALID_ARGUMENT', 'Invalid JSON payload received. Unexpected token.');
    }
}

function checkKey(req, url) {
    const key = req.headers['x-goog-api-key'];

    if (url.search && !(url.search === '?alt=sse' && url.pathname.endsWith(':streamGenerateContent'))) {
        throw new Refusal(400, 'INVALID_ARGUMENT', 'This stand-in takes nothing in the query, and no key above all.');
    }
    if (!key) {
        throw new Refusal(
            403,
            'PERMISSION_DENIED',
            "Method doesn't allow unregistered callers (callers without " +
                'established identity). Please use API Key or other form of API ' +
                'consumer identity to call this API.',
        );
    }
    if (options.key && key !== options.key) {
        throw KEY_INVALID();
    }
}

function checkHeaders(req) {
    if (!/^application\/json\s*(;|$)/i.test(req.headers['content-type'] ?? '')) {
        throw new Refusal(400, 'INVALID_ARGUMENT', 'The Content-Type must be application/json.');
    }
    if (req.headers['content-length'] === undefined) {
        throw new Refusal(411, 'INVALID_ARGUMENT', 'A Content-Length is required.');
    }
    if (!/^([1-9][0-9]*)?$/.test(req.headers['x-server-timeout'] ?? '')) {
        throw new Refusal(400, 'INVALID_ARGUMENT', 'X-Server-Timeout must be whole seconds.');
    }
}

/* @return the parsed request; throws a Refusal if it is invalid */
function readRequest(req, url, raw, oversize) {
    const match = /^\/(v1beta|v1)\/models\/([^/:]+):(g|streamG)enerateContent$/.exec(url.pathname);

    if (!match || req.method !== 'POST' || (match[3] === 'streamG') !== (url.search !== '')) {
        throw new Refusal(404, 'NOT_FOUND', 'Requested entity was not found.');
    }
    checkKey(req, url);
    checkHeaders(req);
    if (oversize) {
        throw new Refusal(400, 'INVALID_ARGUMENT', `Request payload size exceeds the limit: ${MAX_BODY} bytes.`);
    }
    if (!LIVING_MODELS.includes(match[2])) {
        throw unknownModel(match[1], match[2]);
    }
    const body = parseBody(raw);
    checkBody(body);
    checkRatio(body, match[2]);
    return { ...wishOf(body, match[2], req), streamed: match[3] === 'streamG' };
}

/* The list of models, or one model. @return null if the request is for something else */
function modelsAsked(req, url) {
    const match = /^\/(v1beta|v1)\/models(?:\/([^/:]+))?$/.exec(url.pathname);

    if (!match || req.method !== 'GET') {
        return null;
    }
    checkKey(req, { search: url.search === '?pageSize=50' ? '' : url.search });
    if (match[2] && !LIVING_MODELS.includes(match[2])) {
        throw unknownModel(match[1], match[2]);
    }
    const models = LIVING_MODELS.map((name) => ({
        name: `models/${name}`,
        version: '3.0',
        displayName: name,
        inputTokenLimit: 65536,
        outputTokenLimit: 32768,
        supportedGenerationMethods: ['generateContent', 'countTokens'],
    }));

    return match[2] ? models[LIVING_MODELS.indexOf(match[2])] : { models };
}

function wishOf(body, model, req) {
    const image = body.generationConfig?.imageConfig ?? {};
    const [width, height] = SIZES_1K[image.aspectRatio ?? '1:1'];
    const scale = SCALES[image.imageSize ?? '1K'];
    const prompt = body.contents
        .flatMap((content) => content.parts)
        .map((part) => part.text ?? '')
        .join('');
    const hash = createHash('sha256').update(prompt);

    inlinePartsOf(body).forEach((part) => hash.update(part.inlineData.data, 'base64'));
    return {
        model,
        prompt,
        continued: body.continuationToken !== undefined,
        width: width * scale,
        height: height * scale,
        color: [...hash.digest().subarray(0, 3)],
        key: req.headers['x-goog-api-key'],
        gzip: /\bgzip\b/.test(req.headers['accept-encoding'] ?? ''),
        scenario: /\[\[scenario:([^\]]+)\]\]/.exec(prompt)?.[1] ?? options.scenario,
    };
}

/* Replies ----------------------------------------------------------------------------------- */

function inline(bytes, mimeType = sniff(bytes), more = {}) {
    return { inlineData: { mimeType, data: bytes.toString('base64') }, ...more };
}

function usage() {
    return {
        promptTokenCount: 592,
        candidatesTokenCount: 1290,
        thoughtsTokenCount: 188,
        totalTokenCount: 2070,
        promptTokensDetails: [
            { modality: 'TEXT', tokenCount: 32 },
            { modality: 'IMAGE', tokenCount: 560 },
        ],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1120 }],
    };
}

function replyOf(wish, parts, candidate = {}, more = {}) {
    return {
        candidates: [
            { ...(parts ? { content: { parts, role: 'model' } } : {}), finishReason: 'STOP', index: 0, ...candidate },
        ],
        usageMetadata: usage(),
        modelVersion: wish.model,
        responseId: 'kQ9faYzXJ4qLvdIP8bmR0A8',
        ...more,
    };
}

const drawing = (wish, padding) => png(wish.width, wish.height, wish.color, padding);
const picture = (wish) => jpeg(wish.width, wish.height, wish.color);

function withoutImage(wish, finishReason) {
    return replyOf(wish, null, {
        finishReason,
        finishMessage: `Unable to show the generated image. ` + `(${finishReason})`,
    });
}

function snakeKeys(value) {
    if (Array.isArray(value)) {
        return value.map(snakeKeys);
    }
    if (!isObject(value)) {
        return value;
    }
    return Object.fromEntries(
        Object.entries(value).map(([name, one]) => [
            name.replace(/[A-Z]/g, (c) => '_' + c.toLowerCase()),
            snakeKeys(one),
        ]),
    );
}

function edited(reply, edit) {
    reply.candidates[0].content.parts.forEach((part) => {
        part.inlineData.data = edit(part.inlineData.data);
    });
    return reply;
}

function sendJson(res, status, value, { indent = 0, headers = {} } = {}) {
    const text = JSON.stringify(value, null, indent);

    sendBytes(res, status, Buffer.from(text), { 'Content-Type': 'application/json; charset=UTF-8', ...headers });
}

function sendBytes(res, status, bytes, headers) {
    res.writeHead(status, { ...headers, 'Content-Length': bytes.length });
    res.end(bytes);
}

function sendRefusal(res, refusal, headers = {}) {
    sendJson(res, refusal.code, refusal.body, { indent: 2, headers });
}

const HTML = Buffer.from(
    '<!doctype html><html><head><title>Sorry</title></head><body>' +
        '<h1>Temporarily out of order</h1></body></html>\n',
);

/* Write half of the text, then disconnect. */
function breakOff(res, text, headers) {
    res.writeHead(200, { 'Content-Type': 'application/json', ...headers });
    res.write(text.slice(0, text.length >> 1), () => setTimeout(() => res.destroy(), 20));
}

/* Responses held until the test releases them, oldest first. */
const gate = { open: false, held: new Set(), most: 0 };

function hold(wish, res, scenario) {
    const entry = { answer: () => play({ ...wish, scenario: scenario || 'ok' }, res) };

    if (gate.open) {
        entry.answer();
        return;
    }

    entry.timer = setTimeout(() => sendRefusal(res, STATUSES[504]()), HOLD_SECONDS * 1000);
    gate.held.add(entry);
    gate.most = Math.max(gate.most, gate.held.size);
    res.on('close', () => {
        clearTimeout(entry.timer);
        gate.held.delete(entry);
    });
}

function release(count) {
    const entries = [...gate.held].slice(0, count);

    for (const entry of entries) {
        clearTimeout(entry.timer);
        gate.held.delete(entry);
        entry.answer();
    }
    return entries.length;
}

/* name -> function that answers the request; a request can name it as name:ARGUMENT. */
const SCENARIOS = {
    /* pictures */
    ok: (wish, res) => sendJson(res, 200, replyOf(wish, [inline(picture(wish))])),
    pretty: (wish, res) => sendJson(res, 200, replyOf(wish, [inline(picture(wish))]), { indent: 2 }),
    png: (wish, res) => sendJson(res, 200, replyOf(wish, [inline(drawing(wish))])),
    'jpeg-labelled-png': (wish, res) => sendJson(res, 200, replyOf(wish, [inline(picture(wish), 'image/png')])),
    'png-labelled-jpeg': (wish, res) => sendJson(res, 200, replyOf(wish, [inline(drawing(wish), 'image/jpeg')])),
    text: (wish, res) =>
        sendJson(
            res,
            200,
            replyOf(wish, [{ text: 'Here is your picture.' }, inline(picture(wish)), { text: 'Enjoy!' }]),
        ),
    thoughts: (wish, res) =>
        sendJson(
            res,
            200,
            replyOf(wish, [
                { text: 'I sketch first.', thought: true },
                inline(png(512, 512, [9, 9, 9]), 'image/png', { thought: true }),
                inline(picture(wish), undefined, { thoughtSignature: 'c2ln'.repeat(64 * 1024) }),
            ]),
        ),
    'only-thought': (wish, res) =>
        sendJson(
            res,
            200,
            replyOf(wish, [
                inline(png(512, 512, [9, 9, 9]), 'image/png', { thought: true }),
                inline(picture(wish), undefined, { thought: true }),
            ]),
        ),
    'only-draft': (wish, res) =>
        sendJson(res, 200, replyOf(wish, [inline(png(512, 512, [9, 9, 9]), 'image/png', { thought: true })])),
    'two-images': (wish, res) =>
        sendJson(res, 200, replyOf(wish, [inline(png(512, 512, [9, 9, 9])), inline(picture(wish))])),
    snake: (wish, res) => sendJson(res, 200, snakeKeys(replyOf(wish, [inline(picture(wish))]))),
    nulls: (wish, res) =>
        sendJson(
            res,
            200,
            replyOf(
                wish,
                [
                    { text: null, inlineData: null, thought: null },
                    { text: null, thought: null, ...inline(picture(wish)) },
                ],
                { finishMessage: null, safetyRatings: null },
                { promptFeedback: null, error: null, modelVersion: null, usageMetadata: null },
            ),
        ),
    shuffled: (wish, res) =>
        sendJson(res, 200, {
            zzz: { unheard: ['of'] },
            modelVersion: wish.model,
            usageMetadata: usage(),
            candidates: [
                {
                    novelty: 1,
                    finishReason: 'STOP',
                    content: {
                        role: 'model',
                        parts: [
                            {
                                thoughtSignature: 'c2ln'.repeat(100 * 1024),
                                extra: {},
                                inlineData: {
                                    data: picture(wish).toString('base64'),
                                    displayName: '',
                                    mimeType: 'image/jpeg',
                                },
                            },
                        ],
                    },
                },
            ],
        }),
    bare: (wish, res) =>
        sendJson(res, 200, {
            candidates: [{ content: { parts: [inline(picture(wish))] } }],
        }),
    unpadded: (wish, res) =>
        sendJson(
            res,
            200,
            edited(replyOf(wish, [inline(picture(wish))]), (data) => data.replace(/=+$/, '')),
        ),
    urlsafe: (wish, res) =>
        sendJson(
            res,
            200,
            edited(replyOf(wish, [inline(picture(wish))]), (data) => data.replace(/\+/g, '-').replace(/\//g, '_')),
        ),
    escaped: (wish, res) => {
        const data = picture(wish).toString('base64');
        const reply = replyOf(wish, [inline(Buffer.alloc(0), 'image/jpeg')]);

        /* Some JSON writers escape "/" and "=", although they need not. */
        sendBytes(
            res,
            200,
            Buffer.from(
                JSON.stringify(reply).replace(
                    '"data":""',
                    () => `"data":"${data.replace(/\//g, '\\/').replace(/=/g, '\\u003d')}"`,
                ),
            ),
            { 'Content-Type': 'application/json' },
        );
    },
    'other-model': (wish, res) =>
        sendJson(res, 200, replyOf(wish, [inline(picture(wish))], {}, { modelVersion: 'gemini-9-flash-image' })),
    retiring: (wish, res) =>
        sendJson(
            res,
            200,
            replyOf(
                wish,
                [inline(picture(wish))],
                {},
                {
                    modelStatus: {
                        modelStage: 'DEPRECATED',
                        message: 'This model ends soon.',
                        retirementTime: '2027-06-25T00:00:00Z',
                    },
                },
            ),
        ),
    'wrong-size': (wish, res) => sendJson(res, 200, replyOf(wish, [inline(png(512, 512, wish.color))])),
    big: (wish, res) => sendJson(res, 200, replyOf(wish, [inline(drawing(wish, 24 * 1024 * 1024))])),
    gzip: (wish, res) => {
        const text = Buffer.from(JSON.stringify(replyOf(wish, [inline(picture(wish))])));

        sendBytes(res, 200, wish.gzip ? gzipSync(text) : text, {
            'Content-Type': 'application/json',
            ...(wish.gzip ? { 'Content-Encoding': 'gzip' } : {}),
        });
    },
    chunked: (wish, res) => {
        const text = JSON.stringify(replyOf(wish, [inline(picture(wish))]));

        res.writeHead(200, { 'Content-Type': 'application/json' });
        res.write(text.slice(0, 100));
        setTimeout(() => res.end(text.slice(100)), 20);
    },
    'no-length': (wish, res) => {
        const text = JSON.stringify(replyOf(wish, [inline(picture(wish))]));

        res.socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n' + `Connection: close\r\n\r\n${text}`);
    },
    interim: (wish, res) => {
        res.writeEarlyHints?.({ link: '</x>; rel=preload' });
        SCENARIOS.ok(wish, res);
    },
    'text-plain': (wish, res) =>
        sendJson(res, 200, replyOf(wish, [inline(picture(wish))]), { headers: { 'Content-Type': 'text/plain' } }),
    array: (wish, res) => sendJson(res, 200, [replyOf(wish, [inline(picture(wish))])]),
    slow: (wish, res, ms) => setTimeout(() => SCENARIOS.ok(wish, res), Number(ms)),
    hold: hold,
    'slow-body': (wish, res, ms) => {
        const text = JSON.stringify(replyOf(wish, [inline(picture(wish))]));

        res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': text.length });
        res.write(text.slice(0, 100));
        setTimeout(() => res.end(text.slice(100)), Number(ms));
    },

    /* replies without a picture */
    'no-image': (wish, res) => sendJson(res, 200, replyOf(wish, [{ text: 'I would rather describe it in words.' }])),
    'empty-object': (wish, res) => sendJson(res, 200, {}),
    'no-content': (wish, res) => sendJson(res, 200, replyOf(wish, null)),
    refused: (wish, res, reason) => sendJson(res, 200, withoutImage(wish, reason)),
    finish: (wish, res, reason) => sendJson(res, 200, replyOf(wish, [inline(picture(wish))], { finishReason: reason })),
    'broken-off': (wish, res, reason) => {
        const bytes = picture(wish);

        sendJson(
            res,
            200,
            replyOf(wish, [inline(bytes.subarray(0, bytes.length >> 1), 'image/jpeg')], { finishReason: reason }),
        );
    },
    'thought-only-finish': (wish, res, reason) =>
        sendJson(
            res,
            200,
            replyOf(wish, [inline(picture(wish), undefined, { thought: true })], { finishReason: reason }),
        ),
    blocked: (wish, res, reason) =>
        sendJson(res, 200, {
            promptFeedback: { blockReason: reason, safetyRatings: [] },
            usageMetadata: { promptTokenCount: 1119, totalTokenCount: 1119 },
            modelVersion: wish.model,
        }),
    continuation: (wish, res) =>
        sendJson(
            res,
            200,
            wish.continued
                ? replyOf(wish, [inline(picture(wish))])
                : replyOf(wish, null, { finishReason: 'CONTINUATION' }, { continuationToken: 'dG9rZW4=' }),
        ),
    'bad-base64': (wish, res) =>
        sendJson(
            res,
            200,
            edited(replyOf(wish, [inline(picture(wish))]), (data) => '!!' + data.slice(2)),
        ),
    'not-a-picture': (wish, res) =>
        sendJson(res, 200, replyOf(wish, [inline(Buffer.from('These words are no picture.'), 'image/png')])),
    gif: (wish, res) =>
        sendJson(res, 200, replyOf(wish, [inline(Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1'), 'image/gif')])),

    /* errors */
    status: (wish, res, code) =>
        STATUSES[code]
            ? sendRefusal(res, STATUSES[code]())
            : sendRefusal(res, new Refusal(Number(code), 'UNKNOWN', 'Something else.')),
    precondition: (wish, res) =>
        sendRefusal(res, new Refusal(400, 'FAILED_PRECONDITION', 'User location is not supported for the API use.')),
    'key-invalid': (wish, res) => sendRefusal(res, KEY_INVALID()),
    'echo-key': (wish, res) =>
        sendRefusal(
            res,
            new Refusal(403, 'PERMISSION_DENIED', `The key ${wish.key} may not use ${wish.key}'s models.`, [
                errorInfo('CONSUMER_INVALID', { consumer: wish.key }),
            ]),
        ),
    'quota-zero': (wish, res) =>
        sendRefusal(
            res,
            quota('You exceeded your current quota. * Quota exceeded for metric: requests, limit: 0', '0'),
        ),
    'quota-fraction': (wish, res) => sendRefusal(res, quota('Slow down.', '20', '36.2s')),
    'quota-brief': (wish, res) => sendRefusal(res, quota('Slow down.', '20', '1s')),
    'quota-day': (wish, res) =>
        sendRefusal(
            res,
            quota('You exceeded your current quota.', '250', '1s', 'GenerateRequestsPerDayPerProjectPerModel'),
        ),
    'quota-day-in-words': (wish, res) =>
        sendRefusal(
            res,
            new Refusal(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded.', [
                {
                    '@type': RPC + 'QuotaFailure',
                    violations: [{ subject: 'project:1', description: 'Requests per day: 250' }],
                },
                { '@type': RPC + 'RetryInfo', retryDelay: '19s' },
            ]),
        ),
    'quota-forever': (wish, res) => sendRefusal(res, quota('Slow down.', '20', '86400s')),
    'retry-after': (wish, res, value) =>
        sendRefusal(res, new Refusal(429, 'RESOURCE_EXHAUSTED', 'Slow down.'), { 'Retry-After': value }),
    'array-error': (wish, res) => sendJson(res, 429, [STATUSES[429]().body], { indent: 2 }),
    'error-200': (wish, res) => sendJson(res, 200, STATUSES[503]().body),
    html: (wish, res) => sendBytes(res, 200, HTML, { 'Content-Type': 'text/html' }),
    'html-503': (wish, res) => sendBytes(res, 503, HTML, { 'Content-Type': 'text/html' }),
    empty: (wish, res) => sendBytes(res, 200, Buffer.alloc(0), { 'Content-Type': 'application/json' }),
    'cut-json': (wish, res) => {
        const text = JSON.stringify(replyOf(wish, [inline(picture(wish))]));

        sendBytes(res, 200, Buffer.from(text.slice(0, text.length >> 1)), { 'Content-Type': 'application/json' });
    },

    /* broken connections */
    'short-body': (wish, res) => {
        const text = JSON.stringify(replyOf(wish, [inline(picture(wish))]));

        breakOff(res, text, { 'Content-Length': text.length });
    },
    'short-chunked': (wish, res) => breakOff(res, JSON.stringify(replyOf(wish, [inline(picture(wish))])), {}),
    reset: (wish, res) => res.socket.resetAndDestroy(),
    close: (wish, res) => res.socket.destroy(),
    silence: () => {},
    'not-http': (wish, res) => res.socket.end('220 mail.example.org ESMTP\r\n'),
    redirect: (wish, res) => {
        res.writeHead(307, { Location: `http://127.0.0.1:${server.address().port}/elsewhere` });
        res.end();
    },
    'redirect-host': (wish, res) => {
        res.writeHead(302, { Location: `http://localhost:${server.address().port}/elsewhere` });
        res.end();
    },
};

const plays = new Map(); /* prompt -> number of requests */

/* first:N:NAME is NAME for the first N requests with the prompt. */
function sceneOf(wish) {
    const match = /^first:(\d+):(.+)$/.exec(wish.scenario);
    const count = (plays.get(wish.prompt) ?? 0) + 1;

    if (!match) {
        return wish.scenario;
    }
    plays.set(wish.prompt, count);
    return count <= Number(match[1]) ? match[2] : 'ok';
}

/* The same reply in two events: text first, then the picture. A refusal is one event with status
 * 200, as in Google's service. */
function playStreamed(wish, res) {
    const event = (value) => `data: ${JSON.stringify(value)}\r\n\r\n`;
    const parts = [inline(picture(wish))];

    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    if (wish.scenario.startsWith('status:')) {
        res.end(event(STATUSES[wish.scenario.slice(7)]().body));
        return;
    }
    res.write(event(replyOf(wish, [{ text: 'Here it comes.' }], { finishReason: undefined })));
    res.end(event(replyOf(wish, parts)));
}

function play(wish, res) {
    const [name, ...rest] = sceneOf(wish).split(':');

    if (wish.streamed) {
        playStreamed(wish, res);
        return;
    }

    if (!Object.hasOwn(SCENARIOS, name)) {
        throw new Refusal(500, 'INTERNAL', `There is no scenario "${wish.scenario}".`);
    }
    SCENARIOS[name](wish, res, rest.join(':'));
}

/* The record -------------------------------------------------------------------------------- */

const record = [];
let last = Buffer.alloc(0);

function sha256(bytes) {
    return createHash('sha256').update(bytes).digest('hex');
}

function headersOf(req) {
    const pairs = [];

    for (let i = 0; i < req.rawHeaders.length; i += 2) {
        const isKey = req.rawHeaders[i].toLowerCase() === 'x-goog-api-key';

        pairs.push([req.rawHeaders[i], isKey ? (req.rawHeaders[i + 1] ? 'present' : 'absent') : req.rawHeaders[i + 1]]);
    }
    return pairs;
}

function withoutPictures(name, value) {
    if (name !== 'data' || typeof value !== 'string') {
        return value;
    }
    const bytes = Buffer.from(value, 'base64');
    const [width, height] = pixels(bytes);

    return { sha256: sha256(bytes), length: bytes.length, width, height };
}

function summaryOf(raw) {
    try {
        return JSON.parse(JSON.stringify(JSON.parse(raw.toString()), withoutPictures));
    } catch {
        return null;
    }
}

function remember(req, raw, oversize) {
    const entry = {
        method: req.method,
        path: req.url.replace(/([?&]key=)[^&]*/g, '$1present'),
        headers: headersOf(req),
        length: raw.length,
        oversize,
        sha256: sha256(raw),
        body: summaryOf(raw),
    };

    record.push(entry);
    last = raw;
    if (options.record) {
        appendFileSync(options.record, JSON.stringify(entry) + '\n');
    }
}

/* The server -------------------------------------------------------------------------------- */

const OWN = {
    'GET /__record': (res) => sendJson(res, 200, record),
    'DELETE /__record': (res) => {
        record.length = 0;
        res.writeHead(204);
        res.end();
    },
    'GET /__last': (res) => sendBytes(res, 200, last, { 'Content-Type': 'application/json' }),
    'GET /__held': (res) => sendJson(res, 200, { held: gate.held.size, most: gate.most }),
    'POST /__release': (res, count) => {
        gate.open ||= count === undefined;
        sendJson(res, 200, { released: release(count === undefined ? Infinity : Number(count)) });
    },
    'POST /__hold': (res) => {
        gate.open = false;
        gate.most = gate.held.size;
        res.writeHead(204);
        res.end();
    },
    'GET /__scenarios': (res) => sendJson(res, 200, Object.keys(SCENARIOS)),
};

/* Bytes over the limit are read but not stored, so that the client can read the response. */
async function receive(req) {
    const pieces = [];
    let length = 0;

    for await (const piece of req) {
        length += piece.length;
        if (length <= MAX_BODY) {
            pieces.push(piece);
        }
    }
    return { raw: Buffer.concat(pieces), oversize: length > MAX_BODY };
}

async function serve(req, res) {
    const [path, query] = req.url.split('?');
    const own = path.startsWith('/__') && OWN[`${req.method} ${path}`];

    if (own) {
        own(res, query);
        return;
    }
    const { raw, oversize } = await receive(req);

    remember(req, raw, oversize);
    try {
        const url = new URL(req.url, 'http://double');
        const models = modelsAsked(req, url);

        if (models) {
            sendJson(res, 200, models);
            return;
        }
        play(readRequest(req, url, raw, oversize), res);
    } catch (error) {
        sendRefusal(res, error instanceof Refusal ? error : new Refusal(500, 'INTERNAL', String(error)));
    }
}

const server = createServer((req, res) => {
    serve(req, res).catch(() => res.destroy());
});

function stop() {
    server.close();
    server.closeAllConnections();
    process.exit(0);
}

server.requestTimeout = 0;
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
if (options.withStdin) {
    process.stdin.on('end', stop).on('error', stop).resume();
}
server.listen(Number(options.port), '127.0.0.1', () => {
    console.log(`listening ${server.address().port}`);
});
