// hey-api.ts - the main tasks with the client that @hey-api/openapi-ts generates.
import {
    createReferenceImage,
    deleteReferenceImage,
    generateImage,
    listReferenceImages,
    logIn,
    updateReferenceImage,
    uploadReferenceImage,
} from './generated';
import { client } from './generated/client.gen';
import { doJob } from './job';

await doJob({
    async logIn(email, password) {
        const { data } = await logIn({ body: { email, password, token: true }, throwOnError: true });
        const token = 'token' in data ? data.token : '';
        client.setConfig({ auth: ({ scheme }) => (scheme === 'bearer' ? token : undefined) });
        return token;
    },
    async create(user_id, name, image) {
        const {
            data: { id },
        } = await createReferenceImage({ body: { user_id, name }, throwOnError: true }); // it sends JSON whenever a body can be JSON
        const { data, response } = await uploadReferenceImage({
            path: { id },
            query: { user_id },
            body: { image },
            throwOnError: true,
        });
        return { photo: data, tag: response.headers.get('ETag') ?? '' };
    },
    async generate(user_id, identity_id, additional_prompt) {
        const { data } = await generateImage({
            body: { user_id, identity_id, additional_prompt, resolution: '1K' },
            throwOnError: true,
        });
        return ('image_url' in data && data.image_url) || '';
    },
    async list(user_id) {
        return (await listReferenceImages({ query: { user_id }, throwOnError: true })).data;
    },
    async rename(user_id, id, tag, name) {
        const { data, response } = await updateReferenceImage({
            path: { id },
            query: { user_id },
            headers: { 'If-Match': tag },
            body: { name },
        });
        return { status: response?.status ?? 0, photo: data, tag: response?.headers.get('ETag') ?? '' };
    },
    async remove(user_id, id, tag) {
        return (
            (await deleteReferenceImage({ path: { id }, query: { user_id }, headers: { 'If-Match': tag } })).response
                ?.status ?? 0
        );
    },
});
