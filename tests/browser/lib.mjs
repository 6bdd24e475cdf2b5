// lib.mjs - what the tests of the pages share: a browser, people who are logged in, pictures, judges, TAP.
//
//   IIMG_BASE=http://127.0.0.1:8080 node tests/browser/photos.mjs [WORDS]      only tests whose sentence has the words
//
// tests/lib/IdentityImg/Browser.pm runs a file against a server of its test; SHOTS=FOLDER keeps screenshots.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { chromium } from 'playwright-core';

export const base = process.env.IIMG_BASE;
const here = fileURLToPath(new URL('.', import.meta.url));
const only = process.argv.slice(2).join(' ');
const axe = readFileSync(join(here, 'node_modules/axe-core/axe.min.js'), 'utf8');
const PATIENCE = 20_000;

export const people = {
    admin: { id: '00000000-0000-4000-8000-00000000000a', email: 'admin@example.com', password: 'pw-admin' },
    alice: { id: '00000000-0000-4000-8000-00000000000b', email: 'alice@example.com', password: 'pw-alice' },
    one: { id: '00000000-0000-4000-8000-0000000000d1' },
    two: { id: '00000000-0000-4000-8000-0000000000d2' },
};
export const identities = {
    visionary: '00000000-0000-4000-8000-0000000000f1',
    maker: '00000000-0000-4000-8000-0000000000f2',
    runner: '00000000-0000-4000-8000-0000000000f4',
};

// --- The browser ------------------------------------------------------------------------------------

export const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
];

/** Debian's Chromium, in a folder of its own. */
export async function launch(options = {}) {
    const folder = mkdtempSync(join(tmpdir(), 'iimg-browser-'));
    const context = await chromium.launchPersistentContext(folder, {
        executablePath: '/usr/bin/chromium',
        args: flags,
        ...options,
    });
    const browser = context.browser();

    return {
        browser,
        first: context,
        async close() {
            await context.close().catch(() => undefined);
            rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        },
    };
}

// --- The API, beside the pages ----------------------------------------------------------------------

const basic = `Basic ${Buffer.from(`${people.admin.email}:${people.admin.password}`).toString('base64')}`;

/** A request as the admin; a body that is no form is JSON. */
export async function api(method, path, body) {
    const isForm = body instanceof FormData;
    const answer = await fetch(`${base}/api/v1/${path}`, {
        method,
        headers: { Authorization: basic, ...(body && !isForm ? { 'Content-Type': 'application/json' } : {}) },
        body: isForm ? body : body && JSON.stringify(body),
    });
    const text = await answer.text();

    if (!answer.ok) {
        throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    }
    return text ? JSON.parse(text) : null;
}

export const portrait = readFileSync(join(here, '../data/portrait.png'));

/** A PNG of one color, small unless `padding` makes it as large as a photo of a phone. */
export function picture(name = 'photo.png', color = [90, 70, 200], padding = 0) {
    return { name, mimeType: 'image/png', buffer: png(64, 48, color, padding) };
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let k = 0; k < 8; k++) {
        n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    }
    return n >>> 0;
});

