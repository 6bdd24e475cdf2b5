// api-docs.mjs - write docs/api/ from openapi.json, and the version from base/version.h into openapi.json.
//
// A page for each group of routes is written whole. In the pages written by hand, the tables between <!-- name -->
// and <!-- /name --> are replaced.
//
// usage: node scripts/api-docs.mjs           write the files
//        node scripts/api-docs.mjs --check   write nothing, list the files that would change
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const source = readFileSync(new URL('mod_identityimg/openapi.json', root), 'utf8');
const [, version] = readFileSync(new URL('mod_identityimg/base/version.h', root), 'utf8').match(
    /IIMG_VERSION "([^"]+)"/,
);
const versioned = source.replace(/("info": \{[^{}]*?"version": )"[^"]*"/, `$1"${version}"`);
const document = JSON.parse(versioned);
const { schemas } = document.components;
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

const resolve = (value) =>
    value?.$ref
        ? resolve(
              value.$ref
                  .slice(2)
                  .split('/')
                  .reduce((v, k) => v[k], document),
          )
        : value;
const nameOf = (value) => value?.$ref?.match(/^#\/components\/schemas\/(\w+)$/)?.[1];
const slug = (tag) => tag.toLowerCase().replaceAll(' ', '-');
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    verbs
        .filter((v) => item[v])
        .map((verb) => ({ path: path.slice(1), method: verb.toUpperCase(), item, ...item[verb] })),
);

const row = (...cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
const table = (head, rows) => [row(...head), row(...head.map(() => '---')), ...rows].join('\n');

// Types of values, as text --------------------------------------------------------------------------

const link = (name, page) => (sections(page).includes(name) ? `[${name}](#${name.toLowerCase()})` : name);
const plain = new Set(['Uuid', 'UuidInput', 'Timestamp', 'Url', 'Code']);
const words = { Uuid: 'UUID', UuidInput: 'UUID', Timestamp: 'timestamp', Url: 'URL', Code: 'code' };

function range(schema) {
    const { minLength: a, maxLength: b, minimum: c, maximum: d, minItems: e, maxItems: f } = schema;
    if (b !== undefined) return a ? `, ${a}-${b} characters` : `, at most ${b} characters`;
    if (d !== undefined) return ` ${c}-${d}`;
    if (f !== undefined) return e ? `, ${e}-${f} items` : `, at most ${f} items`;
    return '';
}

function typeText(schema, page) {
    const name = nameOf(schema);
    if (name) return plain.has(name) ? words[name] : link(name, page);
    if (schema.oneOf) return schema.oneOf.map((item) => typeText(item, page)).join(' or ');
    if (schema.anyOf) return 'string';
    if ('const' in schema) return `\`${JSON.stringify(schema.const)}\``;
    if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
    if (schema.format === 'binary') return 'file';
    const types = [schema.type].flat().map((type) => {
        if (type === 'array') return `list of ${typeText(schema.items, page)}`;
        return type;
    });
    return (
        types[0] +
        range(schema) +
        types
            .slice(1)
            .map((type) => ` or ${type}`)
            .join('')
    );
}

function describe(schema) {
    const inner = resolve(schema);
    const text =
        schema.description ??
        (plain.has(nameOf(schema)) && nameOf(schema) !== 'Timestamp' ? '' : (inner.description ?? ''));
    return 'default' in schema && schema.default !== '' ? `${text} Default: \`${schema.default}\`.`.trim() : text;
}

// Pages ----------------------------------------------------------------------------------------------

const operationsOf = (tag) => operations.filter((o) => o.tags[0] === tag);

// The objects that a page describes: those that its routes accept and return, and the objects in them.
const sectionsByTag = new Map();
function sections(tag) {
    if (sectionsByTag.has(tag)) return sectionsByTag.get(tag);
    const names = [];
    const visit = (value) => {
        if (value === null || typeof value !== 'object') return;
        const name = nameOf(value);
        if (name && !plain.has(name) && !names.includes(name)) {
            names.push(name);
            visit(schemas[name]);
        } else Object.values(value).forEach(visit);
    };
    for (const operation of operationsOf(tag)) {
        for (const content of Object.values(operation.requestBody?.content ?? {})) visit(content.schema);
        for (const [status, response] of Object.entries(operation.responses)) {
            if (status < 300)
                Object.values(resolve(response).content ?? {}).forEach((content) => visit(content.schema));
        }
    }
    sectionsByTag.set(tag, names);
    return names;
}

function memberTable(name, page) {
    const schema = schemas[name];
    const required = new Set(schema.required ?? []);
    const isResponse = schema.additionalProperties === false;
    return table(
        ['member', 'type', 'description'],
        Object.entries(schema.properties).map(([member, value]) => {
            const note = isResponse === required.has(member) ? '' : isResponse ? ' Optional.' : ' Required.';
            return row(`\`${member}\``, typeText(value, page), `${describe(value)}${note}`.trim());
        }),
    );
}

function parameterTable(operation, page) {
    const all = [...(operation.item.parameters ?? []), ...(operation.parameters ?? [])].map(resolve);
    return all.length
        ? [
              table(
                  ['parameter', 'in', 'type', 'description'],
                  all.map((p) => row(`\`${p.name}\``, p.in, typeText(p.schema, page), p.description)),
              ),
              '',
          ]
        : [];
}

function bodyLines({ requestBody: body }, page) {
    if (!body) return [];
    const byName = new Map();
    for (const [type, content] of Object.entries(body.content)) {
        const name = nameOf(content.schema);
        byName.set(name, [...(byName.get(name) ?? []), type]);
    }
    const lines = [...byName].map(
        ([name, types]) => `* ${link(name, page)} as ${types.map((t) => `\`${t}\``).join(', ')}`,
    );
    return [
        `Body${body.required ? '' : ' (may be empty)'}:${body.description ? ` ${body.description}` : ''}`,
        '',
        ...lines,
        '',
    ];
}

function responseTable(operation, page) {
    return table(
        ['status', 'response'],
        Object.entries(operation.responses).map(([status, response]) => {
            const { content, description, headers } = resolve(response);
            const schema = content?.['application/json']?.schema;
            const shown =
                status < 300 && schema && (nameOf(schema) || schema.type === 'array')
                    ? ` Type: ${typeText(schema, page)}.`
                    : '';
            const named = (required) =>
                Object.entries(headers ?? {})
                    .filter(
                        ([name, header]) => name !== 'X-Request-Id' && Boolean(resolve(header).required) === required,
                    )
                    .map(([name]) => `\`${name}\``)
                    .join(', ');
            const extra = [
                named(true) && ` Headers: ${named(true)}.`,
                named(false) && ` Optional headers: ${named(false)}.`,
            ]
                .filter(Boolean)
                .join('');
            return row(status, `${description}${shown}${extra}`);
        }),
    );
}

