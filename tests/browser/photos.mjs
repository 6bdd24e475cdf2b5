// photos.mjs - the page Images: whom for, and the five slots of photos.
import { gzipSync } from 'node:zlib';
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
    portrait,
    run,
    test,
    until,
} from './lib.mjs';

const one = people.one.id;
const path = `/images?user=${one}`;
const slot = (page, number) => page.getByRole('group', { name: new RegExp(`^Slot ${number}\\b`) });
const options = (page) => page.getByRole('listbox').getByRole('option');
const stored = (user = one) => api('GET', `reference-images/?user_id=${user}`);
const picture_ = (page, number) => slot(page, number).getByRole('img');

// A file as a drop or a paste brings it.
function transfer(page, files) {
    return page.evaluateHandle(
        (all) => {
            const data = new DataTransfer();

            for (const { name, type, bytes } of all) {
                data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
            }
            return data;
        },
        files.map(({ name, mimeType, buffer }) => ({ name, type: mimeType, bytes: buffer.toString('base64') })),
    );
}

async function drop(page, target, files) {
    const dataTransfer = await transfer(page, files);

    for (const type of ['dragenter', 'dragover', 'drop']) {
        await target.dispatchEvent(type, { dataTransfer });
    }
}

async function paste(page, files) {
    const data = await transfer(page, files);

    await page.evaluate((clipboardData) => {
        (document.activeElement ?? document.body).dispatchEvent(
            new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
        );
    }, data);
}

async function chooseFile(page, button, file) {
    const chooser = page.waitForEvent('filechooser');

    await button.click();
    await (await chooser).setFiles(file);
}

test('The user selector lists the current user first, then test users, and can be searched', async ({ page, open }) => {
    await givePhotos(one, 1);
    await givePhotos(people.admin.id, 0);
    await open('/images');
    const selector = page.getByRole('combobox', { name: 'User', exact: true });

    await selector.getByText('Ada Admin').waitFor();
    await page.getByText('Add photo').nth(4).waitFor();
    await selector.focus();
    await page.keyboard.press('s');
    await options(page).first().waitFor();
    await page.keyboard.type('cen one');
    await until(async () => (await options(page).count()) === 1, 'one user who fits');
    await judge(page, 'user selector open');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Reference images for Scenario One' }).waitFor();
    await picture_(page, 1).waitFor();
    assert(page.url().includes(one), 'the address names the user');
    await page.reload();
    await page.getByRole('heading', { name: 'Reference images for Scenario One' }).waitFor();
    await page.getByRole('combobox', { name: 'User', exact: true }).click();
    equal(
        (await options(page).allInnerTexts()).map((text) => text.split('\n')[0]),
        ['Ada Admin', 'Scenario One', 'Scenario Two'],
        'the users',
    );
    await page.keyboard.type('an unknown name');
    await page.getByText('No matching user.').waitFor();
    await page.keyboard.press('Escape');
    await until(
        () =>
            page
                .getByRole('combobox', { name: 'User', exact: true })
                .evaluate((button) => button === document.activeElement),
        'the focus back on the selector',
    );
});

test('Empty slots show instructions and limits without a mouse', async ({ page, open }) => {
    await givePhotos(one, 0);
    await open(path);
    await page.getByRole('button', { name: 'Add photo to slot 5' }).waitFor();
    equal(await page.getByRole('button', { name: /^Add photo to slot/ }).count(), 5, 'empty slots');
    await page.getByText('JPEG, PNG, WebP, GIF, HEIC or AVIF, up to 25 MB and 64 megapixels.').waitFor();
    await judge(page, 'Images without photos');
});

test('A photo is added by a click', async ({ page, open }) => {
    await givePhotos(one, 0);
    await open(path);
    await chooseFile(page, page.getByRole('button', { name: 'Add photo to slot 2' }), picture('Me at the sea.png'));
    await until(async () => (await stored()).length === 1, 'the photo at the server');
    const [photo] = await stored();

    equal([photo.order, photo.name, photo.image !== null], [1, 'Me at the sea', true], 'the photo');
    await until(
        () => picture_(page, 2).evaluate((img) => img.src.startsWith('http') && img.complete && img.naturalWidth > 0),
        "the server's picture in the slot",
    );
    await judge(page, 'Images with a photo');
});

