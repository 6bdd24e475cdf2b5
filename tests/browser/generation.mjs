// generation.mjs - the page Images: making pictures, and what one does with them. Behind the server stands a stand-in
// for Gemini, which a [[scenario:...]] in the additional prompt tells what to do.
import { readFileSync } from 'node:fs';
import {
    api,
    assert,
    equal,
    fits,
    givePhotos,
    identities,
    judge,
    people,
    picture,
    release,
    run,
    test,
    until,
} from './lib.mjs';

const one = people.one.id;
const path = `/images?user=${one}&identity=${identities.visionary}`;
const quick = { identity_id: identities.visionary, user_id: one, resolution: '1K', aspect_ratio: '1:1' };
const jobs = async (query = '') => (await api('GET', `image-generation/jobs/?limit=100&${query}`)).results;
const generateButton = (page) => page.getByRole('button', { name: /^Generate image/ });
const cards = (page) => page.getByRole('article');
const history = (page) => page.getByRole('region', { name: 'History' });

async function ready(open, page) {
    await open(path);
    await page.getByRole('radio', { name: '1K' }).waitFor();
    await page.getByRole('img', { name: /Portrait 1/ }).waitFor();
    await page.getByText('I am a creative force').waitFor();
}

async function small(page, words = '') {
    await page.locator('label.chip', { hasText: '1K' }).click();
    await page.getByLabel('Additional prompt').fill(words);
}

const done = (page, count = 1) =>
    until(async () => (await page.getByText(/^Done in/).count()) >= count, `${count} pictures`);

// A second run against the same server finds its own generations.
const stamp = Date.now().toString(36);

test('Missing input is named at the button, and no request is sent', async ({ page, open }) => {
    const before = (await jobs()).length;

    await givePhotos(one, 0);
    await open(`/images?user=${one}`);
    await page.getByText('Add at least one photo first.').waitFor();
    await generateButton(page).click({ force: true });
    await givePhotos(one, 2);
    await page.reload();
    await page.getByText('Choose an identity first.').waitFor();
    await judge(page, 'no identity chosen');
    const selector = page.locator('#settings').getByRole('combobox', { name: 'Identity', exact: true });

    await selector.click();
    await page
        .getByRole('listbox')
        .getByRole('option', { name: /Creative Visionary/ })
        .click();
    await page.getByText('I am a creative force who {shapes} the future.').waitFor();
    await page.getByText('Uses 2 photos.').waitFor();
    for (const box of await page.getByRole('checkbox').all()) {
        await box.uncheck();
    }
    await page.getByText('Select at least one photo to use.').waitFor();
    equal((await jobs()).length, before, 'generations');
});

test('A picture is generated with the selected photos, prompt and format, started by Ctrl+Enter', async ({
    page,
    open,
}) => {
    const photos = await givePhotos(one, 3);

    await ready(open, page);
    assert(/\$0\.24/.test(await generateButton(page).innerText()), 'the button names the price');
    await page.getByRole('checkbox', { name: /Portrait 2/ }).uncheck();
    await page.locator('label.chip', { hasText: '3:4' }).click();
    await small(page, 'Warm light [[scenario:hold]]');
    assert(/\$0\.134/.test(await generateButton(page).innerText()), 'the price follows the resolution');
    await page.getByText('Preview of the exact prompt').click();
    const preview = page.getByLabel('Prompt', { exact: true });

    await preview.getByText('Warm light').waitFor();
    const told = await preview.innerText();

    await page.getByLabel('Additional prompt').focus();
    await page.keyboard.press('Control+Enter');
    await page.getByRole('status').getByText('Working').waitFor();
    assert(
        await cards(page)
            .first()
            .evaluate(
                (card) => card.getBoundingClientRect().top < innerHeight && card.getBoundingClientRect().bottom > 0,
            ),
        'what was begun is in view',
    );
    await page
        .locator('.job-seconds')
        .getByText(/^[1-9]\d* s$/)
        .waitFor();
    await judge(page, 'generation under way');
    await release(1);
    await done(page);
    const [job] = await jobs();

    equal(
        [job.aspect_ratio, job.resolution, job.additional_prompt, job.reference_image_ids],
        ['3:4', '1K', 'Warm light [[scenario:hold]]', [photos[0].id, photos[2].id]],
        'the job',
    );
    equal(told.trim(), job.prompt_used.trim(), 'the preview is the prompt that was sent');
    const shown = cards(page)
        .first()
        .getByRole('button', { name: /Enlarge/ })
        .locator('img');

    await until(
        () => shown.evaluate((img) => img.complete && img.naturalWidth === 896 && img.naturalHeight === 1200),
        'the picture',
    );
    await judge(page, 'result');
    await page
        .getByText(/usually/)
        .first()
        .waitFor();
});

