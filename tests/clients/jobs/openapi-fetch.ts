// openapi-fetch.ts - the main tasks with openapi-fetch and the types from openapi-typescript.
import createClient from 'openapi-fetch';
import type { paths } from './generated/schema';
import schema from './schema.json';
import { doJob } from './job';

const api = createClient<paths>({ baseUrl: schema.servers[0]?.url ?? '' });
let authorization = '';
api.use({
    onRequest: ({ request }) => {
        if (authorization) request.headers.set('Authorization', authorization);
        return request;
    },
});

function given<T>({ data, error }: { data?: T; error?: unknown }): T {
    if (data === undefined) throw new Error(JSON.stringify(error));
    return data;
}

await doJob({
    async logIn(email, password) {
        const user = given(await api.POST('/auth/login/', { body: { email, password, token: true } }));
        const token = 'token' in user ? user.token : '';
        authorization = `Bearer ${token}`;
        return token;
    },
    async create(user_id, name, image) {
        const body = { user_id, name, image: image as unknown as string }; // the generated type of a file is string
        const answer = await api.POST('/reference-images/', {
            body,
            bodySerializer: (fields) => {
                const form = new FormData();
                for (const [key, value] of Object.entries(fields ?? {})) form.append(key, value as string | Blob);
                return form;
            },
        });
        return { photo: given(answer), tag: answer.response.headers.get('ETag') ?? '' };
    },
    async generate(user_id, identity_id, additional_prompt) {
        const made = given(
            await api.POST('/image-generation/generate/', {
                body: { user_id, identity_id, additional_prompt, resolution: '1K' },
            }),
        );
        return ('image_url' in made && made.image_url) || '';
    },
    async list(user_id) {
        return given(await api.GET('/reference-images/', { params: { query: { user_id } } }));
    },
    async rename(user_id, id, tag, name) {
        const { data, response } = await api.PATCH('/reference-images/{id}/', {
            params: { path: { id }, query: { user_id }, header: { 'If-Match': tag } },
            body: { name },
        });
        return { status: response.status, photo: data, tag: response.headers.get('ETag') ?? '' };
    },
    async remove(user_id, id, tag) {
        return (
            await api.DELETE('/reference-images/{id}/', {
                params: { path: { id }, query: { user_id }, header: { 'If-Match': tag } },
            })
        ).response.status;
    },
});