test('A photo dropped on a slot is added there, and several photos dropped on the page fill free slots', async ({
    page,
    open,
}) => {
    await givePhotos(one, 0);
    await open(path);
    await drop(page, page.getByRole('button', { name: 'Add photo to slot 4' }), [picture('fourth.png')]);
    await until(async () => (await stored()).length === 1, 'the photo');
    equal((await stored())[0].order, 3, 'its slot');
    await drop(page, page.getByRole('heading', { name: 'History' }), [picture('a.png'), picture('b.png', [1, 2, 3])]);
    await until(async () => (await stored()).length === 3, 'both photos');
    equal(
        (await stored()).map((photo) => `${photo.order} ${photo.name}`),
        ['0 a', '1 b', '3 fourth'],
        'their slots',
    );
    await until(async () => (await page.getByRole('progressbar').count()) === 0, 'the end of both');
    await drop(page, page.getByRole('heading', { name: 'History' }), [
        picture('c.png'),
        picture('d.png'),
        picture('e.png'),
    ]);
    const toast = page.getByRole('alert').filter({ hasText: '1 of 3 pictures did not fit.' });

    await toast.waitFor();
    await judge(page, 'toast of an error');
    await page.waitForTimeout(200);
    assert(await toast.isVisible(), 'an error stays');
    await toast.getByRole('button', { name: 'Close' }).click();
    await toast.waitFor({ state: 'detached' });
});

test('A photo is pasted into the slot under the pointer or with the focus', async ({ page, open }) => {
    await givePhotos(one, 0);
    await open(path);
    await page.getByRole('button', { name: 'Add photo to slot 3' }).hover();
    await paste(page, [picture('image.png')]);
    await until(async () => (await stored()).length === 1, 'the first photo');
    equal(
        (await stored()).map(({ order, name }) => [order, name]),
        [[2, '']],
        "under the pointer, without the clipboard's name",
    );
    await until(async () => (await page.getByRole('progressbar').count()) === 0, 'its end');
    await page.getByRole('button', { name: 'Add photo to slot 5' }).focus();
    await paste(page, [picture('image.png')]);
    await until(async () => (await stored()).length === 2, 'the second photo');
    equal(
        (await stored()).map((photo) => photo.order),
        [2, 4],
        'where the focus was',
    );
});

test('On a slow connection the preview is shown at once, with real progress and a way to cancel', async ({
    page,
    open,
    context,
}) => {
    await givePhotos(one, 0);
    await open(path);
    await page.waitForLoadState('networkidle');
    const line = await context.newCDPSession(page);

    await line.send('Network.enable');
    await line.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 20,
        downloadThroughput: -1,
        uploadThroughput: 100_000,
    });
    await chooseFile(
        page,
        page.getByRole('button', { name: 'Add photo to slot 1' }),
        picture('large.png', [9, 150, 90], 600_000),
    );
    const bar = slot(page, 1).getByRole('progressbar');

    await bar.waitFor();
    assert(
        await slot(page, 1)
            .locator('img')
            .evaluate((img) => img.src.startsWith('blob:') && img.decode().then(() => true)),
        'the file itself is shown',
    );
    const seen = new Set();

    await until(async () => {
        const value = Number(await bar.getAttribute('aria-valuenow'));

        if (value > 0 && value < 100) {
            seen.add(value);
        }
        return seen.size >= 3;
    }, 'three steps of the progress');
    const steps = [...seen];

    equal(
        steps,
        [...steps].sort((a, b) => a - b),
        'it only grows',
    );
    await judge(page, 'upload under way');
    await slot(page, 1)
        .getByRole('button', { name: /cancel the upload/ })
        .click();
    await page.getByRole('button', { name: 'Add photo to slot 1' }).waitFor();
    equal(await stored(), [], 'nothing is stored');
    await line.send('Network.emulateNetworkConditions', {
        offline: false,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: -1,
    });
});