test('Input and choices survive a reload', async ({ page, open }) => {
    await givePhotos(one, 2);
    await ready(open, page);
    await small(page, 'Kept');
    await page.locator('label.chip', { hasText: '21:9' }).click();
    await page.getByRole('checkbox', { name: /Portrait 1/ }).uncheck();
    await page.reload();
    await page.getByRole('checkbox', { name: /Portrait 1/ }).waitFor();
    equal(
        [
            await page.getByLabel('Additional prompt').inputValue(),
            await page.getByRole('radio', { name: '21:9' }).isChecked(),
            await page.getByRole('radio', { name: '1K' }).isChecked(),
            await page.getByRole('checkbox', { name: /Portrait 1/ }).isChecked(),
            await page.getByRole('checkbox', { name: /Portrait 2/ }).isChecked(),
        ],
        ['Kept', true, true, false, true],
        'after the reload',
    );
});

test('A running generation is shown after a reload and in a second tab', async ({ page, open, context }) => {
    await givePhotos(one, 1);
    await ready(open, page);
    await small(page, `[[scenario:hold]] attach ${stamp}`);
    await generateButton(page).click();
    await page.getByRole('status').getByText('Working').waitFor();
    await page.reload();
    await page.getByRole('status').getByText('Working').waitFor();
    const second = await context.newPage();

    await second.goto('/images');
    await second.getByRole('status').getByText('Working').waitFor();
    await release(1);
    await Promise.all([done(page), done(second)]);
    equal((await jobs(`search=attach ${stamp}`)).length, 1, 'generations');
});

test('Cancel ends only its own generation', async ({ page, open, allow }) => {
    allow(/status of 409/);
    await givePhotos(one, 1);
    await ready(open, page);
    await small(page, `[[scenario:hold]] stays ${stamp}`);
    await generateButton(page).click();
    await until(async () => (await page.getByRole('button', { name: 'Cancel' }).count()) === 1, 'the first one');
    await page.getByLabel('Additional prompt').fill(`[[scenario:hold]] goes ${stamp}`);
    await page.waitForTimeout(300);
    await generateButton(page).click();
    const second = await until(async () => (await jobs(`search=goes ${stamp}`))[0], 'the second one');
    const card = page.locator(`article[data-job="${second.id}"]`);

    await card.getByRole('button', { name: 'Cancel' }).click();
    await card
        .getByText(/Canceling|Canceled/)
        .first()
        .waitFor();
    await card.getByText('Canceling').waitFor();
    await page.reload();
    await card.getByText('Canceling').waitFor();
    await judge(page, 'canceling');
    await release(2);
    await until(async () => (await jobs(`search=stays ${stamp}`))[0].state === 'succeeded', "the first one's end");
    await until(async () => (await jobs(`search=goes ${stamp}`))[0].state === 'canceled', "the second one's end");
    await card
        .getByText(/^This generation was canceled/)
        .first()
        .waitFor();
    equal(await page.getByRole('alert').count(), 0, 'errors');
    await judge(page, 'canceled');
    await done(page);
});

