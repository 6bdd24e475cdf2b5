/* slow_provider.mjs - an image provider for benchmarks: answers each request with the same picture after a delay.
 *
 *   node slow_provider.mjs MILLISECONDS PICTURE
 *
 * Prints "listening PORT". GET /state: current, peak and total number of requests. Exits when its standard input closes.
 */
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const [delay, picture] = [Number(process.argv[2]), readFileSync(process.argv[3])];
const reply = Buffer.from(
    JSON.stringify({
        candidates: [
            {
                content: {
                    role: 'model',
                    parts: [{ inlineData: { mimeType: 'image/jpeg', data: picture.toString('base64') } }],
                },
                finishReason: 'STOP',
            },
        ],
        usageMetadata: { promptTokenCount: 300, candidatesTokenCount: 1200, totalTokenCount: 1500 },
        modelVersion: 'gemini-3-pro-image',
    }),
);
const state = { now: 0, most: 0, all: 0 };

const server = createServer((request, response) => {
    if (request.method === 'GET') {
        response.end(JSON.stringify(state));
        return;
    }
    state.all++;
    state.now++;
    state.most = Math.max(state.most, state.now);
    request.resume();
    request.on('end', () =>
        setTimeout(() => {
            response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': reply.length });
            response.end(reply, () => {
                state.now--;
            });
        }, delay),
    );
});
server.requestTimeout = 0;
server.headersTimeout = 0;
server.keepAliveTimeout = 120000;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => console.log(`listening ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