test('An error of the server stays in the slot, and the old picture returns', async ({ page, open, allow }) => {
    allow(/status of 400/);
    await givePhotos(one, 1);
    await open(path);
    await picture_(page, 1).waitFor();
    const before = await picture_(page, 1).getAttribute('src');

    await slot(page, 1).hover();
    await chooseFile(page, slot(page, 1).getByRole('button', { name: 'Replace Portrait 1' }), {
        name: 'words.png',
        mimeType: 'image/png',
        buffer: Buffer.from('These words are no picture at all.'),
    });
    await slot(page, 1)
        .getByRole('alert')
        .getByText(/not an accepted format/)
        .waitFor();
    await judge(page, 'upload refused');
    equal(await slot(page, 1).locator('.slot-photo img').getAttribute('src'), before, 'the old picture below');
    await slot(page, 1).getByRole('button', { name: /close/ }).click();
    await slot(page, 1).getByRole('alert').waitFor({ state: 'detached' });
    equal(await picture_(page, 1).getAttribute('src'), before, 'the old picture');
    equal((await stored())[0].name, 'Portrait 1', 'at the server, too');
});

test('A picture that is too large is refused before it is sent', async ({ page, open }) => {
    await givePhotos(one, 0);
    await open(path);
    await page.getByText('up to 25 MB').waitFor();
    let sent = 0;

    page.on('request', (request) => {
        sent += request.method() === 'POST';
    });
    await page.evaluate(() => {
        const data = new DataTransfer();

        data.items.add(new File([new Uint8Array(27_000_000)], 'huge.png', { type: 'image/png' }));
        document
            .querySelector('[data-slot="0"] button')
            .dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    });
    await slot(page, 1).getByRole('alert').getByText('The limit is 25 MB.').waitFor();
    equal(sent, 0, 'requests');
});

test('After a lost connection "Try again" adds the photo once', async ({ page, open, allow }) => {
    allow(/ERR_FAILED|ERR_CONNECTION/);
    await givePhotos(one, 0);
    await open(path);
    const keys = [];

    await page.route('**/reference-images/', async (route) => {
        if (route.request().method() !== 'POST') {
            return route.fallback();
        }
        keys.push(route.request().headers()['idempotency-key']);
        if (keys.length === 1) {
            await route.fetch(); // the server gets it, and its answer is lost
            return route.abort('failed');
        }
        return route.fallback();
    });
    await chooseFile(page, page.getByRole('button', { name: 'Add photo to slot 1' }), picture('once.png'));
    await slot(page, 1).getByRole('alert').getByText('The server is not responding.').waitFor();
    await slot(page, 1)
        .getByRole('button', { name: /try again/ })
        .click();
    await until(
        async () =>
            (await page.getByRole('alert').count()) === 0 && (await page.getByRole('progressbar').count()) === 0,
        'the photo',
    );
    equal((await stored()).length, 1, 'photos at the server');
    assert(keys.length >= 1 && new Set(keys).size === 1, 'the same Idempotency-Key');
});

test('Replace and Delete show on hover and on focus', async ({ page, open }) => {
    await givePhotos(one, 2);
    await open(path);
    await picture_(page, 1).waitFor();
    const shown = (number) =>
        slot(page, number)
            .locator('.slot-actions')
            .evaluate((actions) => getComputedStyle(actions).opacity);

    await page.mouse.move(5, 5);
    equal([await shown(1), await shown(2)], ['0', '0'], 'at rest');
    await slot(page, 1).hover();
    await until(async () => (await shown(1)) === '1', "the first one's on hover");
    equal(await shown(2), '0', "the second one's");
    await page.mouse.move(5, 5);
    await slot(page, 2).getByRole('button', { name: 'Replace Portrait 2' }).focus();
    await until(async () => (await shown(2)) === '1', "the second one's on focus");
    await judge(page, 'actions of a slot');
});

