// orval.ts - the main tasks with orval's fetch client.
import {
    createReferenceImage,
    deleteReferenceImage,
    generateImage,
    listReferenceImages,
    logIn,
    updateReferenceImage,
    uploadReferenceImage,
} from './generated/client';
import { doJob } from './job';

let authorization: Record<string, string> = {};

await doJob({
    async logIn(email, password) {
        const { data } = await logIn({ email, password, token: true });
        const token = 'token' in data ? data.token : '';
        authorization = { Authorization: `Bearer ${token}` };
        return token;
    },
    async create(user_id, name, image) {
        const json = { ...authorization, 'Content-Type': 'application/json' }; // for several types it sends JSON without a Content-Type
        const made = await createReferenceImage({ user_id, name }, { headers: json });
        if (made.status !== 201) throw new Error(JSON.stringify(made.data));
        const answer = await uploadReferenceImage(made.data.id, { image }, { user_id }, { headers: authorization });
        if (answer.status !== 200) throw new Error(JSON.stringify(answer.data));
        return { photo: answer.data, tag: answer.headers.get('ETag') ?? '' };
    },
    async generate(user_id, identity_id, additional_prompt) {
        const { data } = await generateImage(
            { user_id, identity_id, additional_prompt, resolution: '1K' },
            { headers: authorization },
        );
        return ('image_url' in data && data.image_url) || '';
    },
    async list(user_id) {
        const answer = await listReferenceImages({ user_id }, { headers: authorization });
        return answer.status === 200 ? answer.data : [];
    },
    async rename(user_id, id, tag, name) {
        const answer = await updateReferenceImage(
            id,
            { name },
            { user_id },
            { headers: { ...authorization, 'Content-Type': 'application/json', 'If-Match': tag } },
        );
        return {
            status: answer.status,
            photo: answer.status === 200 ? answer.data : undefined,
            tag: answer.headers.get('ETag') ?? '',
        };
    },
    async remove(user_id, id, tag) {
        return (await deleteReferenceImage(id, { user_id }, { headers: { ...authorization, 'If-Match': tag } })).status;
    },
});