function routeSection(operation, page) {
    return [
        `## ${operation.method} \`${operation.path}\``,
        '',
        `**${operation.summary}.**`.replace('?.', '?') + (operation.description ? ` ${operation.description}` : ''),
        '',
        ...parameterTable(operation, page),
        ...bodyLines(operation, page),
        responseTable(operation, page),
        '',
        ...(operation['x-codes']
            ? [
                  `Specific [codes](errors.md#codes): ${operation['x-codes'].map((code) => `\`${code}\``).join(', ')}.`,
                  '',
              ]
            : []),
        '```sh',
        ...operation['x-codeSamples'].map((sample) => sample.source),
        '```',
        '',
    ];
}

function objectSection(name, page) {
    const schema = schemas[name];
    const example = document.components.examples[name];
    return [
        `### ${name}`,
        '',
        ...(schema.description ? [schema.description, ''] : []),
        memberTable(name, page),
        '',
        ...(example ? ['```json', JSON.stringify(example.value, null, 2), '```', ''] : []),
    ];
}

function page({ name, description }) {
    return (
        [
            `# ${name}`,
            '',
            '<!-- Generated by scripts/api-docs.mjs from mod_identityimg/openapi.json: edit that file instead. -->',
            '',
            `${description} See also: [overview](README.md), [conventions](conventions.md), [authentication](authentication.md), [errors](errors.md).`,
            '',
            ...operationsOf(name).flatMap((operation) => routeSection(operation, name)),
            ...(sections(name).length ? ['## Objects', ''] : []),
            ...sections(name).flatMap((object) => objectSection(object, name)),
        ]
            .join('\n')
            .trimEnd() + '\n'
    );
}

// Tables in hand-written pages -------------------------------------------------------------------------

const access = (o) =>
    o.security?.length === 0 ? 'anyone' : /^Staff only/.test(o.description ?? '') ? 'staff' : 'user';