test('Photos are reordered by keyboard, and the focus follows', async ({ page, open }) => {
    await givePhotos(one, 3);
    await open(path);
    await picture_(page, 3).waitFor();
    await slot(page, 1).getByRole('button', { name: 'Move Portrait 1 right' }).focus();
    await page.keyboard.press('Enter');
    await until(
        async () => (await stored()).map((photo) => photo.name).join() === 'Portrait 2,Portrait 1,Portrait 3',
        'the swap',
    );
    await until(
        () => page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Move Portrait 1 right'),
        'the focus',
    );
    await page.getByText('Moved to slot 2.').waitFor({ state: 'attached' });
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await until(
        async () =>
            (await stored()).map((photo) => `${photo.order} ${photo.name}`).join() ===
            '0 Portrait 2,1 Portrait 3,3 Portrait 1',
        'into a free slot',
    );
});

test('Photos are reordered by dragging', async ({ page, open }) => {
    await givePhotos(one, 3);
    await open(path);
    await picture_(page, 3).waitFor();
    await page.locator('[data-slot="0"] .slot-photo').dragTo(page.locator('[data-slot="2"]'));
    await until(
        async () => (await stored()).map((photo) => photo.name).join() === 'Portrait 3,Portrait 2,Portrait 1',
        'the swap',
    );
    await page.locator('[data-slot="1"] .slot-photo').dragTo(page.locator('[data-slot="4"]'));
    await until(async () => (await stored()).map((photo) => photo.order).join() === '0,2,4', 'into a free slot');
    await picture_(page, 5).waitFor();
});

test("A refused move is rolled back with the server's message", async ({ page, open, allow }) => {
    allow(/status of 503/);
    await givePhotos(one, 2);
    await open(path);
    await picture_(page, 2).waitFor();
    await page.route('**/reference-images/*/?*', (route) =>
        route.request().method() === 'PATCH'
            ? route.fulfill({
                  status: 503,
                  contentType: 'application/json',
                  body: '{"detail": "The database is busy.", "code": "database_busy"}',
              })
            : route.fallback(),
    );
    await slot(page, 1).getByRole('button', { name: 'Move Portrait 1 right' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('The database is busy.').waitFor();
    await slot(page, 1)
        .getByRole('img', { name: /Portrait 1/ })
        .waitFor();
});

test('Delete asks for confirmation: Cancel keeps the photo, Delete removes it', async ({ page, open }) => {
    await givePhotos(one, 2);
    await open(path);
    await picture_(page, 2).waitFor();
    await slot(page, 1).hover();
    await slot(page, 1).getByRole('button', { name: 'Delete Portrait 1' }).click();
    const dialog = page.getByRole('alertdialog', { name: 'Delete “Portrait 1”?' });

    await dialog.waitFor();
    await judge(page, 'question');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    equal((await stored()).length, 2, 'photos after Escape');
    await until(
        () => page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Delete Portrait 1'),
        'the focus back on Delete',
    );
    await page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: 'Delete photo' }).click();
    await page.getByRole('button', { name: 'Add photo to slot 1' }).waitFor();
    await until(async () => (await stored()).length === 1, 'one photo less');
    await until(
        () => page.evaluate(() => document.activeElement.textContent.startsWith('Add photo')),
        'the focus on what is in its place',
    );
});

test('The slots are in one to five columns', async ({ page, open }) => {
    await givePhotos(one, 5);
    await open(path);
    await picture_(page, 5).waitFor();
    const columns = async (width) => {
        await page.setViewportSize({ width, height: 900 });
        await fits(page, `${width} pixels`);
        return new Set(
            await page
                .locator('.slot-item')
                .evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().left))),
        ).size;
    };

    equal(
        [await columns(320), await columns(520), await columns(768), await columns(1440)],
        [1, 2, 3, 5],
        'columns at 320, 520, 768, 1440 pixels',
    );
});

