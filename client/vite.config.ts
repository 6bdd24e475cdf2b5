// vite.config.ts - how the pages are built: static files that work below any path (base "./").
import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';
import { notices } from './notices';

// `npm run dev` asks the server of `make start`.
const server = process.env.IDENTITYIMG_SERVER ?? 'http://127.0.0.1:8080';

const version = /IIMG_VERSION "([^"]+)"/.exec(
    readFileSync(new URL('../mod_identityimg/base/version.h', import.meta.url), 'utf8'),
)?.[1];

export default defineConfig({
    base: './',
    plugins: [
        notices(),
        {
            name: 'version',
            transformIndexHtml: () => [
                { tag: 'meta', attrs: { name: 'identityimg-version', content: version }, injectTo: 'head' },
            ],
        },
    ],
    esbuild: { jsx: 'automatic', legalComments: 'none' },
    build: {
        outDir: '../build/client',
        emptyOutDir: true,
        target: 'es2022',
        modulePreload: { polyfill: false },
        // The pages' Content-Security-Policy knows no data: but for pictures.
        assetsInlineLimit: 0,
        rollupOptions: {
            onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
            output: {
                manualChunks: (id) =>
                    /node_modules\/(react|react-dom|scheduler|wouter|@tanstack|regexparam|use-sync-external-store)\//.test(
                        id,
                    )
                        ? 'vendor'
                        : undefined,
            },
        },
    },
    server: { proxy: { '/api': server, '/pictures': server } },
});
