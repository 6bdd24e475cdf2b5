// admin.mjs - the page Admin: users with their photos, reference images, identities, test scenarios; two admins at once.
import {
    api,
    assert,
    equal,
    fits,
    givePhotos,
    judge,
    jumps,
    people,
    picture,
    portrait,
    run,
    test,
    until,
} from './lib.mjs';

const one = people.one.id;
const two = people.two.id;
const row = (page, name) =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) });
const rowNames = (page) => page.locator('.admin-name').allInnerTexts();
const toast = (page, words) => page.locator('.toast').filter({ hasText: words });
const dialog = (page) => page.getByRole('dialog');
const photo = (page, number, who = 'Sam One') =>
    page.getByRole('button', { name: new RegExp(`^Photo ${number} of ${who}`) });
const empty = (page, number, who = 'Sam One') => page.getByRole('button', { name: `Add photo ${number} of ${who}` });
const photosOf = (user) => api('GET', `reference-images/?user_id=${user}`);
const users = async (search) => (await api('GET', `admin/users/?search=${search}`)).results;
const action = (page, name) => page.getByRole('toolbar').getByRole('button', { name });
const choose = (page, name) => action(page, name).click();

/** A user with this email and nothing else, made anew. */
async function person(email, more = {}) {
    for (const user of await users(email)) {
        await api('DELETE', `admin/users/${user.id}/`);
    }
    return api('POST', 'admin/users/', { email, ...more });
}

async function more(page, name, what) {
    await page.getByRole('button', { name: `More about ${name}` }).click();
    await choose(page, what);
}

async function file(page, open, what) {
    const chooser = page.waitForEvent('filechooser');

    await open();
    await (await chooser).setFiles(what);
}

test('Tabs and filters of the Admin page are part of the address', async ({ page, open }) => {
    await open('/admin');
    await page.getByRole('tab').first().waitFor();
    equal(
        await page.getByRole('tab').allInnerTexts(),
        ['Users', 'Reference images', 'Identities', 'Test scenarios'],
        'the tabs',
    );
    await page.getByRole('heading', { name: 'Ada Admin' }).waitFor();
    equal(
        await page.evaluate(() => document.activeElement.tagName),
        'BODY',
        'nothing takes the focus while a page is loaded',
    );
    await judge(page, 'Admin, users');
    await page.getByLabel('Search users').fill('liddell ali');
    await until(async () => (await rowNames(page)).join() === 'Alice Liddell', 'who fits');
    await page.getByRole('status').filter({ hasText: '1 users shown' }).waitFor({ state: 'attached' });
    await page.reload();
    await page.getByRole('heading', { name: 'Alice Liddell' }).waitFor();
    equal(await rowNames(page), ['Alice Liddell'], 'after a reload');
    await page.getByLabel('Search users').fill('an unknown name');
    await page.getByText('No users match.').waitFor();
    await judge(page, 'Admin, no results');
    await page.getByRole('button', { name: 'Show all users' }).click();
    await page.getByRole('heading', { name: 'Ada Admin' }).waitFor();
    equal(await page.getByLabel('Search users').inputValue(), '', 'the search');
    await page.getByLabel('Show').selectOption('Staff');
    await until(async () => (await rowNames(page)).join() === 'Ada Admin', 'staff');
    await page.getByRole('tab', { name: 'Test scenarios' }).click();
    await page.getByRole('heading', { name: 'Scenario One' }).waitFor();
    await judge(page, 'Admin, test scenarios');
    await page.goBack();
    await until(async () => (await rowNames(page)).join() === 'Ada Admin', 'back where one was');
});

test('Long lists are loaded page by page', async ({ page, open }) => {
    const there = (await api('GET', 'admin/users/?limit=100')).results.length;

    for (let i = there; i < 23; i++) {
        await api('POST', 'admin/users/', { email: `many-${String(i).padStart(2, '0')}@example.com` });
    }
    await open('/admin');
    await page.getByRole('heading', { level: 2 }).nth(19).waitFor();
    equal((await rowNames(page)).length, 20, 'the first page');
    await page.getByRole('button', { name: 'Show more users' }).press('Enter');
    await page.getByRole('heading', { level: 2 }).nth(22).waitFor();
    const names = await rowNames(page);

    await until(
        () => page.evaluate(() => document.activeElement === document.querySelectorAll('.list > li')[20]),
        'the focus on what has come',
    );
    equal(new Set(names).size, names.length, 'no user twice');
    assert(!(await page.getByRole('button', { name: 'Show more users' }).isVisible()), 'there are no more');
    for (const user of await users('many-')) {
        await api('DELETE', `admin/users/${user.id}/`);
    }
});

