// job.ts - the main tasks, with any client: log in, add a photo with its picture, generate, fetch both
// pictures, list, rename with If-Match, delete. Prints "ok - ..." or "not ok - ..." for each step.
import { readFileSync } from 'node:fs';

interface Photo {
    id: string;
    name: string;
    image: { original: string; medium: string } | null;
}

// The operations that each generated client must support. The other files here implement it, one client each.
export interface Client {
    logIn(email: string, password: string): Promise<string>; // a token; later calls use it
    create(user: string, name: string, image: Blob): Promise<{ photo: Photo; tag: string }>;
    generate(user: string, identity: string, prompt: string): Promise<string>; // the picture's URL
    list(user: string): Promise<Photo[]>;
    rename(
        user: string,
        id: string,
        tag: string,
        name: string,
    ): Promise<{ status: number; photo?: Photo; tag?: string }>;
    remove(user: string, id: string, tag: string): Promise<number>;
}

function check(passed: boolean, title: string): void {
    console.log(`${passed ? 'ok' : 'not ok'} - ${title}`);
}

async function isPicture(url: string): Promise<boolean> {
    const answer = await fetch(url);
    return (
        answer.status === 200 &&
        /^image\//.test(answer.headers.get('Content-Type') ?? '') &&
        (await answer.arrayBuffer()).byteLength > 100
    );
}

export async function doJob(client: Client): Promise<void> {
    const [user = '', identity = '', picture = ''] = process.argv.slice(2);
    const image = new Blob([readFileSync(picture)], { type: 'image/png' }); // Node 18 has no global File

    check((await client.logIn('admin@example.com', 'pw-admin')).startsWith('iimg_'), 'login returns a token');
    const { photo, tag } = await client.create(user, 'Headshot', image);
    check(photo.name === 'Headshot' && photo.image !== null, 'a photo is created with its picture');
    check(await isPicture(photo.image?.medium ?? ''), 'the picture of the photo can be fetched');
    check(
        await isPicture(await client.generate(user, identity, 'Warm light')),
        'a picture is generated and can be fetched',
    );
    check(
        (await client.list(user)).some(({ id, name }) => id === photo.id && name === 'Headshot'),
        'the list contains the photo',
    );
    check(
        (await client.rename(user, photo.id, '"999999.1"', 'Late')).status === 412,
        'renaming with an unknown version is refused',
    );
    const renamed = await client.rename(user, photo.id, tag, 'Eileen');
    check(renamed.status === 200 && renamed.photo?.name === 'Eileen', 'renaming with the current version succeeds');
    check((await client.remove(user, photo.id, tag)) === 412, 'deleting with an old version is refused');
    check(
        (await client.remove(user, photo.id, renamed.tag ?? '')) === 204,
        'deleting with the current version succeeds',
    );
    console.log('done');
}
