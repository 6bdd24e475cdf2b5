// logic.mjs - the parts of the pages that only compute: words for states, times and prices, and what is saved where.
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deepEqual, equal } from 'node:assert/strict';

const client = fileURLToPath(new URL('../../client/', import.meta.url));
const { buildSync } = createRequire(join(client, 'package.json'))('esbuild');
const folder = mkdtempSync(join(tmpdir(), 'iimg-logic-'));

// Globals that the modules read when they are loaded.
globalThis.document = { querySelector: () => null, documentElement: { dataset: {} } };
globalThis.location = new URL('http://pages.example/images');
globalThis.addEventListener ??= () => undefined;

async function load(path) {
    const outfile = join(folder, `${path.replace(/\W/g, '-')}.mjs`);

    buildSync({
        entryPoints: [join(client, 'src', path)],
        bundle: true,
        format: 'esm',
        outfile,
        jsx: 'automatic',
        logLevel: 'error',
        define: { 'import.meta.env.DEV': 'false', 'process.env.NODE_ENV': '"production"' },
        banner: { js: 'import { createRequire as __r } from "node:module"; const require = __r(import.meta.url);' },
    });
    return import(pathToFileURL(outfile).href);
}

let number = 0;
let failed = 0;

function test(sentence, body) {
    try {
        body();
        console.log(`ok ${++number} - ${sentence}`);
    } catch (error) {
        failed++;
        console.log(`not ok ${++number} - ${sentence}\n# ${error.message.replace(/\n/g, '\n# ')}`);
    }
}

