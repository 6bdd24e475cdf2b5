// prompts.mjs - the page Prompts: versions, differences, writing, previews, what is used, what was made.
import { api, assert, equal, fits, givePhotos, identities, judge, jumps, people, run, test, until } from './lib.mjs';

const good = 'Show {identity_context}\nwith care,\n\n{additional_prompt}';
const versionsOf = (type) => api('GET', `prompts/?prompt_type=${type}`);
const make = (body, more = {}) => api('POST', 'prompts/', { prompt_type: 'image_generation', body, ...more });
const heading = (page) => page.getByRole('heading', { level: 2 });
const text = (page) => page.getByLabel('Text', { exact: true });
const toast = (page, words) => page.locator('.toast').filter({ hasText: words });
const tab = (page, name) => page.getByRole('tab', { name, exact: true });
const item = (page, version) => page.getByRole('button', { name: new RegExp(`^Version ${version}\\b`) });
const focused = (page) =>
    page.evaluate(
        () =>
            document.activeElement?.textContent?.trim() ||
            document.activeElement?.getAttribute('aria-label') ||
            document.activeElement?.tagName,
    );

/** The type Image Generation with exactly these further versions, all active: 2, 3, ... */
async function only(...bodies) {
    let versions = await versionsOf('image_generation');

    for (const body of bodies.slice(versions.length - 1)) {
        await make(body);
    }
    versions = (await versionsOf('image_generation')).reverse();
    for (const version of versions) {
        await api('PATCH', `prompts/${version.id}/`, { is_active: true });
    }
    return versions;
}

test('Each type of prompt has a tab for arrow keys, and a type without versions shows what to do', async ({
    page,
    open,
}) => {
    await open('/prompts');
    await heading(page).getByText('Version 1').waitFor();
    equal(
        await page.getByRole('tablist', { name: 'Types of prompts' }).getByRole('tab').allInnerTexts(),
        ['Image Generation', 'Sentinel', 'Coach'],
        'the tabs',
    );
    await judge(page, 'Prompts');
    await tab(page, 'Image Generation').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByText('No Sentinel prompt yet').waitFor();
    equal(new URL(page.url()).searchParams.get('type'), 'sentinel', 'the address');
    await judge(page, 'Prompts, a type without versions');
    await page.getByRole('button', { name: 'Write the first version' }).click();
    await text(page).fill('Watch {conversation}.');
    await page.getByRole('button', { name: 'Save as version 1' }).click();
    await heading(page).getByText('Version 1').waitFor();
    await page.getByText('Watch {conversation}.').waitFor();
    equal(
        (await versionsOf('sentinel')).map((one) => one.body),
        ['Watch {conversation}.'],
        'what is stored: other types have rules of their own',
    );
});

test('The live version is shown first, with author, date and marked placeholders', async ({ page, open }) => {
    await only(good);
    await open('/prompts');
    await heading(page).getByText('Version 2').waitFor();
    await heading(page).getByText('Live').waitFor();
    await page.getByText(/^Made .* by admin@example.com$/).waitFor();
    equal(
        await page.locator('.prompts-placeholder').allInnerTexts(),
        ['{identity_context}', '{additional_prompt}'],
        'marked',
    );
    equal(await page.getByRole('region', { name: 'Text' }).innerText(), good, 'the text, to the character');
    await item(page, 1).click();
    await heading(page).getByText('Version 1').waitFor();
    await page.getByText(/by the installation$/).waitFor();
    await page.reload();
    await heading(page).getByText('Version 1').waitFor();
    await page.goBack();
    await heading(page).getByText('Version 2').waitFor();
});

