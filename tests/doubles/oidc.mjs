/* oidc.mjs - a stand-in for an OpenID Connect provider, stricter than its clients are.
 *
 *   node oidc.mjs --client ID --secret SECRET
 *
 * Listens on 127.0.0.1 and prints "listening PORT" when ready. Ends on SIGTERM, and when its standard
 * input closes, so that it cannot outlive the test. Each start generates a new key.
 *
 *   GET  /.well-known/openid-configuration   its capabilities and endpoints
 *   GET  /authorize                          a login page
 *   POST /login                              redirects to the client with a code
 *   POST /token                              exchanges a code once for an ID token; checks the client's secret and PKCE
 *   GET  /jwks                               the public key
 *   GET  /__refusals                         the reasons of all refusals so far, as JSON
 *
 * The login page accepts the names in the table below. Some accounts get ID tokens with one defect.
 */
import { createServer } from 'node:http';
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';

const MAX_BODY = 64 * 1024;
const KEY_ID = 'double-1';

const accounts = {
    alice: { email: 'Alice@Example.com', email_verified: true },
    admin: { email: 'admin@example.com', email_verified: true },
    stranger: { email: 'stranger@example.com', email_verified: true },
    unverified: { email: 'bob@example.com', email_verified: false },
    nameless: {},
    'old-nonce': { email: 'alice@example.com', email_verified: true, nonce: 'another' },
    'other-site': { email: 'alice@example.com', email_verified: true, aud: 'another-client' },
    expired: { email: 'alice@example.com', email_verified: true, exp: 1000000000 },
    forged: { email: 'alice@example.com', email_verified: true },
};

const options = Object.fromEntries(
    [
        ...process.argv
            .slice(2)
            .join(' ')
            .matchAll(/--(\w+) (\S+)/g),
    ].map((found) => [found[1], found[2]]),
);
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 });
const codes = new Map(); /* code -> the authorization request */
const refusals = [];
let issuer;

function idToken(account, asked) {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
        iss: issuer,
        sub: `sub-${account}`,
        aud: options.client,
        iat: now,
        exp: now + 300,
        nonce: asked.nonce,
        ...accounts[account],
    };
    const signed = [{ alg: 'RS256', kid: KEY_ID }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
    const key = account === 'forged' ? strangers.privateKey : keys.privateKey;

    return `${signed}.${createSign('sha256').update(signed).sign(key).toString('base64url')}`;
}

/* The defect of an authorization request; '' if there is none. */
function wrongAuthorize(query) {
    if (query.get('client_id') !== options.client) return 'client_id';
    if (!/^http:\/\/127\.0\.0\.1:\d+\/oidc\/redirect$/.test(query.get('redirect_uri'))) return 'redirect_uri';
    if (query.get('response_type') !== 'code') return 'response_type';
    if (!/\bopenid\b/.test(query.get('scope')) || !/\bemail\b/.test(query.get('scope'))) return 'scope';
    if (!query.get('state') || !query.get('nonce')) return 'state or nonce';
    if (query.get('code_challenge_method') !== 'S256' || !query.get('code_challenge')) return 'PKCE';
    return '';
}

function wrongToken(form, asked, authorization) {
    const basic = Buffer.from(`${options.client}:${options.secret}`).toString('base64');
    const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');

    if (authorization !== `Basic ${basic}`) return "the client's secret";
    if (form.get('grant_type') !== 'authorization_code') return 'grant_type';
    if (!asked) return 'the code';
    if (form.get('redirect_uri') !== asked.redirect_uri) return 'redirect_uri';
    if (challenge !== asked.code_challenge) return 'code_verifier';
    return '';
}

/* Answers ----------------------------------------------------------------------------------- */

function send(response, status, body, headers = {}) {
    const text = typeof body === 'string' ? body : JSON.stringify(body);

    response.writeHead(status, {
        'Content-Type': typeof body === 'string' ? 'text/html' : 'application/json',
        ...headers,
    });
    response.end(text);
}

function refuse(response, what) {
    refusals.push(what);
    send(response, 400, { error: 'invalid_request', error_description: `wrong: ${what}` });
}

function authorize(response, query) {
    const wrong = wrongAuthorize(query);

    if (wrong) {
        refuse(response, wrong);
        return;
    }
    send(
        response,
        200,
        `<form method="post" action="/login?${query.toString().replace(/&/g, '&amp;')}">` +
            '<input name="account"></form>',
    );
}

function login(response, query, form) {
    const code = randomBytes(16).toString('hex');
    const account = form.get('account');
    const back = new URL(query.get('redirect_uri'));

    if (wrongAuthorize(query)) {
        refuse(response, wrongAuthorize(query));
        return;
    }
    back.searchParams.set('state', query.get('state'));
    if (accounts[account]) {
        codes.set(code, { ...Object.fromEntries(query), account });
        back.searchParams.set('code', code);
    } else {
        back.searchParams.set('error', 'access_denied');
    }
    send(response, 302, '', { Location: back.toString() });
}

function token(response, form, authorization) {
    const asked = codes.get(form.get('code'));
    const wrong = wrongToken(form, asked, authorization);

    codes.delete(form.get('code'));
    if (wrong) {
        refuse(response, wrong);
        return;
    }
    send(response, 200, {
        access_token: randomBytes(16).toString('hex'),
        token_type: 'Bearer',
        expires_in: 300,
        id_token: idToken(asked.account, asked),
    });
}

function metadata() {
    return {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        token_endpoint_auth_methods_supported: ['client_secret_basic'],
        code_challenge_methods_supported: ['S256'],
    };
}

function answer(request, response, form) {
    const url = new URL(request.url, issuer);
    const routes = {
        'GET /.well-known/openid-configuration': () => send(response, 200, metadata()),
        'GET /jwks': () =>
            send(response, 200, {
                keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: KEY_ID, use: 'sig', alg: 'RS256' }],
            }),
        'GET /authorize': () => authorize(response, url.searchParams),
        'POST /login': () => login(response, url.searchParams, form),
        'POST /token': () => token(response, form, request.headers.authorization),
        'GET /__refusals': () => send(response, 200, refusals),
    };
    const route = routes[`${request.method} ${url.pathname}`];

    if (route) {
        route();
    } else {
        send(response, 404, { error: 'not_found' });
    }
}

const server = createServer((request, response) => {
    let body = '';

    request.on('data', (data) => {
        body += data;
        if (body.length > MAX_BODY) {
            request.destroy();
        }
    });
    request.on('end', () => answer(request, response, new URLSearchParams(body)));
});
server.listen(0, '127.0.0.1', () => {
    issuer = `http://127.0.0.1:${server.address().port}`;
    console.log(`listening ${server.address().port}`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