test('A queued generation shows its position, then that it runs, then that it is done', async ({ page, open }) => {
    await givePhotos(one, 1);
    await ready(open, page);
    const preferred = [];

    page.on('request', (request) => {
        const headers = request.headers();

        if (headers.prefer) {
            preferred.push(`${headers.prefer}${headers['if-none-match'] ? ' from a state' : ''}`);
        }
    });
    // Two are made at once (IdentityImgGenerationsAtOnce): two others run, and one waits already.
    const others = [0, 1, 2].map((i) =>
        until(async () => (await jobs(`search=ahead ${stamp}`)).length === i, `${i} others`).then(() =>
            api('POST', 'image-generation/generate/', {
                ...quick,
                additional_prompt: `[[scenario:hold]] ahead ${stamp} ${i}`,
            }),
        ),
    );

    await until(async () => (await jobs(`search=ahead ${stamp}`)).length === 3, 'all others');
    await small(page, `[[scenario:hold]] later ${stamp}`);
    await generateButton(page).click();
    const job = await until(async () => (await jobs(`search=later ${stamp}`))[0], 'the job');
    const card = page.locator(`article[data-job="${job.id}"]`);

    equal([job.state, job.queue_position], ['queued', 2], 'the job');
    await card.getByText('Queued, 2nd in line').waitFor();
    await judge(page, 'queued');
    await release(2);
    // The server may hold the page's request for 20 seconds.
    await card.getByText('Working').waitFor({ timeout: 60_000 });
    await release(2);
    await card.getByText(/^Done in/).waitFor();
    await Promise.all(others);
    equal([preferred[0], preferred.includes('wait=20 from a state')], ['respond-async', true], 'what was preferred');
});

test('A new result never replaces an old one, and Regenerate repeats the request', async ({ page, open }) => {
    await givePhotos(one, 2);
    await ready(open, page);
    await small(page, `Twice ${stamp}`);
    await generateButton(page).click();
    await done(page);
    await cards(page).first().getByRole('button', { name: 'Regenerate' }).click();
    await done(page, 2);
    equal(await cards(page).count(), 2, 'results');
    const [second, first] = await jobs(`search=Twice ${stamp}`);

    equal(
        [second.additional_prompt, second.resolution, second.reference_image_ids],
        [first.additional_prompt, first.resolution, first.reference_image_ids],
        'the second one',
    );
    assert(second.id !== first.id, 'is another one');
});

test('A result is shown at 100 %, with its photos, and before and after', async ({ page, open }) => {
    await givePhotos(one, 2);
    await api('POST', 'image-generation/generate/', { ...quick, additional_prompt: 'Compare', save_to_identity: true });
    await ready(open, page);
    await small(page, 'Compare');
    await generateButton(page).click();
    await done(page);
    const card = cards(page).first();

    await card.getByRole('button', { name: /Enlarge/ }).click();
    const dialog = page.getByRole('dialog');

    await dialog.getByRole('button', { name: '100 %' }).click();
    await until(
        () => dialog.getByRole('img').evaluate((img) => img.getBoundingClientRect().width === img.naturalWidth),
        'a pixel for a pixel',
    );
    await judge(page, 'zoom');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await until(
        () => page.evaluate(() => /Enlarge/.test(document.activeElement.getAttribute('aria-label') ?? '')),
        'the focus back',
    );
    await card.locator('label', { hasText: 'With photos' }).click();
    await card.getByRole('img', { name: 'Portrait 2' }).waitFor();
    await judge(page, 'beside the photos');
    await card.locator('label', { hasText: 'Before and after' }).click();
    await card.getByRole('img', { name: 'Current picture of Creative Visionary' }).waitFor();
    await judge(page, 'before and after');
});