test('A comparison of two versions shows added, removed and unchanged lines and changed words', async ({
    page,
    open,
}) => {
    const long = Array.from({ length: 20 }, (_, n) => `Line ${n}.`).join('\n');

    await only(
        good,
        `{identity_context}\n${long}\nBe calm and kind.\n{additional_prompt}`,
        `{identity_context}\n${long}\nBe calm and bold.\n{additional_prompt}\nMore.`,
    );
    await open('/prompts?type=image_generation&version=4');
    await tab(page, 'Compare').click();
    await page.getByText('From version 3 to version 4: 2 lines added, 1 line removed.').waitFor();
    equal(await page.locator('del').allTextContents(), ['removed: Be calm and kind.'], 'what went');
    equal(await page.locator('ins').allTextContents(), ['added: Be calm and bold.', 'added: More.'], 'what came');
    equal(await page.locator('.diff-word').allInnerTexts(), ['kind', 'bold'], 'the words');
    await judge(page, 'Prompts, compared');
    await page.getByRole('button', { name: '18 unchanged lines' }).press('Enter');
    await page.getByText('Line 3.').waitFor();
    await page.getByLabel('Compare version 4 with').selectOption({ label: 'Version 2' });
    await page.getByText(/From version 2 to version 4:/).waitFor();
    await item(page, 3).click();
    await page.getByText(/From version 2 to version 3:/).waitFor();
    await page.getByLabel('Compare version 3 with').selectOption({ label: 'Version 4 (live)' });
    await page.getByText('From version 3 to version 4: 2 lines added, 1 line removed.').waitFor();
});

test("Problems with placeholders are shown while typing, in the server's words", async ({ page, open }) => {
    await only(good);
    await open('/prompts?type=image_generation&write=2');
    await text(page).waitFor();
    equal(await text(page).inputValue(), good, 'it begins as the version it was made from');
    const problems = page.getByRole('list', { name: 'Problems with the text' }).getByRole('listitem');

    for (const body of [
        'nothing',
        '{identity_context}',
        '{additional_prompt} {identity_context}',
        '{identity_context}{additional_prompt}{other}',
        '{{identity_context}} {additional_prompt}',
        '{{{identity_context}}} {additional_prompt}',
        '{identity_context} {additional_prompt} {a.b} { x } {1} {}',
        '{identity_context {additional_prompt}',
        '{é} {identity_context} {additional_prompt}',
        `{${'n'.repeat(70)}} {identity_context}`,
        '}} {{ } { {identity_context}{additional_prompt}',
    ]) {
        const { warnings } = await api('POST', 'prompts/preview/', { identity_id: identities.runner, body });

        await text(page).fill(body);
        const said = await problems.allInnerTexts();

        equal(said.map((one) => one.split('\n')[0]).slice(0, 1), warnings, `of "${body}"`);
    }
    await text(page).fill('One {first}\nand {second}');
    equal(await problems.count(), 3, 'all of them, not only the first');
    await page.getByRole('button', { name: 'Show where' }).nth(1).click();
    equal(
        await text(page).evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd)),
        '{second}',
        'what is shown',
    );
    await page.getByRole('status').getByText('{first} is not a placeholder.').waitFor({ state: 'attached' });
    await judge(page, 'Prompts, writing with mistakes');
    await page.keyboard.type('it');
    await page.getByRole('button', { name: 'Insert {identity_context}, which is missing' }).click();
    equal(await text(page).inputValue(), 'One {first}\nand it{identity_context}', 'put in where the cursor was');
    await page.keyboard.press('Control+z');
    assert(!(await text(page).inputValue()).includes('identity_context'), 'and taken back by Ctrl+Z');
});

