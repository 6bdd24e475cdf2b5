// studio.mjs - the page Images with photos, an identity and a generated picture, as a PNG.
//
//   IIMG_BASE=http://127.0.0.1:8080 node tests/browser/studio.mjs FILE PHOTO...
//
// scripts/screenshots runs it.
import { readFileSync } from 'node:fs';
import { api, base, givePhotos, identities, launch, people } from './lib.mjs';

const [file, ...photos] = process.argv.slice(2);
const user = people.one.id;
const names = ['Headshot', 'Profile', 'Close-up', 'Black and white'];

await givePhotos(user, 0);
for (const [i, photo] of photos.entries()) {
    const form = new FormData();

    form.set('user_id', user);
    form.set('name', names[i]);
    form.set('image', new Blob([readFileSync(photo)]), `${names[i]}.jpg`);
    await api('POST', 'reference-images/', form);
}
await api('POST', 'image-generation/generate/', {
    identity_id: identities.visionary,
    user_id: user,
    aspect_ratio: '16:9',
    resolution: '1K',
    additional_prompt: 'Warm light',
    save_to_identity: true,
});

const { browser, close } = await launch();

try {
    const context = await browser.newContext({
        baseURL: base,
        viewport: { width: 1280, height: 1120 },
        colorScheme: 'light',
    });

    await context.request.post('/api/v1/auth/login/', {
        data: { email: people.admin.email, password: people.admin.password },
    });
    const page = await context.newPage();

    await page.goto(`/images?user=${user}&identity=${identities.visionary}`);
    await page.waitForFunction(
        (count) =>
            document.querySelectorAll('.slot-picture').length === count &&
            [...document.images].every((img) => img.complete && img.naturalWidth > 0),
        photos.length,
    );
    await page.locator('label.chip', { hasText: '1K' }).click();
    await page.getByRole('button', { name: /^Generate/ }).click();
    // The result is the only wide picture.
    await page.waitForFunction(() => [...document.images].some((img) => img.clientWidth > 400));
    await page.waitForFunction(() => [...document.images].every((img) => img.complete && img.naturalWidth > 0));
    await page.waitForLoadState('networkidle');
    await page.evaluate(() => scrollTo(0, 0));
    await page.screenshot({ path: file });
} finally {
    await close();
}
