/* certify.mjs - run Google's client against the stand-in, which must behave like the service.
 *
 *   node certify.mjs MAJOR BASE-URL KEY
 *
 * Prints "ok - ..." or "not ok - ..." for each check.
 */
import { createHash } from 'node:crypto';
import { client, load } from './client.mjs';

function check(passed, title) {
    console.log(`${passed ? 'ok' : 'not ok'} - ${title}`);
}

function same(got, wanted, title) {
    const [a, b] = [got, wanted].map((value) => JSON.stringify(value));

    check(a === b, a === b ? title : `${title}: got ${a}, wanted ${b}`);
}

const { ApiError } = await load();
const ai = await client();
const MODEL = 'gemini-3-pro-image';
const REFERENCES = [
    [
        'image/png',
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA' + 'AABJRU5ErkJggg==',
    ],
    ['image/jpeg', '/9j/wAARCAMABWADASIAAhEBAxEB'],
    ['image/webp', 'UklGRiAAAABXRUJQVlA4WAoAAAAAAAAAXwUA/wIA'],
    ['image/png', 'iVBORw0KGgoAAAANSUhEUgAABWAAAAMACAIAAAA='],
    ['image/jpeg', '/9j/wAARCAMABWADASIAAhEBAxEA'],
];

function wish(scenario, { references = REFERENCES, ratio = '3:4', size = '1K', ...more } = {}) {
    return {
        model: MODEL,
        contents: [
            {
                role: 'user',
                parts: [
                    { text: `A portrait, été [[scenario:${scenario}]]` },
                    ...references.map(([mimeType, data]) => ({ inlineData: { mimeType, data } })),
                ],
            },
        ],
        config: {
            store: false,
            responseModalities: ['TEXT', 'IMAGE'],
            imageConfig: { aspectRatio: ratio, imageSize: size },
        },
        ...more,
    };
}

/* The pictures of a reply, one per part. The client's .data would join them, thoughts included. */
function pictures(reply) {
    return (reply.candidates?.[0]?.content?.parts ?? [])
        .filter((part) => part.inlineData?.data)
        .map((part) => ({ ...part, bytes: Buffer.from(part.inlineData.data, 'base64') }));
}

function pixels(bytes) {
    if (bytes[0] === 0x89) {
        return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
    }
    for (let at = 2; at + 9 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2)) {
        if (bytes[at + 1] === 0xc0) {
            return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
        }
    }
    return null;
}

async function outcome(request) {
    try {
        return { reply: await ai.models.generateContent(request) };
    } catch (error) {
        return { error };
    }
}

const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');

/* Pictures ---------------------------------------------------------------------------------- */

async function testPictures() {
    const names = [
        'ok',
        'png',
        'pretty',
        'jpeg-labelled-png',
        'text',
        'thoughts',
        'only-thought',
        'two-images',
        'nulls',
        'shuffled',
        'bare',
        'escaped',
        'other-model',
        'retiring',
        'wrong-size',
        'gzip',
        'chunked',
        'no-length',
        'text-plain',
        'slow-body:50',
        'big',
        'finish:SOMETHING_NEW',
        'unpadded',
    ];

    for (const name of names) {
        const { reply, error } = await outcome(wish(name));
        const last = reply && pictures(reply).at(-1);

        check(!error && last, `${name}: the client finds a picture${error ? ` (${error})` : ''}`);
        same(
            last && pixels(last.bytes),
            name === 'wrong-size' ? [512, 512] : [896, 1200],
            `${name}: of the right size`,
        );
    }
    const { reply } = await outcome(wish('thoughts'));

    same(
        pictures(reply).map((part) => part.thought ?? false),
        [true, false],
        'thoughts are marked',
    );
    check(pictures(reply)[1].thoughtSignature?.length > 200000, 'thoughts: signatures are over 200000 characters');
    same(
        (await outcome(wish('retiring'))).reply.modelStatus?.modelStage,
        'DEPRECATED',
        'retiring: modelStatus announces the end of the model',
    );
    same((await outcome(wish('ok'))).reply.usageMetadata.totalTokenCount, 2070, 'usageMetadata counts the tokens');
    check(
        pictures((await outcome(wish('big'))).reply)[0].bytes.length > 24 * 1024 * 1024,
        'big: the picture has over 24 MiB',
    );
}

async function testSizes() {
    for (const [ratio, size, wanted] of [
        ['1:1', '1K', [1024, 1024]],
        ['16:9', '2K', [2752, 1536]],
        ['21:9', '4K', [6336, 2688]],
        ['4:5', '1K', [928, 1152]],
    ]) {
        const { reply } = await outcome(wish('ok', { ratio, size }));

        same(pixels(pictures(reply)[0].bytes), wanted, `${ratio} at ${size} has Google's size`);
    }
}

async function testReferences() {
    const of = async (references) => hash(pictures((await outcome(wish('ok', { references }))).reply)[0].bytes);
    const all = await of(REFERENCES);

    same(await of(REFERENCES), all, 'the same request draws the same picture');
    check((await of(REFERENCES.slice(0, 4))) !== all, 'one reference less draws another picture');
    check((await of([...REFERENCES].reverse())) !== all, 'another order of the references draws another picture');
}

/* Answers without a picture ----------------------------------------------------------------- */