test('A new version is previewed with a real identity, saved by Ctrl+Enter, and goes live', async ({ page, open }) => {
    const next = (await only(good)).length + 1;

    await open(`/prompts?type=image_generation&version=2`);
    await page.getByRole('button', { name: 'New version from this' }).click();
    await text(page).waitFor();
    equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA', 'one may begin to type');
    await page.getByRole('combobox', { name: /^Identity/ }).click();
    await page.keyboard.type('quiet');
    await page.getByRole('option', { name: /Quiet "Maker"/ }).waitFor();
    await page.locator('.picker-list:not([aria-busy=true]) [role=option]:only-child').waitFor();
    await page.keyboard.press('Enter');
    await text(page).fill('As {identity_context} so {additional_prompt}.');
    await page.getByRole('button', { name: 'Add an additional prompt' }).click();
    await page.getByLabel('Additional prompt').fill('at noon');
    await page
        .getByRole('region', { name: 'Preview' })
        .getByText('As Identity Name: "Quiet "Maker""\nCategory: maker_of_money so at noon.')
        .waitFor();
    await judge(page, 'Prompts, writing');
    await tab(page, 'Changes').click();
    await page.getByText(/^From version 2 to this text:/).waitFor();
    await text(page).focus();
    await page.keyboard.press('Control+Enter');
    await toast(page, `Version ${next} of Image Generation is saved.`).getByText(`Version ${next} is live.`).waitFor();
    await heading(page).getByText(`Version ${next}`).waitFor();
    await heading(page).getByText('Live').waitFor();
    await until(() => page.evaluate(() => document.activeElement.id === 'prompt-version'), 'the focus on the version');
    const stored = (await versionsOf('image_generation'))[0];

    equal(
        [stored.version, stored.body, stored.is_active],
        [next, 'As {identity_context} so {additional_prompt}.', true],
        'what is stored',
    );
    await tab(page, 'Preview').click();
    await page.getByRole('region', { name: 'Preview' }).getByText('so at noon.').waitFor();
    await judge(page, 'Prompts, preview');
});

test('A refused version keeps its text and shows the error, and so does a lost connection', async ({
    page,
    open,
    context,
    allow,
}) => {
    allow(/status of 400|ERR_INTERNET_DISCONNECTED/);
    const before = (await only(good)).length;

    await open('/prompts?type=image_generation&write=2');
    await text(page).fill('No placeholder.');
    await page.getByRole('button', { name: `Save as version ${before + 1}` }).click();
    await page
        .locator('.field-error')
        .getByText('Required placeholders are missing: {identity_context}, {additional_prompt}.')
        .waitFor();
    equal(
        await page.evaluate(() => [
            document.activeElement.tagName,
            document.activeElement.getAttribute('aria-invalid'),
        ]),
        ['TEXTAREA', 'true'],
        'the focus',
    );
    await judge(page, 'Prompts, refused');
    await text(page).fill(`${good} again`);
    equal(await page.locator('.field-error').count(), 0, 'no complaint about what was changed since');
    await context.setOffline(true);
    await page.getByRole('button', { name: `Save as version ${before + 1}` }).click();
    await page.getByRole('alert').getByText('You are offline.').waitFor();
    equal(await text(page).inputValue(), `${good} again`, 'the text');
    await context.setOffline(false);
    await page.getByRole('button', { name: `Save as version ${before + 1}` }).click();
    await heading(page)
        .getByText(`Version ${before + 1}`)
        .waitFor();
    equal((await versionsOf('image_generation')).length, before + 1, 'one version was made');
});

test('A lost connection while saving creates one version, not two', async ({ page, open, allow }) => {
    allow(/ERR_FAILED/);
    const before = (await only(good)).length;
    let lost = 0;

    await page.route('**/api/v1/prompts/', async (route) => {
        if (route.request().method() === 'POST' && lost++ === 0) {
            await route.fetch();
            await route.abort();
            return;
        }
        await route.continue();
    });
    await open('/prompts?type=image_generation&write=2');
    await text(page).fill(`${good} once`);
    await page.getByRole('button', { name: /^Save as version/ }).click();
    await page.getByRole('alert').getByText('The server is not responding.').waitFor();
    await page.getByRole('button', { name: /^Save as version/ }).click();
    await heading(page)
        .getByText(`Version ${before + 1}`)
        .waitFor();
    equal((await versionsOf('image_generation')).length, before + 1, 'the versions');
});

