// s3.mjs - an S3 store that fails on command, and the endpoints that provide credentials to machines and
// containers. It verifies no signatures: the tests with radosgw and Swift do.
//
// usage: node s3.mjs --port 0 [--with-stdin] [--tls FILE] [--keep WORD]      prints "listening PORT"
//        FILE: a certificate and its key in PEM format
//
// With --keep it stores objects in memory, without versions, like Cloudflare's R2. WORD is its response to
// ?versions: STATUS:CODE:MESSAGE, or "ignored" to list objects. PUT /__slow/N: the first of every N DELETEs
// gets 503 SlowDown (0: none). PUT /__hang/1: stop answering, until PUT /__hang/0. The bucket no-conditions
// refuses If-None-Match in a PUT: 400 InvalidArgument.
//
// Without --keep, the first part of the key selects the behavior (/bucket/BEHAVIOR/...):
//   fail:STATUS:CODE:TIMES[:RETRY-AFTER]   fails TIMES times for each path; then 200
//   moved:REGION                           301 with x-amz-bucket-region, until the request is signed for that region
//   malformed:REGION                       400 AuthorizationHeaderMalformed with <Region>, until the region matches
//   skewed:SECONDS                         403 RequestTimeTooSkewed, until the signer's clock is ahead by SECONDS
//   reset:TIMES                            disconnects
//   hang:TIMES                             never answers
//   anything else                          200; the body is the number of the attempt
// GET /bucket/?versions lists two pages; the second needs the markers of the first.
// GET /__record: all requests, as JSON. DELETE /__record clears them.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';

const port = Number(process.argv[process.argv.indexOf('--port') + 1] || 0);
let record = [];
let counts = new Map();
let expires = 3600;

const error = (code, more = '') =>
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message>${more}</Error>`;
const scope = (headers) => (headers.authorization || '').match(/Credential=[^/]+\/\d+\/([^/]+)\//)?.[1];

function stamped(text) {
    const [, year, month, day, hour, minute, second] = (text || '').match(/^(....)(..)(..)T(..)(..)(..)Z$/) || [];
    return Date.UTC(year, month - 1, day, hour, minute, second);
}

const moods = {
    fail([status, code, times, after], count) {
        return count <= times && [Number(status), error(code), after ? { 'Retry-After': after } : {}];
    },
    moved([region], count, headers) {
        return scope(headers) !== region && [301, error('PermanentRedirect'), { 'x-amz-bucket-region': region }];
    },
    malformed([region], count, headers) {
        return (
            scope(headers) !== region && [400, error('AuthorizationHeaderMalformed', `<Region>${region}</Region>`), {}]
        );
    },
    skewed([seconds], count, headers) {
        const theirs = Date.now() + seconds * 1000;
        return (
            Math.abs(stamped(headers['x-amz-date']) - theirs) > 60000 && [
                403,
                error('RequestTimeTooSkewed'),
                { Date: new Date(theirs).toUTCString() },
            ]
        );
    },
};

// Credentials of machines ---------------------------------------------------------------------------

function credentials(name) {
    const end = new Date(Date.now() + expires * 1000).toISOString().replace(/\.\d+/, '');
    const count = (counts.get(name) || 0) + 1;
    counts.set(name, count);
    return JSON.stringify({
        Code: 'Success',
        AccessKeyId: `${name}${count}`,
        SecretAccessKey: 'secret',
        Token: 'to/ken',
        Expiration: end,
    });
}

function machine(request) {
    const { method, url, headers } = request;
    if (url === '/latest/api/token') {
        return method === 'PUT' && headers['x-aws-ec2-metadata-token-ttl-seconds'] ? [200, 'imds-token'] : [405, ''];
    }
    if (url.startsWith('/latest/')) {
        if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') {
            return [401, ''];
        }
        return [200, url.endsWith('/role') ? credentials('MACHINE') : 'role'];
    }
    if (url.startsWith('/container')) {
        return headers.authorization === 'container-token' ? [200, credentials('CONTAINER')] : [403, ''];
    }
    if (url.startsWith('/__expires/')) {
        expires = Number(url.slice('/__expires/'.length));
        return [204, ''];
    }
    return null;
}

// Listing ----------------------------------------------------------------------------------------------

const uuid = '00000000-0000-4000-8000-00000000000';
const entry = (kind, key, id, latest) =>
    `<${kind}><Key>${key}</Key><VersionId>${id}</VersionId><IsLatest>${latest}</IsLatest>` +
    `<LastModified>2026-01-31T12:00:01.000Z</LastModified><Size>7</Size></${kind}>`;

function page(query) {
    const prefix = query.get('prefix');
    const first =
        entry('Version', `${prefix}media/${uuid}1/a.jpg`, 'v1', 'true') +
        entry('Version', `${prefix}lists/others.txt`, 'v1', 'true') +
        '<IsTruncated>true</IsTruncated><NextKeyMarker>a&amp;b/ü</NextKeyMarker><NextVersionIdMarker>m+1</NextVersionIdMarker>';
    const second =
        entry('DeleteMarker', `${prefix}media/${uuid}2/__sized__/b-thumbnail-100x100.jpg`, 'v3', 'true') +
        entry('Version', `${prefix}media/${uuid}2/__sized__/b-thumbnail-100x100.jpg`, 'v2', 'false') +
        '<IsTruncated>false</IsTruncated>';
    const right = query.get('key-marker') === 'a&b/ü' && query.get('version-id-marker') === 'm+1';
    return `<ListVersionsResult>${right ? second : query.has('key-marker') ? '' : first}</ListVersionsResult>`;
}

// Objects ---------------------------------------------------------------------------------------------

const kept = new Map(); // "bucket/key" -> { body, type }
const keep = process.argv.includes('--keep') ? process.argv[process.argv.indexOf('--keep') + 1] : null;
let slow = 0;
let deletes = 0;
let hangs = false;

const xml = { 'Content-Type': 'application/xml' };

function listed(bucket, query) {
    const prefix = `${bucket}/${query.get('prefix') || ''}`;
    const after = query.get('continuation-token') || '';
    const keys = [...kept.keys()]
        .filter((key) => key.startsWith(prefix) && key.slice(bucket.length + 1) > after)
        .sort();
    const some = keys.slice(0, Math.min(Number(query.get('max-keys') || 1000), 5)); // small pages, so that lists have several
    const more = some.length < keys.length;
    return (
        `<ListBucketResult><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>${some.at(-1).slice(bucket.length + 1)}</NextContinuationToken>` : ''}` +
        some
            .map(
                (key) =>
                    `<Contents><Key>${key.slice(bucket.length + 1)}</Key><LastModified>${kept.get(key).at}</LastModified><ETag>"${kept.get(key).etag}"</ETag>` +
                    `<Size>${kept.get(key).body.length}</Size></Contents>`,
            )
            .join('') +
        '</ListBucketResult>'
    );
}