test('Save to Identity sets the picture, and Undo restores the previous one', async ({ page, open }) => {
    await givePhotos(one, 1);
    await api('POST', 'image-generation/generate/', { ...quick, additional_prompt: 'First', save_to_identity: true });
    const identity = async () =>
        (await api('GET', `admin/identities/${identities.visionary}/`)).image.original.split('?')[0];
    const before = await identity();

    await ready(open, page);
    await small(page, 'Second');
    await generateButton(page).click();
    await done(page);
    await cards(page).first().getByRole('button', { name: 'Save to Identity' }).click();
    await page.getByText('Saved to Creative Visionary', { exact: true }).waitFor();
    await page.getByRole('status').getByText('Saved to Creative Visionary.').waitFor();
    assert((await identity()) !== before, 'the identity has another picture');
    const undo = page.getByRole('status').getByRole('button', { name: 'Undo' });

    // A toast stays while the pointer is on it.
    await undo.hover();
    await judge(page, 'saved');
    await undo.click();
    await page.getByText('Creative Visionary has its previous picture again.').waitFor();
    await until(async () => (await identity()) === before, 'the picture before');
    await cards(page).first().getByRole('button', { name: 'Save to Identity' }).waitFor();
});

test('Download gives a file with a descriptive name and the correct type', async ({ page, open }) => {
    await givePhotos(one, 1);
    await ready(open, page);
    await small(page, '[[scenario:png]]');
    await generateButton(page).click();
    await done(page);
    const coming = page.waitForEvent('download');

    await cards(page).first().getByRole('link', { name: 'Download' }).click();
    const download = await coming;

    assert(
        /^creative-visionary-\d{8}\.png$/.test(download.suggestedFilename()),
        `the name ${download.suggestedFilename()}`,
    );

    equal(
        readFileSync(await download.path())
            .subarray(1, 4)
            .toString('latin1'),
        'PNG',
        'its first bytes',
    );
});

const refusals = [
    ['refused:IMAGE_SAFETY', /422/, 'The image provider refused this picture.', /leave out the photo/],
    ['blocked:PROHIBITED_CONTENT', /422/, 'The image provider refused this picture.', /Change the additional prompt/],
    ['no-image', /502/, 'The image provider answered without a picture.', /Try again/],
    ['status:429', /429/, 'The image provider is overloaded.', /in a minute or two/],
];

test('A refusal shows the reason, the billing and advice', async ({ page, open, allow }) => {
    await givePhotos(one, 1);
    await ready(open, page);
    for (const [scenario, status, title, advice] of refusals) {
        allow(new RegExp(`status of ${status.source}`));
        await small(page, `[[scenario:${scenario}]] ${scenario} ${stamp}`);
        await generateButton(page).click();
        const job = await until(
            async () => (await jobs(`state=failed&search=${encodeURIComponent(`${scenario} ${stamp}`)}`))[0],
            'the failed job',
        );
        const card = page.locator(`article[data-job="${job.id}"]`);

        await card.getByText(title).waitFor();
        const words = await card.innerText();

        assert(words.includes(job.error.detail), `the server's sentence: ${job.error.detail}`);
        assert(advice.test(words), `advice: ${words}`);
        assert(
            { true: /was billed/, false: /was not billed/, null: /only the provider knows/ }[job.error.billed].test(
                words,
            ),
            `billed: ${job.error.billed}: ${words}`,
        );
        assert(await card.getByRole('button', { name: 'Try again' }).isVisible(), 'it can be tried again');
    }
    await judge(page, 'refusals');
});

test('A request that starts no generation shows the reason and is retried with the same key', async ({
    page,
    open,
    allow,
}) => {
    allow(/status of 429/);
    await givePhotos(one, 1);
    const keys = [];

    await page.route('**/image-generation/generate/', (route) => {
        keys.push(route.request().headers()['idempotency-key']);
        return keys.length === 1
            ? route.fulfill({
                  status: 429,
                  contentType: 'application/json',
                  headers: { 'Retry-After': '30' },
                  body: '{"detail": "You have two generations under way already.", "code": "user_generations_at_once"}',
              })
            : route.fallback();
    });
    await ready(open, page);
    await small(page, 'Limit');
    await generateButton(page).click();
    const notice = page.getByRole('alert').filter({ hasText: 'You have two generations under way already.' });

    await notice.waitFor();
    equal(await page.getByLabel('Additional prompt').inputValue(), 'Limit', 'what was typed');
    await judge(page, 'limit');
    await notice.getByRole('button', { name: 'Try again' }).click();
    await done(page);
    equal(keys[0], keys[1], 'the key');
});