async function testRefusals(sdk) {
    const reasons = Object.keys(sdk.FinishReason).filter((name) => !/UNSPECIFIED|^STOP$|CONTIN/.test(name));
    const blocks = ['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY'];

    for (const reason of reasons) {
        const { reply, error } = await outcome(wish(`refused:${reason}`));

        check(
            !error && pictures(reply).length === 0 && reply.candidates[0].finishReason === reason,
            `finishReason ${reason} is no error`,
        );
    }
    for (const reason of blocks) {
        const { reply, error } = await outcome(wish(`blocked:${reason}`));

        check(
            !error && !reply.candidates && reply.promptFeedback.blockReason === reason,
            `blockReason ${reason} is no error`,
        );
    }
    for (const name of ['no-image', 'empty-object', 'no-content']) {
        const { reply, error } = await outcome(wish(name));

        check(!error && pictures(reply).length === 0, `${name}: no error, and no picture`);
    }
    const { reply } = await outcome(wish('continuation'));

    check(reply, 'a CONTINUATION can be completed');
}

/* Errors ------------------------------------------------------------------------------------ */

const ERRORS = {
    'status:400': 400,
    'status:401': 401,
    'status:403': 403,
    'status:404': 404,
    'status:408': 408,
    'status:429': 429,
    'status:499': 499,
    'status:500': 500,
    'status:502': 502,
    'status:503': 503,
    'status:504': 504,
    precondition: 400,
    'key-invalid': 400,
    'quota-zero': 429,
    'quota-day': 429,
    'quota-fraction': 429,
    'array-error': 429,
    'html-503': 503,
};

async function testErrors() {
    for (const [name, status] of Object.entries(ERRORS)) {
        const { error } = await outcome(wish(name));

        same([error instanceof ApiError, error?.status], [true, status], `${name} is an ApiError with its status`);
    }
    const told = JSON.parse((await outcome(wish('status:429'))).error.message).error;

    same(
        told.details.find((one) => /RetryInfo$/.test(one['@type'])).retryDelay,
        '37s',
        'status 429: details contain RetryInfo',
    );
    for (const name of ['html', 'empty', 'cut-json', 'short-body', 'short-chunked', 'reset', 'close', 'not-http']) {
        const { error } = await outcome(wish(name));

        check(error && !(error instanceof ApiError), `${name} is an error, but not an ApiError`);
    }
}

/* Checks stricter than the client's ----------------------------------------------------------- */

async function testStrictness() {
    const png = REFERENCES[0];
    const cases = [
        ['a lower-case size', { size: '4k' }],
        ['an unknown ratio', { ratio: '7:13' }],
        ['image/jpg', { references: [['image/jpg', REFERENCES[1][1]]] }],
        ['a wrong media type', { references: [['image/jpeg', png[1]]] }],
        ['invalid base64', { references: [['image/png', '!!' + png[1].slice(2)]] }],
        ['fifteen pictures', { references: Array(15).fill(png) }],
        ['store: true', { config: { store: true } }],
        ['a request without store', { config: {} }],
        ['an unknown member', { config: { topLogprobs: undefined, topK: 3 } }],
        ['a picture over 7 MB', { references: [['image/png', png[1].slice(0, -4) + 'A'.repeat(10 * 1024 * 1024)]] }],
    ];

    for (const [what, more] of cases) {
        const { error } = await outcome(wish('ok', more));

        same(error?.status, 400, `${what} is refused, though the client sends it`);
    }
    for (const model of ['gemini-3-pro-image-preview', 'imagined']) {
        same((await outcome({ ...wish('ok'), model })).error?.status, 404, `the model ${model} is not there`);
    }
}

/* Streams, versions, lists ------------------------------------------------------------------ */

async function testStream() {
    const parts = [];

    for await (const chunk of await ai.models.generateContentStream(wish('ok'))) {
        parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    }
    same(
        parts.map((part) => Object.keys(part)[0]),
        ['text', 'inlineData'],
        'a stream has text first, then the picture',
    );
    try {
        for await (const chunk of await ai.models.generateContentStream(wish('status:503'))) {
            void chunk;
        }
        check(false, 'an error within a stream reaches the client');
    } catch (error) {
        same(error.status, 503, 'an error within a stream reaches the client');
    }
}

async function testVersions() {
    for (const apiVersion of ['v1', 'v1beta']) {
        const other = await client({ apiVersion });

        check(pictures(await other.models.generateContent(wish('ok'))).length === 1, `${apiVersion} is served`);
    }
}

async function testModels() {
    const names = [];

    for await (const model of await ai.models.list({ config: { pageSize: 50 } })) {
        names.push(model.name);
    }
    check(names.includes(`models/${MODEL}`) && !names.join().includes('preview'), 'the available models are listed');
    same((await ai.models.get({ model: MODEL })).name, `models/${MODEL}`, 'an available model can be read');
    const gone = await ai.models.get({ model: 'gemini-3-pro-image-preview' }).catch((error) => error);

    same(gone.status, 404, 'a retired model is 404');
}

await testPictures();
await testSizes();
await testReferences();
await testRefusals(await load());
await testErrors();
await testStrictness();
await testStream();
await testVersions();
await testModels();
console.log('done');
