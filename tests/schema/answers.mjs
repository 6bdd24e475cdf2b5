// answers.mjs - check recorded responses against openapi.json. Prints TAP, one line for each operation.
//
// usage: node answers.mjs FILE      (lines written by IdentityImg::Test)
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { check, document, escape, lookUp, operations, resolve } from './document.mjs';

const base = '/api/v1';
const error = '#/components/schemas/Error',
    problem = '#/components/schemas/Problem';
// Statuses that httpd itself returns for malformed requests, on any path.
const malformed = [400, 408, 414, 417, 431];

const patterns = Object.keys(document.paths)
    .map((path) => ({ path, regexp: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`) }))
    .sort((a, b) => a.path.includes('{') - b.path.includes('{')); // literal paths first
const operationOf = new Map(operations.map((o) => [`${o.method} ${o.path}`, o]));

// Codes that only some routes return. Each of these routes lists them in x-codes.
const special = new Set(operations.flatMap(({ operation }) => operation['x-codes'] ?? []));

const groups = new Map(); // name -> { answers, statuses, problems: sentence -> tests }
for (const { method, path } of operations) groups.set(`${method.toUpperCase()} ${path}`, null);

function pathOf(text) {
    try {
        return new URL(text, 'http://x').pathname.replace(/\/+/g, '/');
    } catch {
        return text;
    }
}

// The schema for a response of an operation, or a sentence that explains why there is none.
function expected({ pointer, operation }, answer) {
    const response = operation.responses[answer.status];
    if (!response) return malformed.includes(answer.status) ? {} : { sentence: `${answer.status} is not described` };
    const found = response.$ref ?? `${pointer}/responses/${answer.status}`;
    const { content, headers } = resolve(response);
    const missing = Object.entries(headers ?? {}).filter(
        ([name, header]) => resolve(header).required && !answer.headers.includes(name.toLowerCase()),
    );
    if (missing.length) return { sentence: `${answer.status} without ${missing.map(([name]) => name)}` };
    if (!content) return { empty: true };
    if (!content[answer.type]) return { sentence: `${answer.status} as ${answer.type || 'nothing'}` };
    return { pointer: `${found}/content/${escape(answer.type)}/schema` };
}

function bodyProblems(answer, pointer) {
    let value;
    try {
        value = JSON.parse(answer.body);
    } catch {
        return ['the body is not JSON'];
    }
    const schema = lookUp(pointer).$ref ?? pointer;
    return check(schema, value);
}

// Responses to unknown paths and methods.
function strayProblems(answer, known) {
    if (answer.method === 'OPTIONS' && answer.status === 204 && known)
        return answer.headers.includes('allow') ? [] : ['OPTIONS without Allow'];
    if (answer.status === 301 && !known) return answer.headers.includes('location') ? [] : ['301 without Location'];
    if (![401, 403, known ? 405 : 404, ...malformed].includes(answer.status))
        return [`${answer.status} where there is no operation`];
    if (answer.status === 405 && !answer.headers.includes('allow')) return ['405 without Allow'];
    return answer.method === 'HEAD'
        ? []
        : bodyProblems(answer, answer.type === 'application/problem+json' ? problem : error);
}

function judge(answer) {
    const path = pathOf(answer.path).slice(base.length);
    const found = patterns.find(({ regexp }) => regexp.test(path));
    const method = answer.method === 'HEAD' ? 'get' : answer.method.toLowerCase();
    const operation = found && operationOf.get(`${method} ${found.path}`);
    if (!operation) return { name: 'other methods and paths', problems: strayProblems(answer, Boolean(found)) };
    const name = `${method.toUpperCase()} ${found.path}`;
    const { pointer, sentence, empty } = expected(operation, answer);
    if (sentence) return { name, problems: [sentence] };
    if (answer.method === 'HEAD') return { name, problems: [] };
    if (empty) return { name, problems: answer.body ? [`${answer.status} with a body`] : [] };
    const problems = bodyProblems(answer, pointer ?? (answer.type === 'application/problem+json' ? problem : error));
    const { code } = answer.status < 400 || problems.length ? {} : JSON.parse(answer.body);
    if (special.has(code) && !operation.operation['x-codes']?.includes(code)) problems.push(`x-codes has no ${code}`);
    return { name, problems };
}

const seen = new Map(); // identical responses are checked once
for await (const line of createInterface({ input: createReadStream(process.argv[2]) })) {
    const [test, method, path, status, type, headers, body] = line.split('\t');
    const answer = {
        method,
        path,
        status: Number(status),
        type: type.split(';')[0].trim(),
        headers: headers.toLowerCase().split(','),
    };
    const key = `${method}\t${path}\t${status}\t${type}\t${headers}\t${body}`;
    let verdict = seen.get(key);
    if (!verdict) {
        answer.body = Buffer.from(body ?? '', 'base64').toString();
        verdict = judge(answer);
        seen.set(key, verdict);
    }
    const group = groups.get(verdict.name) ?? { answers: 0, statuses: new Set(), problems: new Map() };
    groups.set(verdict.name, group);
    group.answers += 1;
    group.statuses.add(answer.status);
    for (const text of verdict.problems) {
        const sentence = `${method} ${path} ${status}: ${text}`.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{id}');
        group.problems.set(sentence, (group.problems.get(sentence) ?? new Set()).add(test));
    }
}

let count = 0;
for (const [name, group] of groups) {
    if (!group) continue; // no recorded request
    count += 1;
    console.log(
        `${group.problems.size ? 'not ok' : 'ok'} ${count} - ${name}: ${group.answers} answers, ${[...group.statuses].sort().join(', ')}`,
    );
    for (const [sentence, tests] of [...group.problems].slice(0, 10))
        console.log(`# ${[...tests].join(', ')}: ${sentence}`);
}
console.log(`1..${count}`);