try {
    const jobs = await load('pages/images/jobs.ts');
    const photos = await load('pages/images/hooks/use-reference-images.ts');
    const api = await load('api/referenceImages.ts');
    const uploads = await load('pages/images/uploads.ts');
    const { address, ApiError } = await load('api/client.ts');
    const placeholders = await load('pages/prompts/placeholders.ts');
    const differences = await load('pages/prompts/differences.ts');
    const { merge } = await load('pages/admin/hooks/use-row-form.ts');
    const job = {
        state: 'running',
        queue_position: null,
        image_url: null,
        created_at: '2026-11-22T10:00:00.000000Z',
        started_at: '2026-11-22T10:00:01.000000Z',
        finished_at: '2026-11-22T10:01:06.000000Z',
        reference_image_ids: ['a', 'c'],
    };

    test('A state has a text, and a queued job shows its position', () => {
        deepEqual(
            [
                ['queued', 1],
                ['queued', 2],
                ['queued', 3],
                ['queued', 4],
                ['queued', 11],
                ['queued', 112],
                ['queued', 22],
                ['queued', null],
                ['running', null],
                ['running', null, true],
                ['canceled', null, true],
            ].map(([state, queue_position, cancel_requested]) =>
                jobs.stateWords({ ...job, state, queue_position, cancel_requested }),
            ),
            [
                'Queued, 1st in line',
                'Queued, 2nd in line',
                'Queued, 3rd in line',
                'Queued, 4th in line',
                'Queued, 11th in line',
                'Queued, 112th in line',
                'Queued, 22nd in line',
                'Queued',
                'Working',
                'Canceling',
                'Canceled',
            ],
        );
    });
    test('A duration is shown in seconds and minutes', () =>
        deepEqual([0.2, 59.4, 60, 125, -3].map(jobs.duration), ['0 s', '59 s', '1 min', '2 min 5 s', '0 s']));
    test('The duration of a job is from its start to its end', () => equal(jobs.secondsOf(job), 65));
    test('A price has cents, or tenths of a cent for small amounts', () =>
        deepEqual([0, 0.24, 0.134, 1, 12.5].map(jobs.dollars), ['free', '$0.24', '$0.134', '$1.00', '$12.50']));
    test('Price and usual duration are shown as far as they are known', () =>
        deepEqual(
            [
                [{ price: 0.24, median_seconds: 25.4 }, false],
                [{ price: null, median_seconds: 1 }, false],
                [{ price: null, median_seconds: null }, true],
                [undefined, false],
            ].map((one) => jobs.expectation(...one)),
            ['$0.24 · usually 25 s', 'usually a second', 'free', ''],
        ));
    test('A picture counts as saved if the identity has the same file name in any folder', () => {
        const uuid = '3ff8e051-2cc4-4f9c-be0b-6cd89b538c37';
        const made = { ...job, image_url: `http://h/pictures/generated_images/${uuid}.jpg?e=1` };
        const identity = (name) => ({
            image: { original: `http://h/pictures/media/11111111-2cc4-4f9c-be0b-6cd89b538c37/${name}.jpg?e=2` },
        });

        deepEqual(
            [
                jobs.isSaved(made, identity(uuid)),
                jobs.isSaved(made, identity('other')),
                jobs.isSaved(made, { image: null }),
                jobs.isSaved(job, identity(uuid)),
                jobs.isSaved(made, undefined),
            ],
            [true, false, false, false, false],
        );
    });
    test('Each error code, also an unknown one, has a title and advice', () => {
        for (const code of ['refused', 'no_image', 'provider_busy', 'lost', 'never heard of']) {
            const { title, advice } = jobs.failure(code);

            equal(Boolean(title && advice), true, code);
        }
    });
    test('Billed, not billed and unknown have different texts', () =>
        equal(new Set([true, false, null].map(jobs.billed)).size, 3));
    test('A moved photo swaps places with the photo in the slot or takes a free slot', () => {
        const all = [
            { id: 'a', order: 0 },
            { id: 'b', order: 1 },
            { id: 'c', order: 3 },
        ];
        const where = (list) => list.map(({ id, order }) => `${id}${order}`).join(' ');

        deepEqual(
            [
                where(photos.moved(all, 'a', 1)),
                where(photos.moved(all, 'a', 4)),
                where(photos.moved(all, 'x', 1)),
                where(photos.moved(all, 'c', 3)),
            ],
            ['b0 a1 c3', 'b1 c3 a4', 'a0 b1 c3', 'a0 b1 c3'],
        );
    });
    test('A photo is named after its file, except for default names of the clipboard', () =>
        deepEqual(
            ['Me at the sea.jpg', 'image.png', 'blob', 'a.b.c.heic', '.png', `${'x'.repeat(300)}.png`].map((name) =>
                api.labelOf(name).slice(0, 20),
            ),
            ['Me at the sea', '', '', 'a.b.c', '', 'x'.repeat(20)],
        ));
    test('File sizes are rounded for reading', () =>
        deepEqual([26214400, 340_000, 1_600_000, 1].map(uploads.megabytes), ['25 MB', '333 kB', '1.6 MB', '1 kB']));
    test('Addresses of the API have no empty parameters', () => {
        equal(
            address('prompts/', { prompt_type: 'coach', search: '', before: null, limit: 5 }),
            'http://pages.example/api/v1/prompts/?prompt_type=coach&limit=5',
        );
    });
    test('Errors are classified by whether a retry may succeed', () =>
        deepEqual(
            [
                [0, 'network'],
                [0, 'aborted'],
                [503, 'busy'],
                [429, 'limited'],
                [400, 'invalid'],
                [500, 'internal'],
            ].map((one) => new ApiError(...one, 'x').isTransient),
            [true, false, true, true, false, false],
        ));

    test('A placeholder is a word in single braces, as on the server', () =>
        deepEqual(
            ['{a}', '{{a}}', '{{{a}}}', '{a.b1}', '{1a}', '{ a }', '{}', '{a', '}{a}', '{a}{b}', '{{}{c}', '{é}'].map(
                (body) => placeholders.findPlaceholders(body).map((one) => [one.name, one.start, one.end]),
            ),
            [
                [['a', 0, 3]],
                [],
                [['a', 2, 5]],
                [['a.b1', 0, 6]],
                [],
                [],
                [],
                [],
                [['a', 1, 4]],
                [
                    ['a', 0, 3],
                    ['b', 3, 6],
                ],
                [['c', 3, 6]],
                [],
            ],
        ));
    test('A prompt must not be blank or too long, and only prompts for pictures have fixed placeholders', () => {
        const sentences = (type, body) => placeholders.problemsOf(type, body).map((problem) => problem.sentence);

        deepEqual(sentences('coach', ' \n'), ['This field may not be blank.']);
        deepEqual(sentences('coach', '{whatever}'), []);
        deepEqual(sentences('coach', '🎨'.repeat(100_000)), []);
        deepEqual(sentences('coach', '🎨'.repeat(100_001)), ['Ensure this field has no more than 100000 characters.']);
        deepEqual(sentences('image_generation', '{identity_context}{additional_prompt}'), []);
        equal(sentences('image_generation', '').length, 1);
    });
    test('Texts are compared by lines, changed lines by words, and a final line end is ignored', () => {
        const told = (before, after) =>
            differences
                .compare(before, after)
                .map(
                    (line) =>
                        `${{ same: ' ', removed: '-', added: '+' }[line.kind]}${line.pieces.map((piece) => (piece.isChanged ? `[${piece.text}]` : piece.text)).join('')}`,
                );

        deepEqual(told('a\n\nb', 'a\n\nb\n'), [' a', ' ', ' b']);
        deepEqual(told('one two\nlast', 'one three\nlast\nmore'), ['-one [two]', '+one [three]', ' last', '+more']);
        deepEqual(told('', 'x'), ['-', '+x']);
        deepEqual(told('abc', 'xyz'), ['-abc', '+xyz']);
        deepEqual(told('a b\nc d', 'a x\nc y'), ['-a [b]', '-c [d]', '+a [x]', '+c [y]']);
    });
    test('Unchanged lines far from a change are hidden', () => {
        const lines = differences.compare(
            Array.from({ length: 30 }, (_, n) => `${n}`).join('\n'),
            Array.from({ length: 30 }, (_, n) => (n === 15 ? 'x' : `${n}`)).join('\n'),
        );

        deepEqual(
            differences.blocksOf(lines).map((block) => [block.kind, block.lines.length]),
            [
                ['hidden', 12],
                ['lines', 8],
                ['hidden', 11],
            ],
        );
        deepEqual(
            differences.blocksOf(lines).flatMap((block) => block.lines),
            lines,
        );
    });
    test('Only fields that two users set to different values are in conflict', () => {
        const base = { email: 'a', first: 'b', last: 'c', notes: ['d'], staff: false };

        deepEqual(
            merge(
                base,
                { ...base, first: 'mine', last: 'same', staff: true },
                { ...base, email: 'new', first: 'theirs', last: 'same', notes: ['d', 'e'] },
            ),
            {
                values: { email: 'new', first: 'mine', last: 'same', notes: ['d', 'e'], staff: true },
                conflict: { quarrels: [{ name: 'first', mine: 'mine', theirs: 'theirs' }], taken: ['email', 'notes'] },
            },
        );
    });
} finally {
    rmSync(folder, { recursive: true, force: true });
}
console.log(`1..${number}`);
process.exit(failed ? 1 : 0);
