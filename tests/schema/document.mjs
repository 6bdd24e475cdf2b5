// document.mjs - openapi.json as these tests use it: read, with its schemas compiled.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const source = new URL('../../mod_identityimg/openapi.json', import.meta.url);

export const text = readFileSync(source, 'utf8');
export const document = JSON.parse(text);

// What the JSON pointer behind a "#" leads to; undefined when it leads nowhere.
export function lookUp(pointer) {
    return pointer.slice(1).split('/').filter(Boolean)
        .map((word) => decodeURIComponent(word).replaceAll('~1', '/').replaceAll('~0', '~'))
        .reduce((value, word) => value?.[word], document);
}

// The value itself, or what its $ref names.
export const resolve = (value) => (value?.$ref ? resolve(lookUp(value.$ref)) : value);

// Strict: a word in a schema that is none of JSON Schema's is an error.
const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true, verbose: true });
addFormats(ajv);
ajv.addFormat('binary', true);
ajv.addVocabulary(['x-enumDescriptions', 'example']);

// Schemas refer to one another by their place in the document; ajv knows each by a name of its own.
const place = '#/components/schemas/';
const named = (schema) => JSON.parse(JSON.stringify(schema), (key, value) => (key === '$ref' ? value.replace(place, 'iimg:') : value));
for (const [name, schema] of Object.entries(document.components.schemas)) ajv.addSchema(named(schema), `iimg:${name}`);

function sentence({ instancePath, message, keyword, params, data }) {
    const more = ['enum', 'const', 'pattern', 'format', 'type'].includes(keyword) ? `, but is ${JSON.stringify(data)}`
        : keyword === 'additionalProperties' ? ` such as "${params.additionalProperty}"` : '';
    return `${instancePath || 'the answer'} ${message}${more}`;
}

const compiled = new Map();

// The errors, as sentences, of a value held against the schema at a pointer ("#/components/...").
export function check(pointer, value) {
    if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile(named(lookUp(pointer))));
    const validate = compiled.get(pointer);
    return validate(value) ? [] : validate.errors.map(sentence);
}

export const escape = (word) => word.replaceAll('~', '~0').replaceAll('/', '~1');
export const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

// Every operation: { path, method, item, operation, pointer }.
export const operations = Object.entries(document.paths).flatMap(([path, item]) => methods
    .filter((method) => item[method])
    .map((method) => ({ path, method, item, operation: item[method], pointer: `#/paths/${escape(path)}/${method}` })));