test('A draft survives a reload and is discarded only after a confirmation', async ({ page, open }) => {
    await only(good);
    await open('/prompts?type=image_generation&write=2');
    await text(page).fill('A thought');
    await page.reload();
    await text(page).waitFor();
    equal(await text(page).inputValue(), 'A thought', 'after a reload');
    await page.getByRole('link', { name: 'Home', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
    await page.getByRole('link', { name: 'Prompts', exact: true }).click();
    await page.getByRole('button', { name: 'Continue draft' }).click();
    equal(await text(page).inputValue(), 'A thought', 'after another page');
    await page.locator('.prompts-editor').getByRole('button', { name: 'Discard draft' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Cancel' }).click();
    equal(await text(page).inputValue(), 'A thought', 'after second thoughts');
    await page.locator('.prompts-editor').getByRole('button', { name: 'Discard draft' }).click();
    await judge(page, 'Prompts, throwing a draft away');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Discard draft' }).click();
    await page.getByRole('button', { name: 'New version', exact: true }).waitFor();
    equal(
        await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.includes('draft.prompt.'))),
        [],
        'the draft',
    );
});

test('After the session expires, the user logs in over the text and it is saved', async ({
    page,
    open,
    context,
    allow,
}) => {
    allow(/status of 401/);
    const next = (await only(good)).length + 1;

    await open('/prompts?type=image_generation&write=2');
    await text(page).fill(`${good} at last`);
    await page.getByRole('region', { name: 'Preview' }).getByText('at last').waitFor();
    const tokens = await (await context.request.get('/api/v1/auth/tokens/')).json();

    await api('DELETE', `auth/tokens/${tokens.find((token) => token.is_current).id}/`);
    await page.getByRole('button', { name: `Save as version ${next}` }).click();
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });

    await dialog.getByLabel('Password').fill(people.admin.password);
    await page.keyboard.press('Enter');
    await heading(page).getByText(`Version ${next}`).waitFor();
    equal((await versionsOf('image_generation'))[0].body, `${good} at last`, 'what is stored');
});

test('A version that another user created meanwhile is shown before saving', async ({ page, open }) => {
    const before = (await only(good)).length;

    await open('/prompts?type=image_generation&write=2');
    await text(page).fill(`${good} mine`);
    await make(`${good} theirs`);
    await page.getByRole('button', { name: `Save as version ${before + 1}` }).click();
    const notice = page.getByRole('alert');

    await notice.getByText(`Another user created version ${before + 1} in the meantime.`).waitFor();
    await judge(page, 'Prompts, a version made meanwhile');
    equal((await versionsOf('image_generation')).length, before + 1, 'nothing is saved yet');
    await notice.getByRole('button', { name: `Compare with version ${before + 1}` }).click();
    await page.locator('.diff-word', { hasText: 'theirs' }).waitFor();
    await page.getByRole('button', { name: `Save as version ${before + 2}` }).click();
    await heading(page)
        .getByText(`Version ${before + 2}`)
        .waitFor();
    equal(
        (await versionsOf('image_generation')).slice(0, 2).map((one) => one.body),
        [`${good} mine`, `${good} theirs`],
        'both are there',
    );
});

test('A version is activated and deactivated at once, and a refused change is rolled back with a lasting message', async ({
    page,
    open,
    allow,
}) => {
    allow(/status of 503/);
    const versions = await only(good);
    const used = versions.at(-1).version;

    await open(`/prompts?type=image_generation&version=${used}`);
    const active = page.getByRole('switch', { name: 'Active' });

    await active.click();
    await toast(page, `Version ${used} is inactive.`)
        .getByText(`Version ${used - 1} is live.`)
        .waitFor();
    equal((await versionsOf('image_generation'))[0].is_active, false, 'stored');
    equal(await toast(page, 'is inactive').getAttribute('role'), 'status', 'the toast');
    await page.route('**/api/v1/prompts/*/', (route) =>
        route.request().method() === 'PATCH'
            ? route.fulfill({
                  status: 503,
                  contentType: 'application/json',
                  body: JSON.stringify({ detail: 'The database does not answer.', code: 'database_down' }),
              })
            : route.continue(),
    );
    await active.focus();
    await page.keyboard.press('Space');
    const failure = toast(page, `Couldn't activate version ${used}.`);

    await failure.getByText('The database does not answer.').waitFor();
    equal(await failure.getAttribute('role'), 'alert', 'the toast');
    assert(!(await active.isChecked()), 'the switch is as it was');
    await judge(page, 'Prompts, a failure');
});

