// job.ts - the main job, by whatever client: log in, add a photo with its picture, generate, fetch both
// pictures, list, rename with If-Match, delete. A line "ok - ..." or "not ok - ..." for each step.
import { readFileSync } from 'node:fs';

interface Photo { id: string; name: string; image: { original: string; medium: string } | null }

// What a generated client has to be able to do; each file beside this one does it with one of them.
export interface Client {
    logIn(email: string, password: string): Promise<string>;                    // a token; later calls use it
    create(user: string, name: string, image: Blob): Promise<{ photo: Photo; tag: string }>;
    generate(user: string, identity: string, prompt: string): Promise<string>;  // the picture's URL
    list(user: string): Promise<Photo[]>;
    rename(user: string, id: string, tag: string, name: string): Promise<{ status: number; photo?: Photo; tag?: string }>;
    remove(user: string, id: string, tag: string): Promise<number>;
}

function look(right: boolean, what: string): void {
    console.log(`${right ? 'ok' : 'not ok'} - ${what}`);
}

async function isPicture(url: string): Promise<boolean> {
    const answer = await fetch(url);
    return answer.status === 200 && /^image\//.test(answer.headers.get('Content-Type') ?? '') && (await answer.arrayBuffer()).byteLength > 100;
}

export async function doJob(client: Client): Promise<void> {
    const [user = '', identity = '', picture = ''] = process.argv.slice(2);
    const image = new Blob([readFileSync(picture)], { type: 'image/png' });         // Node 18 has no global File

    look((await client.logIn('admin@example.com', 'pw-admin')).startsWith('iimg_'), 'logging in gives a token');
    const { photo, tag } = await client.create(user, 'Headshot', image);
    look(photo.name === 'Headshot' && photo.image !== null, 'a photo is created with its picture');
    look(await isPicture(photo.image?.medium ?? ''), 'its picture can be fetched');
    look(await isPicture(await client.generate(user, identity, 'Warm light')), 'a picture is generated and can be fetched');
    look((await client.list(user)).some(({ id, name }) => id === photo.id && name === 'Headshot'), 'the list has the photo');
    look((await client.rename(user, photo.id, '"999999.1"', 'Late')).status === 412, 'renaming another version is refused');
    const renamed = await client.rename(user, photo.id, tag, 'Eileen');
    look(renamed.status === 200 && renamed.photo?.name === 'Eileen', 'renaming the version that was read succeeds');
    look(await client.remove(user, photo.id, tag) === 412, 'deleting an old version is refused');
    look(await client.remove(user, photo.id, renamed.tag ?? '') === 204, 'deleting succeeds');
    console.log('done');
}