function crc32(bytes) {
    return zlib.crc32
        ? zlib.crc32(bytes)
        : (bytes.reduce((crc, byte) => table[(crc ^ byte) & 255] ^ (crc >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;
}

function chunk(type, data) {
    const out = Buffer.alloc(12 + data.length);

    out.writeUInt32BE(data.length, 0);
    out.write(type, 4, 'latin1');
    data.copy(out, 8);
    out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
    return out;
}

function png(width, height, color, padding) {
    const head = Buffer.alloc(13);
    const line = Buffer.concat([
        Buffer.from([0]),
        Buffer.concat(Array.from({ length: width }, () => Buffer.from(color))),
    ]);
    let noise = 7;

    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head.set([8, 2, 0, 0, 0], 8);
    return Buffer.concat([
        Buffer.from('89504e470d0a1a0a', 'hex'),
        chunk('IHDR', head),
        ...(padding
            ? [
                  chunk(
                      'paDd',
                      Buffer.from(Array.from({ length: padding }, () => (noise = (noise * 75 + 74) % 65537) & 255)),
                  ),
              ]
            : []),
        chunk('IDAT', zlib.deflateSync(Buffer.concat(Array.from({ length: height }, () => line)))),
        chunk('IEND', Buffer.alloc(0)),
    ]);
}

/** Gives a user photos in place of those that there are; returns them. */
export async function givePhotos(userId, count, bytes = null) {
    const colors = [
        [200, 80, 70],
        [70, 160, 90],
        [70, 90, 200],
        [210, 170, 60],
        [140, 70, 170],
    ];

    for (const photo of await api('GET', `reference-images/?user_id=${userId}`)) {
        await api('DELETE', `reference-images/${photo.id}/?user_id=${userId}`);
    }
    const photos = [];

    for (let i = 0; i < count; i++) {
        const form = new FormData();

        form.set('user_id', userId);
        form.set('name', `Portrait ${i + 1}`);
        form.set('image', new Blob([bytes ?? picture('p.png', colors[i]).buffer]), `p${i}.png`);
        photos.push(await api('POST', 'reference-images/', form));
    }
    return photos;
}

// --- Tests ------------------------------------------------------------------------------------------

const tests = [];

/** A test is a sentence. It gets { open, page, context, allow, ... }; see run(). */
export function test(sentence, body, options = {}) {
    tests.push({ sentence, body, options });
}

export function assert(truth, what) {
    if (!truth) {
        throw new Error(`not so: ${what}`);
    }
}

export function equal(got, wanted, what) {
    const [one, other] = [JSON.stringify(got), JSON.stringify(wanted)];

    if (one !== other) {
        throw new Error(`${what}: got ${one}, wanted ${other}`);
    }
}

/** Waits until a function is true; its last value. */
export async function until(condition, what, patience = PATIENCE) {
    const end = Date.now() + patience;

    for (;;) {
        const value = await condition();

        if (value) {
            return value;
        }
        if (Date.now() > end) {
            throw new Error(`did not come: ${what}`);
        }
        await new Promise((done) => setTimeout(done, 50));
    }
}

// Complaints of the browser count wherever they come from.
function watch(context, complaints) {
    context.on('console', (message) => {
        if (message.type() === 'error' || /content.security.policy|violat/i.test(message.text())) {
            complaints.push(`console: ${message.text()} ${message.location().url ?? ''}`);
        }
    });
    context.on('weberror', (error) => complaints.push(`error: ${error.error().message}`));
}

/** Wait until the stand-in for Gemini holds COUNT requests ([[scenario:hold]]), then let it answer the oldest ones. */
export async function release(count) {
    const ask = (path, options) => fetch(`${process.env.IIMG_GEMINI}${path}`, options);

    await until(async () => (await (await ask('__held')).json()).held >= count, `${count} held requests`);
    await ask(`__release?${count}`, { method: 'POST' });
}

/** Fails when axe finds a violation, in the light and the dark theme. */
export async function judge(page, what) {
    for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.waitForTimeout(60);
        if (!(await page.evaluate(() => 'axe' in globalThis))) {
            await page.evaluate(`${axe}; undefined`);
        }
        const found = await page.evaluate(() =>
            globalThis.axe
                .run(document, {
                    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
                })
                .then(({ violations }) =>
                    violations.flatMap((one) =>
                        one.nodes.map((node) => `${one.id}: ${node.target.join(' ')}: ${node.failureSummary}`),
                    ),
                ),
        );

        if (process.env.SHOTS) {
            await page.screenshot({
                path: `${process.env.SHOTS}/${what.replace(/\W+/g, '-')}-${colorScheme}.png`,
                fullPage: true,
            });
        }
        equal(found, [], `axe, ${what}, ${colorScheme}`);
    }
}

/** Fails when something is wider than the window. */
export async function fits(page, what) {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

    assert(over <= 0, `${what} is ${over} pixels wider than the window`);
}

/** How much of a page jumps while it is loaded from a slow server; one page for each path. */
export async function jumps(page, ...paths) {
    const jumped = {};

    await page.route('**/api/v1/**', async (route) => {
        await new Promise((done) => setTimeout(done, 100));
        await route.continue();
    });
    await page.addInitScript(() => {
        globalThis.jumped = [];
        new PerformanceObserver((list) =>
            globalThis.jumped.push(...list.getEntries().map((entry) => entry.value)),
        ).observe({ type: 'layout-shift', buffered: true });
    });
    for (const path of paths) {
        await page.goto(path);
        await page.getByRole('heading', { level: 2 }).first().waitFor();
        await page.waitForLoadState('networkidle');
        jumped[path] = await page.evaluate(() => globalThis.jumped);
    }
    return Object.entries(jumped).filter(([, shifts]) => shifts.length);
}

async function runOne(browser, { body, options }) {
    const complaints = [];
    const allowed = [];
    const context = await browser.newContext({
        baseURL: base,
        viewport: { width: 1280, height: 900 },
        acceptDownloads: true,
        ...options.context,
    });

    context.setDefaultTimeout(PATIENCE);
    watch(context, complaints);
    try {
        if (options.as !== null) {
            const { email, password } = people[options.as ?? 'admin'];
            const answer = await context.request.post('/api/v1/auth/login/', { data: { email, password } });

            assert(answer.ok(), `${email} is logged in`);
        }
        const page = await context.newPage();

        // Choosers are caught from now on: between a wait for one and the first of them they would get lost.
        page.on('filechooser', () => undefined);
        try {
            await body({
                page,
                context,
                /** A complaint of the browser that this test causes. */
                allow: (pattern) => allowed.push(pattern),
                open: async (path) => {
                    await page.goto(path);
                    await page.getByRole('heading', { level: 1 }).waitFor();
                },
            });
        } catch (error) {
            await page
                .screenshot({ path: `${process.env.IIMG_WORK ?? tmpdir()}/failed.png`, fullPage: true })
                .catch(() => undefined);
            throw error;
        }
        equal(
            complaints.filter((one) => !allowed.some((pattern) => pattern.test(one))),
            [],
            'the browser complains',
        );
    } finally {
        for (const page of context.pages()) {
            await page.unrouteAll({ behavior: 'ignoreErrors' });
        }
        await context.close();
    }
}

/** Runs all tests of the file, and says how they went in TAP. */
export async function run() {
    const { browser, close } = await launch();
    let number = 0;
    let failed = 0;

    try {
        for (const one of tests.filter(({ sentence }) => sentence.includes(only))) {
            let why = null;
            const begun = Date.now();

            await runOne(browser, one).catch((error) => {
                why = error;
            });
            console.log(`${why ? 'not ok' : 'ok'} ${++number} - ${one.sentence}`);
            if (process.env.TIMES) {
                console.log(`# ${Date.now() - begun} ms`);
            }
            if (why) {
                failed++;
                console.log(
                    String(why.stack)
                        .split('\n')
                        .slice(0, 12)
                        .map((line) => `# ${line}`)
                        .join('\n'),
                );
            }
        }
    } finally {
        await close();
    }
    console.log(`1..${number}`);
    process.exitCode = failed ? 1 : 0;
}
