// moved.mjs - the pages below another path: all of them work there as they are.
import { equal, run, test } from './lib.mjs';

const path = process.env.IIMG_PAGES;

test('Below another path the pages find their files, each other and the API', async ({ page, open }) => {
    await open(path);
    await page.getByRole('navigation').getByRole('link', { name: 'Images' }).click();
    await page.getByRole('heading', { level: 1, name: 'Images' }).waitFor();
    equal(new URL(page.url()).pathname, `${path}images`, 'the address');
    await page.reload();
    await page.getByText('Reference images for Ada Admin').waitFor();
    await page.getByRole('link', { name: 'Identity Images, home' }).click();
    await page.getByRole('heading', { level: 1, name: 'Home' }).waitFor();
    equal(new URL(page.url()).pathname, path, 'the address');
});

await run();