const objects = {
    PUT(key, { headers }, body) {
        if (headers['if-none-match'] && key.startsWith('no-conditions/')) {
            return [400, error('InvalidArgument'), xml];
        }
        if (headers['if-none-match'] && kept.has(key)) {
            return [412, error('PreconditionFailed'), xml];
        }
        const etag = createHash('md5').update(body).digest('hex');
        kept.set(key, { body, type: headers['content-type'], at: new Date().toISOString(), etag });
        return [200, '', { ETag: `"${etag}"` }];
    },
    GET(key) {
        const object = kept.get(key);
        return object
            ? [200, object.body, { 'Content-Type': object.type ?? 'binary/octet-stream' }]
            : [404, error('NoSuchKey'), xml];
    },
    DELETE(key) {
        if (slow && deletes++ % slow === 0) {
            return [503, error('SlowDown'), xml];
        }
        kept.delete(key);
        return [204, '', {}];
    },
};
objects.HEAD = objects.GET;

function answerAsStore(request, body) {
    const told = request.url.match(/^\/__(slow|hang)\/(\d+)$/);
    if (told) {
        [slow, hangs, deletes] = told[1] === 'slow' ? [Number(told[2]), hangs, 0] : [slow, told[2] !== '0', deletes];
        return [204, '', {}];
    }
    if (hangs) {
        return 'never';
    }
    const address = new URL(request.url, 'http://x');
    const [, bucket, key] = decodeURIComponent(address.pathname).match(/^\/([^/]*)\/?(.*)$/);
    const versions = address.searchParams.has('versions');
    if (versions && keep !== 'ignored') {
        const [status, code, message] = keep.split(':');
        return [Number(status), `<Error><Code>${code}</Code><Message>${message}</Message></Error>`, xml];
    }
    if (!key) {
        return [200, listed(bucket, address.searchParams), xml];
    }
    return objects[request.method](`${bucket}/${key}`, request, body);
}

// Requests --------------------------------------------------------------------------------------------

function answer(request, body) {
    const { method, url, headers } = request;
    if (url === '/__record') {
        const all = JSON.stringify(record);
        record = method === 'DELETE' ? [] : record;
        counts = method === 'DELETE' ? new Map() : counts;
        return [200, all, {}];
    }
    if (keep) {
        record.push({ method, url, headers });
        return answerAsStore(request, body);
    }
    const own = machine(request);
    if (own) {
        return own;
    }
    const address = new URL(url, 'http://x');
    record.push({ method, url, headers, length: body.length, sha256: createHash('sha256').update(body).digest('hex') });
    if (address.searchParams.has('versions')) {
        return [200, page(address.searchParams), {}];
    }
    const count = (counts.get(url) || 0) + 1;
    counts.set(url, count);
    const [mood, ...told] = decodeURIComponent(url).split('/')[2].split(':');
    if (mood === 'hang' && count <= Number(told[0])) {
        return 'never';
    }
    if (mood === 'reset' && count <= Number(told[0])) {
        return null;
    }
    return (moods[mood] && moods[mood](told, count, headers)) || [200, String(count), {}];
}

const tls = process.argv.indexOf('--tls');
const pem = tls > 0 && readFileSync(process.argv[tls + 1]);
const make = (handle) => (pem ? createSecureServer({ key: pem, cert: pem }, handle) : createServer(handle));
const server = make((request, response) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
        const told = answer(request, Buffer.concat(pieces));
        if (told === 'never') {
            return;
        }
        if (!told) {
            request.socket.destroy();
            return;
        }
        response.writeHead(told[0], { 'Content-Length': Buffer.byteLength(told[1]), ...told[2] });
        response.end(request.method === 'HEAD' ? undefined : told[1]);
    });
});
server.listen(port, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
if (process.argv.includes('--with-stdin')) {
    process.stdin.resume();
    process.stdin.on('end', () => process.exit(0));
}
