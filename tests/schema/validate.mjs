// validate.mjs - check that openapi.json is valid OpenAPI 3.1 and follows the project's rules. Prints TAP.
import { Validator } from '@seriousme/openapi-schema-validator';
import { check, document, escape, lookUp, operations, resolve } from './document.mjs';

let count = 0;
function ok(name, problems) {
    count += 1;
    console.log(`${problems.length ? 'not ok' : 'ok'} ${count} - ${name}`);
    problems.slice(0, 20).forEach((problem) => console.log(`# ${problem}`));
}

// Calls visit(value, pointer) for every object in the document.
function walk(visit, value = document, pointer = '#') {
    if (value === null || typeof value !== 'object') return;
    visit(value, pointer);
    for (const [key, inner] of Object.entries(value)) walk(visit, inner, `${pointer}/${escape(key)}`);
}

const validator = new Validator();
const result = await validator.validate(structuredClone(document));
ok(
    'openapi.json is valid OpenAPI 3.1',
    result.valid && validator.version === '3.1' ? [] : [JSON.stringify(result.errors)],
);

const broken = [];
const referenced = new Set();
walk((value, pointer) => {
    if (typeof value.$ref !== 'string') return;
    referenced.add(value.$ref);
    if (lookUp(value.$ref) === undefined) broken.push(`${pointer}: ${value.$ref}`);
});
ok('each $ref has a target', broken);

const invalid = [];
for (const name of Object.keys(document.components.schemas)) {
    try {
        check(`#/components/schemas/${name}`, null);
    } catch (e) {
        invalid.push(`${name}: ${e.message}`);
    }
}
ok('each schema is valid JSON Schema (2020-12)', invalid);
ok(
    'each schema is used',
    Object.keys(document.components.schemas).filter((name) => !referenced.has(`#/components/schemas/${name}`)),
);

const wrong = [];
walk((value, pointer) => {
    const schema = value.schema && `${pointer}/schema`;
    if (!schema || !/\/content\//.test(pointer)) return;
    if ('example' in value) wrong.push(...check(schema, value.example).map((e) => `${pointer}: ${e}`));
    for (const example of Object.values(value.examples ?? {})) {
        wrong.push(...check(schema, resolve(example).value).map((e) => `${pointer}: ${e}`));
    }
});
ok('each example matches its schema', wrong);

// Some generators use only the first type of a body.
const misplaced = operations.filter(({ operation }) => {
    const types = Object.entries(resolve(operation.requestBody)?.content ?? {});
    const takesFile = ([, { schema }]) =>
        Object.values(resolve(schema).properties ?? {}).some((value) => resolve(value).format === 'binary');
    return types.some(takesFile) && !takesFile(types[0]);
});
ok(
    'multipart is the first type of each body that can hold a picture',
    misplaced.map(({ pointer }) => pointer),
);
const incomplete = operations.filter(({ operation }) => !operation.responses[414] || !operation.responses[431]);
ok(
    'each operation describes 414 and 431',
    incomplete.map(({ pointer }) => pointer),
);

// An open schema would accept members that are not described.
const open = [];
for (const { pointer, operation } of operations) {
    for (const [status, response] of Object.entries(operation.responses)) {
        const schema = resolve(resolve(response).content?.['application/json']?.schema);
        const inner = schema?.type === 'array' ? resolve(schema.items) : schema;
        if (operation.operationId !== 'getSchema' && inner?.type === 'object' && inner.additionalProperties !== false)
            open.push(`${pointer} ${status}`);
    }
}
ok('response schemas allow no additional members', open);

const ids = operations.map(({ operation }) => operation.operationId);
ok(
    'each operation has a unique id',
    ids.filter((id, i) => !id || ids.indexOf(id) !== i),
);
const tags = document.tags.map((tag) => tag.name);
ok(
    'each operation has one known tag, a summary and an example',
    operations
        .filter(
            ({ operation: o }) =>
                o.tags?.length !== 1 || !tags.includes(o.tags[0]) || !o.summary || !o['x-codeSamples'],
        )
        .map(({ pointer }) => pointer),
);
ok(
    'each tag is used',
    tags.filter((tag) => !operations.some(({ operation }) => operation.tags.includes(tag))),
);
ok(
    'the path parameters of each path match its braces',
    operations.flatMap(({ path, item, operation, pointer }) => {
        const named = [...path.matchAll(/\{(\w+)\}/g)].map((m) => m[1]);
        const given = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
            .map(resolve)
            .filter((p) => p.in === 'path')
            .map((p) => p.name);
        return `${named}` === `${given}` ? [] : [pointer];
    }),
);

// Rules for groups of routes.
const missing = [];
for (const { pointer, operation } of operations) {
    const has = (status) => status in operation.responses;
    const anyone = operation.security?.length === 0;
    if (!anyone && !(has(401) && has(500) && has(503))) missing.push(`${pointer}: 401, 500, 503`);
    if (operation.requestBody && !(has(400) && has(408) && has(413) && has(415)))
        missing.push(`${pointer}: 400, 408, 413, 415`);
    if (pointer.includes('{id}') && !has(404)) missing.push(`${pointer}: 404`);
    if (has(201) && !resolve(operation.responses[201]).headers.Location) missing.push(`${pointer}: Location`);
}
ok('routes with credentials, bodies and ids describe the statuses that these can cause', missing);

const codes = document.components.schemas.Code;
ok(
    'each code has a description that begins with a status',
    codes.enum
        .filter((code) => !/^[45]\d\d: ./.test(codes['x-enumDescriptions'][code] ?? ''))
        .concat(Object.keys(codes['x-enumDescriptions']).filter((code) => !codes.enum.includes(code))),
);
ok(
    'the x-codes of each route are known codes',
    operations.flatMap(({ operation, pointer }) =>
        (operation['x-codes'] ?? []).filter((code) => !codes.enum.includes(code)).map((code) => `${pointer}: ${code}`),
    ),
);
console.log(`1..${count}`);