const tables = {
    routes: () =>
        table(
            ['method and path', 'access', 'description'],
            operations.map((o) => row(`${o.method} [\`${o.path}\`](${slug(o.tags[0])}.md)`, access(o), o.summary)),
        ),
    codes: () =>
        table(
            ['code', 'status', 'description'],
            schemas.Code.enum.map((code) => {
                const [, status, text] = schemas.Code['x-enumDescriptions'][code].match(/^(\d+): (.*)$/);
                return row(`\`${code}\``, status, text);
            }),
        ),
    statuses: () =>
        table(
            ['status', 'description'],
            [...generalErrors()]
                .sort(([a], [b]) => a - b)
                .map(([status, response]) => row(status, `${response.description}${retry(response)}`)),
        ),
    limits: () =>
        table(
            ['limit', 'maximum'],
            [
                ["characters of a photo's name", schemas.ReferenceImageCreate.properties.name.maxLength],
                [
                    'photos of a user',
                    document.paths['/reference-images/'].get.responses[200].content['application/json'].schema.maxItems,
                ],
                ['characters of `additional_prompt`', schemas.GenerationRequest.properties.additional_prompt.maxLength],
                ["characters of a prompt's body", schemas.PromptCreate.properties.body.maxLength],
                ['photos in `reference_image_ids`', schemas.GenerationRequest.properties.reference_image_ids.maxItems],
                ['`required_context_keys` of a prompt', schemas.PromptCreate.properties.required_context_keys.maxItems],
                ['characters of an email', schemas.AccountCreate.properties.email.maxLength],
                ['characters of a first or last name', schemas.AccountCreate.properties.first_name.maxLength],
                [
                    'bytes of a new password (the minimum is 8 characters)',
                    schemas.AccountCreate.properties.password.maxLength,
                ],
                ['characters of a password at login', schemas.Login.properties.password.maxLength],
                [
                    'characters of the name or category of an identity, or the name of a test scenario',
                    schemas.IdentityCreate.properties.name.maxLength,
                ],
                [
                    'characters of `i_am_statement` and `visualization`',
                    schemas.IdentityCreate.properties.i_am_statement.maxLength,
                ],
                ['`notes` of an identity', schemas.IdentityCreate.properties.notes.maxItems],
                ['characters of a note', schemas.IdentityCreate.properties.notes.items.maxLength],
                ['rows of a page', document.components.parameters.Limit.schema.maximum],
                ['characters of `search`', document.components.parameters.Search.schema.maxLength],
                ['characters of `Idempotency-Key`', document.components.parameters.IdempotencyKey.schema.maxLength],
            ].map((cells) => row(...cells)),
        ),
};

// The shared responses that have a body, by status. If a status has several, the first one is used.
function generalErrors() {
    const status = new Map(
        operations.flatMap((o) => Object.entries(o.responses).map(([number, r]) => [r.$ref, Number(number)])),
    );
    const responses = new Map();
    for (const [name, response] of Object.entries(document.components.responses)) {
        const number = status.get(`#/components/responses/${name}`) ?? 405;
        if (response.content && !responses.has(number)) responses.set(number, response);
    }
    return responses;
}
function retry({ headers }) {
    const header = resolve(headers['Retry-After']);
    return header ? `${header.required ? ' Header' : ' Optional header'}: \`Retry-After\`.` : '';
}

function fill(text) {
    return text.replace(/<!-- (\w+) -->\n[^]*?<!-- \/\1 -->/g, (all, name) =>
        tables[name] ? `<!-- ${name} -->\n${tables[name]()}\n<!-- /${name} -->` : all,
    );
}

// --------------------------------------------------------------------------------------------------------

const folder = new URL('docs/api/', root);
mkdirSync(folder, { recursive: true });
const wanted = new Map(document.tags.map((tag) => [`${slug(tag.name)}.md`, page(tag)]));
for (const name of ['README.md', 'conventions.md', 'errors.md'])
    wanted.set(name, fill(readFileSync(new URL(name, folder), 'utf8')));
const changed = [...wanted].filter(
    ([name, text]) => !existsSync(new URL(name, folder)) || readFileSync(new URL(name, folder), 'utf8') !== text,
);
if (versioned !== source) changed.push(['../../mod_identityimg/openapi.json', versioned]);
if (process.argv[2] === '--check')
    changed.forEach(([name]) => console.log(new URL(name, folder).pathname.slice(root.pathname.length)));
else changed.forEach(([name, text]) => writeFileSync(new URL(name, folder), text));