test("Creating a user shows the server's errors at the fields and keeps the input", async ({ page, open, allow }) => {
    allow(/status of 400/);
    for (const user of await users('carol')) {
        await api('DELETE', `admin/users/${user.id}/`);
    }
    await open('/admin');
    await page.getByRole('button', { name: 'New user' }).click();
    await until(() => page.evaluate(() => document.activeElement.type === 'email'), 'the focus in the first field');
    await page.getByLabel('Email').fill('alice@example.com');
    await page.getByLabel('First name').fill('Carol');
    await page.getByLabel('Password').fill('long enough');
    await page.getByRole('button', { name: 'Show it' }).click();
    equal(await page.getByLabel('Password').getAttribute('type'), 'text', 'the password can be read');
    await page.getByRole('button', { name: 'Create user' }).click();
    const field = dialog(page)
        .locator('.field')
        .filter({ has: page.getByLabel('Email') });

    await field.locator('.field-error').waitFor();
    equal(
        await page
            .getByLabel('Email')
            .evaluate((input) => [input === document.activeElement, input.getAttribute('aria-invalid')]),
        [true, 'true'],
        'the focus',
    );
    await judge(page, 'Admin, a user refused');
    equal(
        [await page.getByLabel('First name').inputValue(), await page.getByLabel('Password').inputValue()],
        ['Carol', 'long enough'],
        'what was typed',
    );
    await page.getByLabel('Email').fill('carol@example.com');
    await page.getByLabel('Password').fill('short');
    await page.keyboard.press('Enter');
    await page.getByText('Ensure this field has at least 8 characters.').waitFor();
    await page.getByLabel('Password').fill('long enough');
    await page.keyboard.press('Enter');
    await toast(page, 'Carol is created.').waitFor();
    await page.getByRole('heading', { name: 'Carol' }).waitFor();
    const [stored] = await users('carol');

    equal(
        [stored.email, stored.first_name, stored.is_staff, stored.is_active, stored.has_password],
        ['carol@example.com', 'Carol', false, true, true],
        'what is stored',
    );
    await until(
        () => page.evaluate(() => document.activeElement.textContent === 'New user'),
        'the focus back where it began',
    );
});

test('A user is edited, gets a password and is deleted after a confirmation, but users cannot delete themselves', async ({
    page,
    open,
    allow,
    context,
}) => {
    allow(/status of 409/);
    await person('dora@example.com', { first_name: 'Dora' });
    await open('/admin?search=dora');
    await page.getByRole('button', { name: 'Edit Dora' }).click();
    await page.getByLabel('Last name').fill('Dee');
    await page.getByRole('checkbox', { name: /^Active/ }).uncheck();
    await judge(page, 'Admin, a user changed');
    await page.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'Dora Dee is saved.').waitFor();
    await row(page, 'Dora Dee').getByText('Inactive').waitFor();
    await row(page, 'Dora Dee').getByText('No password').waitFor();
    await page.getByRole('button', { name: 'More about Dora Dee' }).click();
    await judge(page, 'Admin, the menu of a user');
    await choose(page, 'Set password…');
    await page.getByLabel('New password').fill('a new one');
    await page.getByRole('button', { name: 'Set password' }).click();
    await toast(page, 'Dora Dee has a new password.').waitFor();
    await row(page, 'Dora Dee').getByText('No password').waitFor({ state: 'detached' });
    const [dora] = await users('dora');

    await api('PATCH', `admin/users/${dora.id}/`, { is_active: true });
    equal(
        (
            await context.request.post('/api/v1/auth/login/', {
                data: { email: 'dora@example.com', password: 'a new one', token: true },
            })
        ).status(),
        200,
        'it lets Dora in',
    );
    await page.reload();
    await more(page, 'Dora Dee', 'Delete…');
    await page.getByRole('alertdialog', { name: 'Delete Dora Dee?' }).getByRole('button', { name: 'Cancel' }).click();
    equal((await users('dora')).length, 1, 'Dora after a no');
    await more(page, 'Dora Dee', 'Delete…');
    await judge(page, 'Admin, deleting a user');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await toast(page, 'Dora Dee is deleted.').waitFor();
    await page.getByText('No users match.').waitFor();
    equal((await users('dora')).length, 0, 'Dora after a yes');
    await page.goto('/admin?search=ada');
    await page.getByRole('button', { name: 'More about Ada Admin' }).click();
    equal(
        await action(page, "Delete (you can't delete your own account)").getAttribute('aria-disabled'),
        'true',
        "one's own deletion",
    );
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Edit Ada Admin' }).click();
    await page.getByRole('checkbox', { name: /^Staff/ }).uncheck();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('You cannot remove staff rights from your own account.').waitFor();
});