test('The last active version is deactivated only after a warning about the consequences', async ({ page, open }) => {
    for (const version of await versionsOf('sentinel')) {
        await api('PATCH', `prompts/${version.id}/`, { is_active: true });
    }
    if (!(await versionsOf('sentinel')).length) {
        await make('Watch.', { prompt_type: 'sentinel' });
    }
    await open('/prompts?type=sentinel');
    await page.getByRole('switch', { name: 'Active' }).click();
    await page
        .getByRole('alertdialog', { name: 'Deactivate the only active version of Sentinel?' })
        .getByRole('button', { name: 'Cancel' })
        .click();
    assert(await page.getByRole('switch', { name: 'Active' }).isChecked(), 'nothing was done');
    await page.getByRole('switch', { name: 'Active' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Deactivate' }).click();
    await page.getByText('No version of Sentinel is active.').waitFor();
    await judge(page, 'Prompts, none active');
});

test('An old version goes live by deactivating newer ones, without a new version', async ({ page, open }) => {
    const versions = await only(good, `${good} three`);
    const off = versions.slice(1).map((one) => one.version);

    await open('/prompts?type=image_generation&version=1');
    await page.getByRole('button', { name: 'Use this version…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Use version 1' });

    await dialog
        .getByText(
            `Versions ${off.slice(0, -1).join(', ')} and ${off.at(-1)} become inactive. No new version is created.`,
        )
        .waitFor();
    await judge(page, 'Prompts, going back');
    await dialog.getByRole('button', { name: 'Switch to version 1' }).click();
    await toast(page, 'Version 1 of Image Generation is live.').waitFor();
    await heading(page).getByText('Live').waitFor();
    await until(() => page.evaluate(() => document.activeElement.id === 'prompt-version'), 'the focus on the version');
    equal(
        (await versionsOf('image_generation')).filter((one) => one.is_active).map((one) => one.version),
        [1],
        'active',
    );
    equal((await versionsOf('image_generation')).length, versions.length, 'the versions');
});

test('An old version goes live as a copy, without deactivating any version', async ({ page, open }) => {
    const versions = await only(good);
    const next = versions.length + 1;

    await open('/prompts?type=image_generation&version=1');
    await page.getByRole('button', { name: 'Use this version…' }).click();
    const dialog = page.getByRole('dialog');

    await dialog.getByRole('radio', { name: /^Copy its text into a new version/ }).check();
    await dialog
        .getByText(`Version ${next} gets the text of version 1 and goes live. No version is deactivated.`)
        .waitFor();
    await dialog.getByRole('button', { name: `Create version ${next}` }).click();
    await toast(page, `Version ${next} of Image Generation is live.`).waitFor();
    await heading(page).getByText(`Version ${next}`).waitFor();
    const stored = await versionsOf('image_generation');

    equal(
        [stored[0].body, stored[0].required_context_keys],
        [versions[0].body, versions[0].required_context_keys],
        'the new version',
    );
    equal(
        stored.every((one) => one.is_active),
        true,
        'all are active',
    );
});

test('A change by another user is shown before an old version goes live', async ({ page, open }) => {
    const versions = await only(good);

    await open('/prompts?type=image_generation&version=1');
    await page.getByRole('button', { name: 'Use this version…' }).click();
    await make(`${good} newer`);
    await page.getByRole('button', { name: 'Switch to version 1' }).click();
    await page.getByRole('alert').getByText('Another user changed the versions.').waitFor();
    equal((await versionsOf('image_generation')).filter((one) => !one.is_active).length, 0, 'nothing was switched off');
    await page
        .getByRole('dialog')
        .getByText(new RegExp(`and ${versions.length + 1} become inactive`))
        .waitFor();
    await page.getByRole('button', { name: 'Switch to version 1' }).click();
    await toast(page, 'Version 1 of Image Generation is live.').waitFor();
});

test('Results of a version are thumbnails that link to the picture', async ({ page, open, context }) => {
    const versions = await only(good);
    const used = versions.at(-1);

    await givePhotos(people.one.id, 1);
    await api('POST', 'image-generation/generate/', {
        identity_id: identities.visionary,
        user_id: people.one.id,
        aspect_ratio: '1:1',
        resolution: '1K',
    });
    await open(`/prompts?type=image_generation&version=${used.version}&show=results`);
    const link = page.getByRole('link', { name: 'Creative Visionary: open the picture' });

    await link.waitFor();
    await until(
        () =>
            link
                .getByRole('presentation')
                .or(link.locator('img'))
                .first()
                .evaluate((image) => image.complete && image.naturalWidth > 0),
        'the picture',
    );
    const answer = await context.request.get(await link.getAttribute('href'));

    assert(answer.ok() && answer.headers()['content-type'].startsWith('image/'), 'the link leads to a picture');
    await judge(page, 'Prompts, results');
    await item(page, 1).click();
    await page.getByText('No pictures with this version yet').waitFor();
    await judge(page, 'Prompts, no results');
});

test('A list that fails to load shows the reason and loads after a retry', async ({ page, open, allow }) => {
    allow(/status of 500/);
    let broken = true;

    await page.route('**/api/v1/prompts/?*', (route) =>
        broken
            ? route.fulfill({
                  status: 500,
                  contentType: 'application/json',
                  body: JSON.stringify({ detail: 'Internal server error', code: 'internal', request_id: 'abc' }),
              })
            : route.continue(),
    );
    await open('/prompts');
    await page.getByRole('alert').getByText('Internal server error').waitFor();
    await judge(page, 'Prompts, no list');
    broken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await heading(page).first().waitFor();
});

test('A version is written, compared and reverted with the keyboard alone', async ({ page, open }) => {
    const before = (await only(good)).length;

    await open('/prompts');
    await item(page, before).waitFor();
    const tabTo = async (name) => {
        for (let i = 0; i < 60; i++) {
            await page.keyboard.press('Tab');
            if ((await focused(page)).startsWith(name)) {
                return;
            }
        }
        throw new Error(`Tab does not come to ${name}`);
    };

    await tabTo('New version');
    await page.keyboard.press('Enter');
    await text(page).waitFor();
    await page.keyboard.press('Control+End');
    await page.keyboard.type('\nBy keyboard.');
    await tabTo(`Save as version ${before + 1}`);
    await page.keyboard.press('Enter');
    await heading(page)
        .getByText(`Version ${before + 1}`)
        .waitFor();
    await tabTo('Text');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.locator('ins').getByText('By keyboard.').waitFor();
    await item(page, before).focus();
    await page.keyboard.press('Enter');
    await heading(page).getByText(`Version ${before}`, { exact: false }).waitFor();
    await tabTo('Use this version');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(`Switch to version ${before}`);
    await page.keyboard.press('Enter');
    await toast(page, `Version ${before} of Image Generation is live.`).waitFor();
});

test('The layout does not shift while the page loads', async ({ page }) => {
    equal(
        await jumps(
            page,
            '/prompts',
            '/prompts?type=image_generation&show=preview',
            '/prompts?type=image_generation&write=1',
        ),
        [],
        'what has jumped',
    );
});

for (const [width, what] of [
    [320, '320 pixels'],
    [640, '200 % zoom'],
]) {
    test(`All parts of the page fit in ${what} without scrolling sideways`, async ({ page, open }) => {
        await only(good);
        await page.setViewportSize({ width, height: 600 });
        for (const show of ['text', 'compare', 'preview', 'results']) {
            await open(`/prompts?type=image_generation&version=2&show=${show}`);
            await page.waitForLoadState('networkidle');
            await fits(page, show);
        }
        await open('/prompts?type=image_generation&write=2');
        await text(page).fill('{wrong}');
        await fits(page, 'writing');
    });
}

await run();
