// login.mjs - coming in, going out, and what is around all pages.
import { api, assert, equal, fits, identities, judge, people, run, test, until } from './lib.mjs';

const no401 = /status of 401/;

async function logIn(page, password = people.admin.password) {
    await page.getByLabel('Email').fill(people.admin.email);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
}

test(
    'Without a session the requested address shows the login page, then the requested page',
    async ({ page, open, allow }) => {
        allow(no401);
        await open('/images');
        equal(await page.title(), 'Log in · Identity Images', 'the title');
        await judge(page, 'login');
        await logIn(page);
        await page.getByRole('heading', { level: 1, name: 'Images' }).waitFor();
        equal(new URL(page.url()).pathname, '/images', 'the address');
        equal(await page.title(), 'Images · Identity Images', 'the title');
        const cookies = await page.context().cookies();

        assert(cookies[0].httpOnly && cookies[0].sameSite === 'Strict', 'no script can read the cookie');
    },
    { as: null },
);

test(
    "A wrong password says the server's sentence, keeps the email, and an empty field says what is missing",
    async ({ page, open, allow }) => {
        allow(no401);
        await open('/');
        await page.getByRole('button', { name: 'Log in' }).click();
        await page.getByText('Enter your email address.').waitFor();
        equal(await page.evaluate(() => document.activeElement.name), 'email', 'the focus');
        await judge(page, 'login with faults');
        await logIn(page, 'wrong');
        await page.getByRole('alert').getByText('Invalid username/password.').waitFor();
        equal(await page.getByLabel('Email').inputValue(), people.admin.email, 'the email');
        equal(await page.evaluate(() => document.activeElement.name), 'password', 'the focus');
        await judge(page, 'login refused');
    },
    { as: null },
);

test('Logging out ends the session and shows the login page', async ({ page, open, allow, context }) => {
    allow(no401);
    await open('/images');
    await page.getByLabel('Additional prompt').fill('a secret wish');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    equal((await context.request.get('/api/v1/users/me/')).status(), 401, 'the session');
    equal(
        await page.evaluate(() => Object.keys(sessionStorage).filter((key) => key.includes('draft'))),
        [],
        'what was typed is gone from the tab',
    );
});

test('After the session expires, the user logs in over the page, and input and request are kept', async ({
    page,
    open,
    allow,
    context,
}) => {
    allow(no401);
    await open(`/images?user=${people.one.id}&identity=${identities.visionary}`);
    await page.getByLabel('Additional prompt').fill('By the sea');
    const tokens = await (await context.request.get('/api/v1/auth/tokens/')).json();

    await api('DELETE', `auth/tokens/${tokens.find((token) => token.is_current).id}/`);
    await page.getByText('Preview of the exact prompt').click();
    const dialog = page.getByRole('dialog', { name: 'Your session has ended' });

    await dialog.waitFor();
    equal(await page.evaluate(() => document.activeElement.name), 'password', 'the focus');
    await judge(page, 'session ended');
    await page.keyboard.press('Escape');
    assert(await dialog.isVisible(), 'Escape leaves the dialog where it is');
    await dialog.getByLabel('Password').fill(people.admin.password);
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    await page.getByLabel('Prompt', { exact: true }).getByText('By the sea').waitFor();
    equal(await page.getByLabel('Additional prompt').inputValue(), 'By the sea', 'what was typed');
});

test('The navigation bar has Home, Images, Prompts and Admin, each with a title and a focused heading', async ({
    page,
    open,
}) => {
    await open('/');
    for (const name of ['Images', 'Prompts', 'Admin', 'Home']) {
        await page.getByRole('navigation').getByRole('link', { name }).click();
        await page.getByRole('heading', { level: 1, name }).waitFor();
        await until(() => page.title().then((title) => title === `${name} · Identity Images`), `the title of ${name}`);
        await until(
            () => page.evaluate(() => document.activeElement.tagName === 'H1'),
            `the focus on the heading of ${name}`,
        );
        equal(
            await page.getByRole('navigation').locator('[aria-current=page]').innerText(),
            name,
            'the page that one is on',
        );
        await judge(page, name);
    }
});

test('The first Tab key reaches the skip link', async ({ page, open }) => {
    await open('/');
    await page.keyboard.press('Tab');
    equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to content', 'the first stop');
    await page.keyboard.press('Enter');
    equal(await page.evaluate(() => document.activeElement.id), 'main', 'where it leads');
});

test('The theme follows the system until it is switched, and the choice is kept', async ({ page, open }) => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

    await page.emulateMedia({ colorScheme: 'light' });
    await open('/');
    const light = await ground();

    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await ground();

    assert(light !== dark, 'dark is another color');
    await page.getByRole('button', { name: /^Theme: system/ }).click();
    equal(await ground(), light, 'light, against the system');
    await page.reload();
    await page.getByRole('heading', { level: 1 }).waitFor();
    equal(await ground(), light, 'after a reload');
    await page.getByRole('button', { name: /^Theme: light/ }).click();
    await page.emulateMedia({ colorScheme: 'light' });
    equal(await ground(), dark, 'dark, against the system');
    await page.getByRole('button', { name: /^Theme: dark/ }).click();
    equal(await ground(), light, "the system's again");
});

test('While offline the page shows a notice, keeps the input and continues by itself', async ({
    page,
    open,
    context,
    allow,
}) => {
    allow(/ERR_INTERNET_DISCONNECTED/);
    await open('/images');
    await page.getByLabel('Additional prompt').fill('still here');
    await context.setOffline(true);
    await page.getByText('You are offline.').waitFor();
    await judge(page, 'offline');
    equal(await page.getByLabel('Additional prompt').inputValue(), 'still here', 'what was typed');
    await context.setOffline(false);
    await page.getByText('You are offline.').waitFor({ state: 'detached' });
});

test(
    'A user without staff rights sees an explanation and no error',
    async ({ page, open }) => {
        await open('/images');
        await page.getByText('This page is for staff.').waitFor();
        await judge(page, 'staff only');
    },
    { as: 'alice' },
);

test('An unknown address links back to the pages', async ({ page, open }) => {
    await open('/');
    await page.evaluate(() => history.pushState(null, '', '/nowhere'));
    await page.getByRole('heading', { name: 'Not found' }).waitFor();
    await judge(page, 'not found');
});

for (const [width, what] of [
    [320, '320 pixels'],
    [640, '200 % zoom'],
]) {
    test(`Home, login and Images fit in ${what} without scrolling sideways`, async ({ page, open, context, allow }) => {
        allow(no401);
        await page.setViewportSize({ width, height: 500 });
        for (const path of ['/', '/images', '/prompts', '/admin']) {
            await open(path);
            await page.waitForLoadState('networkidle');
            await fits(page, path);
        }
        await context.clearCookies();
        await open('/');
        await fits(page, 'login');
    });
}

test('Reduced motion turns animations off', async ({ page, open }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await open('/');
    equal(
        await page
            .locator('.button')
            .first()
            .evaluate((button) => parseFloat(getComputedStyle(button).transitionDuration) <= 0.001),
        true,
        'no transition',
    );
});

await run();
