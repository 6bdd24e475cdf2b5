// fault_proxy.mjs - a proxy between httpd and an HTTP store that injects faults.
//
// usage: node fault_proxy.mjs TARGET-PORT [TARGET-HOST]
//
// Prints "port N control M": the port for the client of the store, and the port for rules. Exits when its
// stdin closes. Headers, including Host, are forwarded unchanged so that signatures stay valid.
//
//   POST   /rules    a JSON array of rules that replaces the previous ones; clears the journal
//   GET    /journal  [{number, method, path, fault, status, received, sent}]: fault and status may be null
//   POST   /refuse   refuse new connections and reset open ones
//   POST   /accept   accept connections again
//
// A rule: {fault, method, path, skip, times, seconds, status, code, retryAfter, region}. It matches requests
// by method (default: any) and by a regular expression for the path (default: any). It skips the first `skip`
// matches (0), then applies `times` times (1; 0: always). The first matching rule is applied.
//
//   reset         the connection is reset after the request's headers
//   reset-body    the connection is reset after half of the body was forwarded
//   reset-reply   the store completes the request; the connection is reset within the status line
//   truncate      the response ends in the middle of its body
//   stall         the body is read, and nothing is answered: forever, or for `seconds`, then the connection closes
//   slow          the response starts after `seconds`
//   error         `status` (500) with S3's XML and `code` (InternalError), `retryAfter` as Retry-After;
//                 nothing reaches the store
//   slow-down     503 SlowDown; nothing reaches the store
//   redirect      301 with x-amz-bucket-region `region` (eu-west-1)
import http from 'node:http';

const [target, host = '127.0.0.1'] = process.argv.slice(2);
if (!/^\d+$/.test(target ?? '')) {
    console.error('usage: fault_proxy.mjs TARGET-PORT [TARGET-HOST]');
    process.exit(2);
}

let rules = [];
let journal = [];
const agent = new http.Agent({ keepAlive: true });
const sockets = new Set();

// The rule for a request. Each rule counts its matches, also when another rule is applied.
function ruleFor(request) {
    const fits = rules.filter(
        (rule) => (!rule.method || rule.method === request.method) && rule.pattern.test(request.url),
    );
    for (const rule of fits) rule.seen += 1;
    return (
        fits.find((rule) => rule.seen > rule.skip && (rule.times === 0 || rule.seen <= rule.skip + rule.times)) ?? null
    );
}

