// oazapfts.ts - the main tasks with the client that oazapfts generates.
import {
    createReferenceImage,
    defaults,
    deleteReferenceImage,
    generateImage,
    listReferenceImages,
    logIn,
    updateReferenceImage,
} from './generated/client';
import { doJob } from './job';

await doJob({
    async logIn(email, password) {
        const { data } = await logIn({ email, password, token: true });
        const token = 'token' in data ? data.token : '';
        defaults.headers = { ...defaults.headers, authorization: `Bearer ${token}` };
        return token;
    },
    async create(userId, name, image) {
        const answer = await createReferenceImage({ user_id: userId, name, image });
        if (answer.status !== 201) throw new Error(JSON.stringify(answer.data));
        return { photo: answer.data, tag: answer.headers.get('ETag') ?? '' };
    },
    async generate(user_id, identity_id, additional_prompt) {
        const answer = await generateImage({ user_id, identity_id, additional_prompt, resolution: '1K' });
        return answer.status === 200 ? answer.data.image_url : '';
    },
    async list(userId) {
        const answer = await listReferenceImages({ userId });
        return answer.status === 200 ? answer.data : [];
    },
    async rename(userId, id, ifMatch, name) {
        const answer = await updateReferenceImage(id, { name }, { userId, ifMatch });
        return {
            status: answer.status,
            photo: answer.status === 200 ? answer.data : undefined,
            tag: answer.headers.get('ETag') ?? '',
        };
    },
    async remove(userId, id, ifMatch) {
        return (await deleteReferenceImage(id, { userId, ifMatch })).status;
    },
});
