/* post.mjs - send the same POST many times over several connections, and count the responses.
 *
 *   node post.mjs COUNT CONNECTIONS URL HEADERS-AS-JSON BODY
 *
 * Prints {"wrong": responses other than 200 and 202, "why": their number by status or error, "seconds": until the last one}.
 */
import { Agent, request } from 'node:http';

const [count, connections] = process.argv.slice(2, 4).map(Number);
const [url, headers, body] = process.argv.slice(4);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const options = {
    method: 'POST',
    agent,
    headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...JSON.parse(headers) },
};
const began = Date.now();
let sent = 0,
    wrong = 0;
const why = {};

function send() {
    return new Promise((resolve) => {
        const outgoing = request(url, options, (response) => {
            if (response.statusCode !== 200 && response.statusCode !== 202) {
                wrong++;
                why[response.statusCode] = (why[response.statusCode] ?? 0) + 1;
            }
            response.resume();
            response.on('end', resolve);
        });

        outgoing.on('error', (error) => {
            wrong++;
            why[error.code] = (why[error.code] ?? 0) + 1;
            resolve();
        });
        outgoing.end(body);
    });
}

async function work() {
    while (sent < count) {
        sent++;
        await send();
    }
}

await Promise.all(Array.from({ length: connections }, work));
console.log(JSON.stringify({ wrong, why, seconds: (Date.now() - began) / 1000 }));
process.exit(0);