test('Two admins do not overwrite each other: conflicting values are shown for a decision', async ({
    page,
    open,
    allow,
}) => {
    allow(/status of 412/);
    const eve = await person('eve@example.com', { first_name: 'Eve', last_name: 'Old' });

    await open('/admin?search=eve%40');
    await page.getByRole('button', { name: 'Edit Eve Old' }).click();
    await page.getByLabel('First name').fill('Eva');
    await page.getByLabel('Email').fill('eva-eve@example.com');
    await api('PATCH', `admin/users/${eve.id}/`, { first_name: 'Evelyn', last_name: 'New' });
    await page.getByRole('button', { name: 'Save' }).click();
    const notice = dialog(page).getByRole('alert');

    await notice.getByText('Another user changed this user since you opened it.').waitFor();
    await notice.getByText('Merged: Last name is now “New”.').waitFor();
    equal(await notice.getByRole('radio').count(), 2, 'one field is in question');
    await judge(page, 'Admin, two admins at once');
    equal((await users('eve%40'))[0].first_name, 'Evelyn', 'nothing was overwritten');
    assert(
        await notice.getByRole('radio', { name: 'Yours Eva', exact: true }).isChecked(),
        'what one typed is there at first',
    );
    await notice.getByRole('radio', { name: 'Saved Evelyn' }).check();
    equal(await page.getByLabel('First name').inputValue(), 'Evelyn', 'the field follows');
    await page.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'Evelyn New is saved.').waitFor();
    const now = await api('GET', `admin/users/${eve.id}/`);

    equal([now.first_name, now.last_name, now.email], ['Evelyn', 'New', 'eva-eve@example.com'], 'made of both');
    // And the other way.
    await page.getByRole('button', { name: 'Edit Evelyn New' }).click();
    await page.getByLabel('First name').fill('Mine');
    await api('PATCH', `admin/users/${eve.id}/`, { first_name: 'Theirs' });
    await page.getByRole('button', { name: 'Save' }).click();
    await notice.getByText('Choose the values to keep, then save.').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'Mine New is saved.').waitFor();
    // A change between confirmation and request asks again.
    await more(page, 'Mine New', 'Delete…');
    await page.getByRole('alertdialog').waitFor();
    await page.waitForLoadState('networkidle');
    await api('PATCH', `admin/users/${eve.id}/`, { first_name: 'Saved' });
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page
        .getByRole('alertdialog', { name: 'Saved New has changed. Delete anyway?' })
        .getByRole('button', { name: 'Cancel' })
        .click();
    equal((await users('eva-eve')).length, 1, 'who was to be deleted');
    await api('DELETE', `admin/users/${eve.id}/`);
});

test('A dialog with input closes only after a confirmation and keeps the text when offline or when its row was deleted', async ({
    page,
    open,
    allow,
    context,
}) => {
    allow(/status of 404|ERR_INTERNET_DISCONNECTED/);
    const frank = await person('frank@example.com', { first_name: 'Frank' });

    await open('/admin?search=frank');
    await page.getByRole('button', { name: 'Edit Frank' }).click();
    await page.getByLabel('Last name').fill('Typed');
    await page.mouse.click(5, 5);
    await page.keyboard.press('Escape');
    await page.getByRole('alert').getByText('Close without saving?').waitFor();
    await until(() => page.evaluate(() => document.activeElement.textContent === 'Keep editing'), 'the focus');
    await judge(page, 'Admin, closing a form');
    await page.keyboard.press('Enter');
    equal(await page.getByLabel('Last name').inputValue(), 'Typed', 'what was typed');
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Save' }).click();
    await dialog(page).getByRole('alert').getByText('You are offline.').waitFor();
    equal(await page.getByLabel('Last name').inputValue(), 'Typed', 'what was typed');
    await context.setOffline(false);
    await api('DELETE', `admin/users/${frank.id}/`);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('Another user deleted this user.').waitFor();
    equal(await page.getByLabel('Last name').inputValue(), 'Typed', 'what was typed');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Close without saving' }).click();
    await page.getByText('No users match.').waitFor();
});