function pause(seconds) {
    return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

const reset = (socket) => socket.resetAndDestroy();

// Responses made by this proxy, without the store.
async function answer(request, response, entry, status, code, headers, extra = '') {
    for await (const chunk of request) entry.received += chunk.length;
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message>${extra}<RequestId>proxy</RequestId></Error>`;
    entry.status = status;
    response.writeHead(status, {
        'Content-Type': 'application/xml',
        'Content-Length': Buffer.byteLength(body),
        ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
}

const faults = {
    reset: (request) => reset(request.socket),

    'reset-body': (request, response, entry) => {
        const half = Math.ceil(Number(request.headers['content-length'] ?? 0) / 2);
        const { socket } = request;
        const onward = ask(request);
        onward.on('error', () => {});
        request.on('data', (chunk) => {
            entry.received += chunk.length;
            if (entry.sent < half) onward.write(chunk.subarray(0, half - entry.sent));
            entry.sent = Math.min(entry.received, half);
            if (entry.sent < half) return;
            request.pause();
            onward.destroy();
            reset(socket);
        });
        request.on('error', () => onward.destroy());
    },

    'reset-reply': (request, response, entry) =>
        forward(request, response, entry, async (reply) => {
            reply.resume();
            await new Promise((resolve) => request.socket.write('HTTP/1.1 20', resolve));
            await pause(0.02);
            reset(request.socket);
        }),

    truncate: (request, response, entry) =>
        forward(request, response, entry, async (reply) => {
            const chunks = [];
            for await (const chunk of reply) chunks.push(chunk);
            const body = Buffer.concat(chunks);
            response.writeHead(reply.statusCode, { ...plain(reply), 'content-length': body.length || 2 });
            response.write(body.length ? body.subarray(0, body.length >> 1) : 'x');
            await pause(0.02);
            request.socket.end();
        }),

    stall: async (request, response, entry, rule) => {
        for await (const chunk of request) entry.received += chunk.length;
        if (rule.seconds === undefined) return;
        await pause(rule.seconds);
        request.socket.destroy();
    },

    slow: async (request, response, entry, rule) => {
        await pause(rule.seconds ?? 1);
        forward(request, response, entry);
    },

    error: (request, response, entry, rule) =>
        answer(
            request,
            response,
            entry,
            rule.status ?? 500,
            rule.code ?? 'InternalError',
            rule.retryAfter === undefined ? {} : { 'Retry-After': String(rule.retryAfter) },
        ),

    'slow-down': (request, response, entry, rule) =>
        answer(request, response, entry, 503, 'SlowDown', { 'Retry-After': String(rule.retryAfter ?? 1) }),

    redirect: (request, response, entry, rule) => {
        const region = rule.region ?? 'eu-west-1';
        return answer(
            request,
            response,
            entry,
            301,
            'PermanentRedirect',
            { 'x-amz-bucket-region': region },
            `<Region>${region}</Region>`,
        );
    },
};

// The request to the store, with the client's headers.
function ask(request) {
    return http.request({
        host,
        port: target,
        method: request.method,
        path: request.url,
        headers: pairs(request.rawHeaders),
        agent,
        setHost: false,
    });
}

function pairs(raw) {
    const headers = {};
    for (let i = 0; i < raw.length; i += 2) {
        if (/^(connection|keep-alive|expect)$/i.test(raw[i])) continue;
        headers[raw[i]] = raw[i] in headers ? [].concat(headers[raw[i]], raw[i + 1]) : raw[i + 1];
    }
    return headers;
}

function plain(reply) {
    const headers = pairs(reply.rawHeaders);
    for (const name of Object.keys(headers))
        if (/^(transfer-encoding|content-length)$/i.test(name)) delete headers[name];
    return headers;
}

function forward(request, response, entry, then) {
    const { socket } = request;
    const onward = ask(request);
    onward.on('response', (reply) => {
        entry.status = reply.statusCode;
        if (then) return void then(reply);
        response.writeHead(reply.statusCode, pairs(reply.rawHeaders));
        reply.on('data', (chunk) => {
            entry.sent += chunk.length;
        });
        reply.on('error', () => response.destroy());
        reply.pipe(response);
    });
    onward.on('error', () => reset(socket));
    request.on('data', (chunk) => {
        entry.received += chunk.length;
    });
    request.on('error', () => onward.destroy());
    response.on('close', () => {
        if (!response.writableFinished && !then) onward.destroy();
    });
    request.pipe(onward);
}

const proxy = http.createServer((request, response) => {
    const rule = ruleFor(request);
    const entry = {
        number: journal.length + 1,
        method: request.method,
        path: request.url,
        fault: rule?.fault ?? null,
        status: null,
        received: 0,
        sent: 0,
    };
    journal.push(entry);
    const { socket } = request; // the request loses it on reset
    response.on('error', () => {});
    Promise.resolve(
        rule ? faults[rule.fault](request, response, entry, rule) : forward(request, response, entry),
    ).catch(() => socket.destroy());
});
proxy.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
});
proxy.keepAliveTimeout = 60000;
proxy.requestTimeout = 0;

function setRules(text) {
    const wanted = JSON.parse(text);
    for (const rule of wanted) {
        if (!faults[rule.fault]) throw new Error(`no such fault: ${rule.fault}`);
        Object.assign(rule, {
            pattern: new RegExp(rule.path ?? ''),
            skip: rule.skip ?? 0,
            times: rule.times ?? 1,
            seen: 0,
        });
    }
    rules = wanted;
    journal = [];
    return wanted.length;
}

const port = await new Promise((resolve) => proxy.listen(0, '127.0.0.1', () => resolve(proxy.address().port)));

const commands = {
    'POST /rules': setRules,
    'GET /journal': () => journal,
    'POST /refuse': () =>
        new Promise((resolve) => {
            proxy.close();
            for (const socket of sockets) reset(socket);
            setImmediate(resolve, 'refusing');
        }),
    'POST /accept': () => new Promise((resolve) => proxy.listen(port, '127.0.0.1', () => resolve('accepting'))),
};

const control = http.createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    try {
        const said = await commands[`${request.method} ${request.url}`](text);
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(said));
    } catch (problem) {
        response.writeHead(400, { 'Content-Type': 'text/plain' }).end(String(problem));
    }
});
control.listen(0, '127.0.0.1', () => console.log(`port ${port} control ${control.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
