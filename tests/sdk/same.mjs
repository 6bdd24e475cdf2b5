/* same.mjs - repeat this project's last request with Google's client, and print the differences.
 *
 *   node same.mjs MAJOR BASE-URL KEY <BODY
 *
 * BODY is the body of the request that is last in the stand-in's /__record. Its text, pictures, ratio, size
 * and "store" are passed to the client, which sends them to the same stand-in.
 */
import { readFileSync } from 'node:fs';
import { apiKey, baseUrl, client } from './client.mjs';

function sorted(value) {
    if (Array.isArray(value)) {
        return value.map(sorted);
    }
    if (value === null || typeof value !== 'object') {
        return value;
    }
    return Object.fromEntries(
        Object.keys(value)
            .sort()
            .map((name) => [name, sorted(value[name])]),
    );
}

async function lastRecord() {
    return (await (await fetch(`${baseUrl}/__record`)).json()).at(-1);
}

function header(record, name) {
    return record.headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

let differences = 0;

function same(what, theirs, ours) {
    const [a, b] = [theirs, ours].map((value) => JSON.stringify(sorted(value)));

    if (a !== b) {
        differences++;
        console.log(`${what}: the client sends ${a?.slice(0, 300)}, we send ${b?.slice(0, 300)}`);
    }
}

const body = JSON.parse(readFileSync(0, 'utf8'));
const ours = await lastRecord();
const [, version, model] = /^\/(v1|v1beta)\/models\/([^:]+):generateContent$/.exec(ours.path);
const { imageConfig, responseModalities } = body.generationConfig;
const ai = await client({ apiVersion: version, timeout: 1000 * Number(header(ours, 'x-server-timeout')) });

await ai.models.generateContent({
    model,
    contents: [
        {
            role: 'user',
            parts: body.contents[0].parts.map((part) =>
                part.inlineData
                    ? { inlineData: { mimeType: part.inlineData.mimeType, data: part.inlineData.data } }
                    : { text: part.text },
            ),
        },
    ],
    config: {
        responseModalities,
        imageConfig: { aspectRatio: imageConfig.aspectRatio, imageSize: imageConfig.imageSize },
        ...(body.store === undefined ? {} : { store: body.store }),
    },
});

const theirs = await lastRecord();

same('the body', JSON.parse(await (await fetch(`${baseUrl}/__last`)).text()), body);
same('the method', theirs.method, ours.method);
same('the path', theirs.path, ours.path);
for (const name of ['x-goog-api-key', 'x-server-timeout', 'content-type', 'transfer-encoding', 'expect']) {
    same(`the header ${name}`, header(theirs, name), header(ours, name));
}
same('the length', header(theirs, 'content-length') !== undefined, header(ours, 'content-length') !== undefined);
if (!apiKey) {
    differences++;
}
console.log(`differences: ${differences}`);