test('After the session expires over an open form, the user logs in again and the input is saved', async ({
    page,
    open,
    context,
    allow,
}) => {
    allow(/status of 401/);
    await person('grace@example.com', { first_name: 'Grace' });
    await open('/admin?search=grace');
    await page.getByRole('button', { name: 'Edit Grace' }).click();
    await page.getByLabel('Last name').fill('Hopper');
    const tokens = await (await context.request.get('/api/v1/auth/tokens/')).json();

    await api('DELETE', `auth/tokens/${tokens.find((token) => token.is_current).id}/`);
    await page.getByRole('button', { name: 'Save' }).click();
    const login = page.getByRole('dialog', { name: 'Your session has ended' });

    await login.getByLabel('Password').click();
    await page.keyboard.type(people.admin.password);
    await login.getByRole('button', { name: 'Log in' }).click();
    await toast(page, 'Grace Hopper is saved.').waitFor();
    equal((await users('grace'))[0].last_name, 'Hopper', 'what is stored');
});

test("Photos in a user's row are added by click or drop, replaced, named, moved and deleted, five at most", async ({
    page,
    open,
}) => {
    await givePhotos(one, 1);
    await open('/admin?search=scenario-one');
    await photo(page, 1).locator('img').waitFor();
    equal(await page.getByRole('button', { name: /^Add photo \d of Sam One/ }).count(), 4, 'free slots');
    await judge(page, 'Admin, photos in a row');
    await file(page, () => empty(page, 2).click(), picture('By the sea.png'));
    await photo(page, 2).locator('img').waitFor();
    equal(
        (await photosOf(one)).map((each) => [each.order, each.name]),
        [
            [0, 'Portrait 1'],
            [1, 'By the sea'],
        ],
        'what is stored',
    );
    const data = await page.evaluateHandle((bytes) => {
        const all = new DataTransfer();

        all.items.add(
            new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], 'dropped.png', { type: 'image/png' }),
        );
        return all;
    }, picture().buffer.toString('base64'));

    for (const type of ['dragenter', 'dragover', 'drop']) {
        await page
            .getByRole('list', { name: 'Photos of Sam One' })
            .getByRole('listitem')
            .nth(4)
            .dispatchEvent(type, { dataTransfer: data });
    }
    await photo(page, 5).locator('img').waitFor();
    await page.reload();
    await photo(page, 1).locator('img').waitFor();
    const before = (await photosOf(one))[0];

    await file(
        page,
        async () => {
            await photo(page, 1).click();
            await choose(page, 'Replace…');
        },
        picture('new.png', [1, 2, 3]),
    );
    await until(async () => (await photosOf(one))[0].image.original !== before.image.original, 'another picture');
    equal((await photosOf(one))[0].id, before.id, 'of the same photo');
    await photo(page, 2).click();
    await choose(page, 'Name and slot…');
    await page.getByLabel('Name').fill('At the sea');
    await page.getByLabel('Slot', { exact: true }).selectOption('1');
    await judge(page, "Admin, a photo's name and slot");
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Photo 1 of Sam One: At the sea' }).waitFor();
    equal(
        (await photosOf(one)).map((each) => [each.order, each.name]),
        [
            [0, 'At the sea'],
            [1, 'Portrait 1'],
            [4, 'dropped'],
        ],
        'they have changed places',
    );
    for (const number of [3, 4]) {
        await file(page, () => empty(page, number).click(), picture(`${number}.png`));
        await photo(page, number).locator('img').waitFor();
    }
    equal(await page.getByRole('button', { name: /^Add photo \d of Sam One/ }).count(), 0, 'free slots');
    await photo(page, 5).click();
    await choose(page, 'Delete…');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await empty(page, 5).waitFor();
    await toast(page, 'dropped of Sam One is deleted.').waitFor();
    await until(() => empty(page, 5).evaluate((button) => button === document.activeElement), 'the focus in the slot');
    equal((await photosOf(one)).length, 4, 'what is stored');
});

