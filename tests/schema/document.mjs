// document.mjs - read openapi.json and compile its schemas for these tests.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const source = new URL('../../mod_identityimg/openapi.json', import.meta.url);

export const text = readFileSync(source, 'utf8');
export const document = JSON.parse(text);

// Resolve the JSON pointer after a "#". Returns undefined if there is no such value.
export function lookUp(pointer) {
    return pointer
        .slice(1)
        .split('/')
        .filter(Boolean)
        .map((word) => decodeURIComponent(word).replaceAll('~1', '/').replaceAll('~0', '~'))
        .reduce((value, word) => value?.[word], document);
}

// The value itself, or the target of its $ref.
export const resolve = (value) => (value?.$ref ? resolve(lookUp(value.$ref)) : value);

// Strict: unknown keywords in a schema are errors.
const ajv = new Ajv({ strict: true, allErrors: true, allowUnionTypes: true, verbose: true });
addFormats(ajv);
ajv.addFormat('binary', true);
ajv.addVocabulary(['x-enumDescriptions', 'example']);

// Schemas refer to one another by JSON pointer; ajv needs a name for each.
const place = '#/components/schemas/';
const named = (schema) =>
    JSON.parse(JSON.stringify(schema), (key, value) => (key === '$ref' ? value.replace(place, 'iimg:') : value));
for (const [name, schema] of Object.entries(document.components.schemas)) ajv.addSchema(named(schema), `iimg:${name}`);

function sentence({ instancePath, message, keyword, params, data }) {
    const more = ['enum', 'const', 'pattern', 'format', 'type'].includes(keyword)
        ? `, but is ${JSON.stringify(data)}`
        : keyword === 'additionalProperties'
          ? ` such as "${params.additionalProperty}"`
          : '';
    return `${instancePath || 'the response'} ${message}${more}`;
}

const compiled = new Map();

// Validate a value against the schema at a pointer ("#/components/..."). Returns the errors as sentences.
export function check(pointer, value) {
    if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile(named(lookUp(pointer))));
    const validate = compiled.get(pointer);
    return validate(value) ? [] : validate.errors.map(sentence);
}

export const escape = (word) => word.replaceAll('~', '~0').replaceAll('/', '~1');
export const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

// Every operation: { path, method, item, operation, pointer }.
export const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    methods
        .filter((method) => item[method])
        .map((method) => ({
            path,
            method,
            item,
            operation: item[method],
            pointer: `#/paths/${escape(path)}/${method}`,
        })),
);