test('After a lost response the generation is found again', async ({ page, open, allow }) => {
    allow(/ERR_FAILED/);
    await givePhotos(one, 1);
    await page.route('**/image-generation/generate/', async (route) => {
        void route.fetch().catch(() => undefined);
        await until(async () => (await jobs(`search=lost ${stamp}`))[0], 'the job');
        await route.abort('failed');
    });
    await ready(open, page);
    await small(page, `[[scenario:slow:2500]] lost ${stamp}`);
    await generateButton(page).click();
    await done(page);
    equal((await jobs(`search=lost ${stamp}`)).length, 1, 'generations');
    equal(await page.getByText('Generation did not start.').count(), 0, 'errors');
});

test('The history is filtered by words, identity and state, and its settings are reused without losing the typed text', async ({
    page,
    open,
}) => {
    await givePhotos(one, 2);
    for (const [additional_prompt, identity_id] of [
        [`Old words ${stamp}`, identities.visionary],
        [`Other words ${stamp}`, identities.maker],
    ]) {
        await api('POST', 'image-generation/generate/', {
            ...quick,
            additional_prompt,
            identity_id,
            aspect_ratio: '9:16',
        });
    }
    await ready(open, page);
    const rows = history(page).getByRole('listitem');
    const asked = [];

    page.on('request', (request) => asked.push(request.url()));
    await rows.filter({ hasText: 'Old words' }).first().waitFor();
    assert(
        /prompt v1 · 9:16, 1K/.test(await rows.filter({ hasText: 'Old words' }).first().innerText()),
        'prompt version and settings',
    );
    await history(page).getByLabel('Search').fill(`other ${stamp}`);
    await until(
        async () => (await rows.count()) === 1 && /Other words/.test(await rows.first().innerText()),
        'by words',
    );
    await history(page).getByLabel('Search').fill('');
    await history(page).getByLabel('Identity').selectOption({ label: 'Quiet "Maker"' });
    await until(
        async () =>
            (await rows.filter({ hasText: 'Old words' }).count()) === 0 &&
            /Other words/.test(await rows.first().innerText()),
        'by identity',
    );
    await history(page).getByLabel('Identity').selectOption('');
    await history(page).getByLabel('Requested by').selectOption({ label: 'Me' });
    await rows.filter({ hasText: 'Old words' }).first().waitFor();
    assert(
        asked.some((url) => url.includes('requested_by=') && url.includes('user_id=')),
        'by who asked',
    );
    await history(page).getByLabel('State').selectOption('queued');
    await history(page).getByText('No results').waitFor();
    await judge(page, 'history without results');
    await history(page).getByLabel('State').selectOption('succeeded');
    const row = rows.filter({ hasText: 'Old words' }).first();

    await row.waitFor();
    await page.getByLabel('Additional prompt').fill('Being typed');
    await row.getByRole('button', { name: /^Use these settings/ }).click();
    equal(
        [
            await page.getByLabel('Additional prompt').inputValue(),
            await page.getByRole('radio', { name: '9:16' }).isChecked(),
        ],
        ['Being typed', true],
        'settings, without the words',
    );
    await page.getByRole('button', { name: 'Use the earlier text' }).click();
    equal(
        await page.getByLabel('Additional prompt').inputValue(),
        `Old words ${stamp}`,
        'the words, when they are wanted',
    );
    await row.getByRole('button', { name: /^Show/ }).click();
    await cards(page)
        .first()
        .getByRole('button', { name: /Enlarge/ })
        .waitFor();
    await judge(page, 'history');
    await page.setViewportSize({ width: 320, height: 700 });
    await fits(page, 'history and result');
});