test('A refused upload is shown below the photos until it is dismissed or retried', async ({ page, open, allow }) => {
    allow(/status of (400|503)|ERR_FAILED/);
    await givePhotos(one, 5);
    await open('/admin?search=scenario-one');
    await photo(page, 1).locator('img').waitFor();
    const before = (await photosOf(one))[0].image.original;

    await file(
        page,
        async () => {
            await photo(page, 1).click();
            await choose(page, 'Replace…');
        },
        { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture at all') },
    );
    const alert = page.getByRole('alert');

    await alert.getByText(/^Photo 1: /).waitFor();
    await judge(page, 'Admin, a photo refused');
    equal((await photosOf(one))[0].image.original, before, 'the old picture stays');
    await photo(page, 1).locator('img').waitFor();
    await alert.getByRole('button', { name: 'Photo 1: close' }).click();
    await alert.waitFor({ state: 'detached' });
    // Another user took the last free slot: the server decides.
    await api('DELETE', `reference-images/${(await photosOf(one))[4].id}/?user_id=${one}`);
    await page.reload();
    await empty(page, 5).waitFor();
    const form = new FormData();

    form.set('user_id', one);
    form.set('image', new Blob([portrait]), 'theirs.png');
    await api('POST', 'reference-images/', form);
    await file(page, () => empty(page, 5).click(), picture('mine.png'));
    await alert.getByText('Photo 5: Maximum 5 reference images allowed').waitFor();
    equal((await photosOf(one)).length, 5, 'five');
    await alert.getByRole('button', { name: 'Photo 5: close' }).click();
    // A line that breaks.
    let broken = true;

    await page.route('**/upload-image/**', (route) => (broken ? route.abort() : route.continue()));
    await file(
        page,
        async () => {
            await photo(page, 2).click();
            await choose(page, 'Replace…');
        },
        picture('again.png', [9, 9, 9]),
    );
    await alert.getByText(/^Photo 2: /).waitFor();
    broken = false;
    const old = (await photosOf(one))[1].image.original;

    await alert.getByRole('button', { name: 'Photo 2: try again' }).click();
    await until(async () => (await photosOf(one))[1].image.original !== old, 'the second try');
    await alert.waitFor({ state: 'detached' });
});

test('A photo that another user replaced is not replaced without a confirmation', async ({ page, open, allow }) => {
    allow(/status of 412/);
    allow(/status of 404.*media/); // the picture that is shown is replaced while it is loaded
    const [first] = await givePhotos(one, 1);
    const theirs = async () => {
        const form = new FormData();

        form.set('image', new Blob([portrait]), 'theirs.png');
        return (await api('POST', `reference-images/${first.id}/upload-image/?user_id=${one}`, form)).image.original;
    };
    const replace = () =>
        file(
            page,
            async () => {
                await photo(page, 1).click();
                await choose(page, 'Replace…');
            },
            picture('mine.png', [5, 6, 7]),
        );

    await open('/admin?search=scenario-one');
    await photo(page, 1).locator('img').waitFor();
    const stored = await theirs();

    await replace();
    await page
        .getByRole('alertdialog', { name: 'Photo 1 of Sam One has changed' })
        .getByRole('button', { name: 'Cancel' })
        .click();
    equal((await photosOf(one))[0].image.original, stored, 'theirs stays');
    // Even when it happens while the picture is on its way.
    let late = '';

    await page.route('**/upload-image/**', async (route) => {
        late ||= await theirs();
        await route.continue();
    });
    await replace();
    await page.getByRole('alert').getByText('Photo 1: Another user changed this photo.').waitFor();
    equal((await photosOf(one))[0].image.original, late, 'theirs stays');
    await judge(page, 'Admin, a photo changed meanwhile');
    await page.getByRole('button', { name: 'Replace anyway' }).click();
    await until(async () => (await photosOf(one))[0].image.original !== late, 'mine');
});

test('Reference images can be searched, filtered, added, renamed, replaced and deleted', async ({
    page,
    open,
    allow,
}) => {
    allow(/status of 400/);
    await givePhotos(one, 3);
    await givePhotos(two, 1);
    await open('/admin?tab=photos');
    await page.getByRole('img', { name: 'Portrait 1 of scenario-two@example.com' }).waitFor();
    equal((await rowNames(page)).length, 4, 'all');
    await judge(page, 'Admin, reference images');
    await page.getByRole('combobox', { name: /^User/ }).click();
    await page.keyboard.type('scenario-two');
    await page.locator('.picker-list:not([aria-busy=true]) [role=option]:only-child').waitFor();
    await judge(page, 'Admin, choosing a user');
    await page.keyboard.press('Enter');
    await until(async () => (await rowNames(page)).length === 1, 'one photo');
    await page.getByRole('button', { name: 'Add a photo' }).click();
    await dialog(page).getByText('scenario-two@example.com').waitFor();
    await page
        .getByLabel('Picture', { exact: true })
        .setInputFiles({ name: 'bad.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await page.getByLabel('Name').fill('Portrait new');
    await page.getByRole('button', { name: 'Add photo' }).click();
    await dialog(page).locator('.field-error').or(dialog(page).getByRole('alert')).first().waitFor();
    equal(await page.getByLabel('Name').inputValue(), 'Portrait new', 'what was typed');
    await judge(page, 'Admin, a new photo refused');
    await page.getByLabel('Picture', { exact: true }).setInputFiles(picture('good.png'));
    await page.getByRole('button', { name: 'Add photo' }).click();
    await toast(page, 'Portrait new is in slot 2.').waitFor();
    await page.getByRole('img', { name: 'Portrait new of scenario-two@example.com' }).waitFor();
    await more(page, 'Portrait new of scenario-two@example.com', 'Name and slot…');
    await page.getByLabel('Name').fill('Renamed');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('img', { name: 'Renamed of scenario-two@example.com' }).waitFor();
    const before = (await photosOf(two))[1].image.original;

    await file(
        page,
        () => more(page, 'Renamed of scenario-two@example.com', 'Replace…'),
        picture('other.png', [9, 8, 7]),
    );
    await until(async () => (await photosOf(two))[1].image.original !== before, 'another picture');
    const { medium } = (await photosOf(two))[1].image;

    await until(
        async () => (await page.getByRole('img', { name: 'Renamed of' }).getAttribute('src')) === medium,
        'the list shows it',
    );
    await more(page, 'Renamed of scenario-two@example.com', 'Delete…');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await until(async () => (await rowNames(page)).length === 1, 'one photo');
    await until(async () => (await photosOf(two)).length === 1, 'the deletion');
    equal(
        (await photosOf(two)).map((each) => each.name),
        ['Portrait 1'],
        'what is stored',
    );
    // The limit holds here too.
    await givePhotos(two, 5);
    await page.getByRole('button', { name: 'Add a photo' }).click();
    await page.getByLabel('Picture', { exact: true }).setInputFiles(picture('sixth.png'));
    await page.getByRole('button', { name: 'Add photo' }).click();
    await dialog(page).getByText('Maximum 5 reference images allowed').waitFor();
    await givePhotos(two, 0);
});

test('An expired picture address makes the page refetch its list', async ({ page, open, allow }) => {
    allow(/status of 403/);
    await givePhotos(one, 1);
    let lists = 0;

    page.on('request', (request) => (lists += Number(request.url().includes('/reference-images/?user_id='))));
    await page.route('**/media/**', (route) =>
        lists < 2
            ? route.fulfill({
                  status: 403,
                  contentType: 'application/json',
                  body: '{"detail":"expired","code":"url_expired"}',
              })
            : route.continue(),
    );
    await open('/admin?search=scenario-one');
    await until(() => lists === 2, 'a second list');
});

test('Identities are created, edited, given a picture and deleted, with notes line by line', async ({
    page,
    open,
    allow,
}) => {
    allow(/status of 400/);
    for (const identity of (await api('GET', 'admin/identities/?search=dancer')).results) {
        await api('DELETE', `admin/identities/${identity.id}/`);
    }
    await open('/admin?tab=identities');
    await page.getByRole('heading', { name: 'Runner' }).waitFor();
    await judge(page, 'Admin, identities');
    await page.getByRole('button', { name: 'New identity' }).click();
    const form = dialog(page);

    await form.getByLabel('Name').fill('Dancer');
    await page.getByRole('button', { name: 'Create identity' }).click();
    await form.locator('.field-error').first().waitFor();
    equal(
        await form.locator('.field-error').allInnerTexts(),
        ['This field is required.', 'This field is required.'],
        'all that is missing, at once',
    );
    await judge(page, 'Admin, an identity refused');
    await dialog(page).getByRole('combobox', { name: /^User/ }).click();
    await page.keyboard.type('scenario-one');
    await page.locator('.picker-list:not([aria-busy=true]) [role=option]:only-child').waitFor();
    await page.keyboard.press('Enter');
    await form.getByLabel('Category').fill('passions_and_talents');
    await page.getByLabel('I am statement').fill('I am light.');
    await page.getByRole('button', { name: 'Add a note' }).click();
    await until(
        () => page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Note 1'),
        'the focus on the note',
    );
    await page.keyboard.type('first');
    await page.keyboard.press('Enter');
    await until(
        () => page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Note 2'),
        'the focus on the next note',
    );
    await page.keyboard.type('second');
    await page.getByRole('button', { name: 'Create identity' }).click();
    await toast(page, 'Dancer is created.').waitFor();
    const [dancer] = (await api('GET', 'admin/identities/?search=dancer')).results;

    equal(
        [dancer.user, dancer.category, dancer.i_am_statement, dancer.notes],
        [one, 'passions_and_talents', 'I am light.', ['first', 'second']],
        'what is stored',
    );
    await file(page, () => more(page, 'Dancer', 'Add picture…'), picture('dancer.png'));
    await page.getByRole('img', { name: 'Picture of Dancer' }).waitFor();
    await toast(page, 'Dancer has a new picture.').waitFor();
    await more(page, 'Dancer', 'Remove picture');
    await page.getByRole('img', { name: 'Picture of Dancer' }).waitFor({ state: 'detached' });
    await toast(page, 'Dancer no longer has a picture.').getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('img', { name: 'Picture of Dancer' }).waitFor();
    await page.getByRole('button', { name: 'Edit Dancer' }).click();
    await page.getByRole('button', { name: 'Remove note 1' }).click();
    await api('PATCH', `admin/identities/${dancer.id}/`, { visualization: 'On a stage.' });
    allow(/status of 412/);
    await page.getByRole('button', { name: 'Save' }).click();
    await dialog(page).getByRole('alert').getByText('Visualization is now “On a stage.”').waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'Dancer is saved.').waitFor();
    const now = await api('GET', `admin/identities/${dancer.id}/`);

    equal([now.notes, now.visualization], [['second'], 'On a stage.'], 'made of both');
    await more(page, 'Dancer', 'Delete…');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await toast(page, 'Dancer is deleted.').waitFor();
    await page.getByLabel('Category').selectOption('physical expression');
    await until(async () => (await rowNames(page)).join() === 'Runner', 'those of a category');
});

test('Test scenarios are created, assigned and deleted, and the Images page follows', async ({ page, open }) => {
    for (const scenario of (await api('GET', 'admin/test-scenarios/?search=three')).results) {
        await api('DELETE', `admin/test-scenarios/${scenario.id}/`);
    }
    await open('/admin?tab=scenarios');
    await page.getByText('No user yet. Not shown on the Images page.').waitFor();
    await page.getByRole('button', { name: 'New test scenario' }).click();
    await page.getByLabel('Name').fill('Scenario Three');
    await page.getByRole('button', { name: 'Create scenario' }).click();
    await page.getByRole('button', { name: 'Edit Scenario Three' }).click();
    await dialog(page).getByRole('combobox', { name: /^User/ }).click();
    await page.keyboard.type('alice');
    await page.locator('.picker-list:not([aria-busy=true]) [role=option]:only-child').waitFor();
    await page.keyboard.press('Enter');
    await judge(page, 'Admin, a test scenario');
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, 'Scenario Three').getByText('User alice@example.com').waitFor();
    assert(
        (await api('GET', 'image-generation/users/')).some((user) => user.name === 'Scenario Three'),
        'who can be chosen on Images',
    );
    await page.getByRole('button', { name: 'Edit Scenario Three' }).click();
    await dialog(page).getByRole('combobox', { name: /^User/ }).click();
    await page.getByRole('option', { name: 'No user' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await row(page, 'Scenario Three').getByText('No user yet').waitFor();
    await page.getByRole('button', { name: 'Delete Scenario Three' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Scenario Three', exact: true }).waitFor({ state: 'detached' });
    await until(
        () => page.evaluate(() => document.activeElement.getAttribute('aria-label') === 'Test scenarios'),
        'the focus on the list',
    );
});

test('A row that could not be deleted returns, and the error stays until it is closed', async ({
    page,
    open,
    allow,
}) => {
    allow(/status of 503/);
    await page.route('**/api/v1/admin/test-scenarios/*/', (route) =>
        route.request().method() === 'DELETE'
            ? route.fulfill({
                  status: 503,
                  contentType: 'application/json',
                  body: JSON.stringify({ detail: 'The database does not answer.', code: 'database_down' }),
              })
            : route.continue(),
    );
    await open('/admin?tab=scenarios');
    await page.getByRole('button', { name: 'Delete Scenario One' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
    const failure = toast(page, "Couldn't delete Scenario One.");

    await failure.getByText('The database does not answer.').waitFor();
    equal(await failure.getAttribute('role'), 'alert', 'the toast');
    await page.getByRole('heading', { name: 'Scenario One', exact: true }).waitFor();
    await failure.getByRole('button', { name: 'Close' }).click();
    await failure.waitFor({ state: 'detached' });
});

test('A list that fails to load shows the reason and loads after a retry', async ({ page, open, allow }) => {
    allow(/status of 500/);
    let broken = true;

    await page.route('**/api/v1/admin/users/?*', (route) =>
        broken
            ? route.fulfill({
                  status: 500,
                  contentType: 'application/json',
                  body: JSON.stringify({ detail: 'Internal server error', code: 'internal', request_id: 'abc' }),
              })
            : route.continue(),
    );
    await open('/admin');
    await page.getByRole('alert').getByText('Internal server error').waitFor();
    await page.getByText("Request abc in the server's log.").waitFor();
    broken = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Ada Admin' }).waitFor();
});

test('A user and a photo are created and deleted with the keyboard alone', async ({ page, open }) => {
    for (const user of await users('heidi')) {
        await api('DELETE', `admin/users/${user.id}/`);
    }
    await open('/admin?search=heidi');
    await page.getByText('No users match.').waitFor();
    const name = () =>
        page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
    const tabTo = async (wanted) => {
        for (let i = 0; i < 60; i++) {
            await page.keyboard.press('Tab');
            if ((await name()).startsWith(wanted)) {
                return;
            }
        }
        throw new Error(`Tab does not come to ${wanted}`);
    };

    await tabTo('New user');
    await page.keyboard.press('Enter');
    await until(() => page.evaluate(() => document.activeElement.type === 'email'), 'the first field');
    await page.keyboard.type('heidi@example.com');
    await page.keyboard.press('Enter');
    await toast(page, 'heidi@example.com is created.').waitFor();
    await empty(page, 1, 'heidi@example.com').waitFor();
    await file(
        page,
        async () => {
            await tabTo('Add photo 1 of heidi@example.com');
            await page.keyboard.press('Enter');
        },
        picture('heidi.png'),
    );
    await photo(page, 1, 'heidi@example.com').locator('img').waitFor();
    await page.getByLabel('Search users').focus();
    await tabTo('Photo 1 of heidi@example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('toolbar').waitFor();
    await until(async () => (await name()).startsWith('Replace'), 'the first action');
    for (let i = 0; i < 3; i++) {
        await page.keyboard.press('ArrowDown');
    }
    equal(await name(), 'Delete…', 'the last action');
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog').waitFor();
    await tabTo('Delete');
    await page.keyboard.press('Enter');
    await empty(page, 1, 'heidi@example.com').waitFor();
    await page.getByLabel('Search users').focus();
    await tabTo('More about heidi@example.com');
    await page.keyboard.press('Enter');
    await page.getByRole('toolbar').waitFor();
    await page.keyboard.press('Escape');
    await until(async () => (await name()).startsWith('More about'), 'the focus back on the button');
    await page.keyboard.press('Enter');
    await until(async () => (await name()).startsWith('Set password'), 'the first action');
    await page.keyboard.press('ArrowUp');
    equal(await name(), 'Delete…', 'from the first to the last');
    await page.keyboard.press('Enter');
    await page.getByRole('alertdialog').waitFor();
    await tabTo('Delete');
    await page.keyboard.press('Enter');
    await page.getByText('No users match.').waitFor();
    await until(async () => (await users('heidi')).length === 0, 'the end of heidi');
});

test('The layout does not shift while the page loads', async ({ page }) => {
    await givePhotos(one, 3);
    equal(
        await jumps(page, '/admin', '/admin?tab=photos', '/admin?tab=identities', '/admin?tab=scenarios'),
        [],
        'what has jumped',
    );
});

for (const [width, what] of [
    [320, '320 pixels'],
    [640, '200 % zoom'],
]) {
    test(`All parts of the page, and its forms, fit in ${what} without scrolling sideways`, async ({ page, open }) => {
        await givePhotos(one, 5);
        await page.setViewportSize({ width, height: 600 });
        for (const tab of ['users', 'photos', 'identities', 'scenarios']) {
            await open(`/admin?tab=${tab}`);
            await page.waitForLoadState('networkidle');
            await fits(page, tab);
        }
        await open('/admin?tab=identities&search=creative');
        await page.getByRole('button', { name: 'Edit Creative Visionary' }).click();
        await page.getByLabel('Note 1', { exact: true }).waitFor();
        const box = await dialog(page).evaluate((element) => [
            element.scrollWidth - element.clientWidth,
            element.getBoundingClientRect().right <= innerWidth,
        ]);

        equal(box, [0, true], 'the form');
    });
}

await run();