test('An expired picture address makes the page refetch its list', async ({ page, open, allow }) => {
    allow(/status of 403/);
    await givePhotos(one, 1);
    let expired = true;
    let lists = 0;

    page.on('request', (request) => {
        lists += request.url().includes('/reference-images/?user_id=');
    });
    await page.route('**/pictures/**', (route) => (expired ? route.fulfill({ status: 403 }) : route.fallback()));
    await page.route('**/reference-images/?user_id=*', async (route) => {
        if (lists > 1) {
            expired = false;
        }
        const answer = await route.fetch();
        const text = await answer.text();

        // As if the window of addresses had changed meanwhile.
        await route.fulfill({ response: answer, body: lists > 1 ? text.replace(/(\?[^"]*)"/g, '$1&again=1"') : text });
    });
    await page.route('**/pictures/**again=1', async (route) =>
        route.continue({ url: route.request().url().replace('&again=1', '') }),
    );
    await open(path);
    await until(
        () =>
            picture_(page, 1)
                .evaluate((img) => img.complete && img.naturalWidth > 0)
                .catch(() => false),
        'the picture at its new address',
    );
    equal(lists, 2, 'lists');
});

test('Slots load small sizes of the photos, never the originals', async ({ page, open }) => {
    await givePhotos(one, 2, portrait);
    const asked = [];

    page.on(
        'request',
        (request) =>
            request.resourceType() === 'image' &&
            request.url().includes('/media/') &&
            asked.push(new URL(request.url()).pathname),
    );
    await open(`${path}&identity=${identities.visionary}`);
    await picture_(page, 2).waitFor();
    await page.waitForLoadState('networkidle');
    assert(asked.length >= 2 && asked.every((one) => one.includes('__sized__')), `only small sizes: ${asked}`);
});

test('With five photos the layout does not shift and at most 150 kB of JavaScript are loaded', async ({
    page,
    open,
}) => {
    await givePhotos(one, 5, portrait);
    const scripts = [];

    page.on('response', (response) => response.request().resourceType() === 'script' && scripts.push(response));
    await page.addInitScript(() => {
        globalThis.__jumps = [];
        new PerformanceObserver((list) =>
            globalThis.__jumps.push(
                ...list.getEntries().map(({ value, sources }) => [value, sources?.map(({ node }) => node?.className)]),
            ),
        ).observe({ type: 'layout-shift', buffered: true });
    });
    await open(`${path}&identity=${identities.visionary}`);
    await picture_(page, 5).waitFor();
    await page.waitForLoadState('networkidle');
    await page.waitForTimeout(300);
    equal(
        (await page.evaluate(() => globalThis.__jumps)).filter(([value]) => value > 0.0005),
        [],
        'jumps',
    );
    const bytes = (await Promise.all(scripts.map((one) => one.body()))).reduce(
        (sum, body) => sum + gzipSync(body).length,
        0,
    );

    assert(scripts.length > 2 && bytes <= 150_000, `${bytes} bytes of gzipped JavaScript`);
});

test('Photos that fail to load show the reason and can be retried', async ({ page, open, allow }) => {
    allow(/status of 500/);
    await givePhotos(one, 1);
    let broken = true;

    await page.route('**/reference-images/?user_id=*', (route) =>
        broken
            ? route.fulfill({
                  status: 500,
                  contentType: 'application/json',
                  body: '{"detail": "Internal server error", "code": "internal", "request_id": "r-1"}',
              })
            : route.fallback(),
    );
    await open(path);
    const notice = page.getByRole('alert').filter({ hasText: "Couldn't load the photos." });

    await notice.getByText('r-1').waitFor();
    await judge(page, 'photos could not be loaded');
    broken = false;
    await notice.getByRole('button', { name: 'Try again' }).click();
    await picture_(page, 1).waitFor();
});

await run();