test('A failure to load one part leaves the rest of the page usable', async ({ page, open, allow }) => {
    allow(/status of 503/);
    await givePhotos(one, 1);
    await page.route('**/image-generation/jobs/?*', (route) =>
        route.request().url().includes('user_id')
            ? route.fulfill({
                  status: 503,
                  contentType: 'application/json',
                  headers: { 'Retry-After': '1' },
                  body: '{"detail": "The database is busy.", "code": "database_busy"}',
              })
            : route.fallback(),
    );
    await open(path);
    await history(page).getByRole('alert').getByText('The database is busy.').waitFor();
    assert(await generateButton(page).isVisible(), 'the button is there');
});

test(
    'From login to a saved identity with the keyboard alone',
    async ({ page, open, allow }) => {
        allow(/status of 401/);
        await givePhotos(people.two.id, 0);
        const tabTo = async (what, matches) => {
            for (let i = 0; i < 90; i++) {
                await page.keyboard.press('Tab');
                const text = await page.evaluate(() => {
                    const at = document.activeElement;
                    const labels = (at.getAttribute('aria-labelledby') ?? '')
                        .split(' ')
                        .map((id) => document.getElementById(id)?.textContent ?? '')
                        .join(' ');

                    return `${at.getAttribute('aria-label') ?? labels} ${at.labels?.[0]?.textContent ?? ''} ${at.textContent}`;
                });

                if (matches.test(text)) {
                    return;
                }
            }
            throw new Error(`the keyboard does not come to ${what}`);
        };

        await open('/');
        await page.keyboard.type(people.admin.email);
        await page.keyboard.press('Tab');
        await page.keyboard.type(people.admin.password);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: 'Home' }).waitFor();
        await tabTo('the link Images', /^ *Images$/);
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { level: 1, name: 'Images' }).waitFor();
        await page.getByText('Reference images for Ada Admin').waitFor();
        await tabTo('the user selector', /^User\b/);
        await page.keyboard.type('two');
        await until(async () => (await page.getByRole('listbox').getByRole('option').count()) === 1, 'Scenario Two');
        await page.keyboard.press('Enter');
        await page.getByText('Reference images for Scenario Two').waitFor();
        await until(
            () => page.evaluate(() => document.activeElement.className.includes('picker-button')),
            'the focus back on the selector',
        );
        await page.getByRole('button', { name: 'Add photo to slot 1' }).waitFor();
        await tabTo('the first slot', /Add photo/);
        const chooser = page.waitForEvent('filechooser');

        await page.keyboard.press('Enter');
        await (await chooser).setFiles(picture('me.png'));
        await page.getByRole('img', { name: /^Photo 1/ }).waitFor();
        await page.getByText('Choose an identity first.').waitFor();
        await tabTo('the identity selector', /^Identity\b/);
        await page.keyboard.type('runner');
        await until(async () => (await page.getByRole('listbox').getByRole('option').count()) === 1, 'Runner');
        await page.keyboard.press('Enter');
        await page.getByText('I am steady.').waitFor();
        await until(
            () => page.evaluate(() => document.activeElement.className.includes('picker-button')),
            'the focus back on the selector',
        );
        await tabTo('the additional prompt', /Additional prompt/);
        await page.keyboard.type('At dawn');
        await page.keyboard.press('Control+Enter');
        await done(page);
        await tabTo('Save to Identity', /Save to Identity/);
        await page.keyboard.press('Enter');
        await page.getByText('Saved to Runner', { exact: true }).waitFor();
        await until(() => page.evaluate(() => document.activeElement.textContent === 'Undo'), 'the focus on Undo');
        assert((await api('GET', `admin/identities/${identities.runner}/`)).image, 'the identity has the picture');
    },
    { as: null },
);

await run();
