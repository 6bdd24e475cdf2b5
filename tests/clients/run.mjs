// run.mjs - generate a client from a server's description, compile it with a program that uses it, and run
// that program against the server.
//
// usage: node run.mjs GENERATOR API FOLDER USER IDENTITY PICTURE
//
// Prints the program's output. Exits with 3 if this Node is too old for the generator.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import semver from 'semver';

const here = fileURLToPath(new URL('.', import.meta.url));
const [generator, api, folder, ...job] = process.argv.slice(2);

const orval = {
    api: {
        input: './schema.json',
        output: { target: './generated/client.ts', client: 'fetch', baseUrl: { getBaseUrlFromSpecification: true } },
    },
};

// The Node version that a generator needs, even if its package does not declare it; its program and arguments.
const generators = {
    'openapi-fetch': {
        node: '>=18',
        program: 'openapi-typescript',
        arguments: ['schema.json', '--default-non-nullable=false', '-o', 'generated/schema.ts'],
    },
    'hey-api': { node: '>=18', program: 'openapi-ts', arguments: ['-i', 'schema.json', '-o', 'generated'] },
    orval: { node: '>=20', program: 'orval', arguments: ['--config', 'orval.config.cjs'] },
    oazapfts: { node: '>=18', program: 'oazapfts', arguments: ['schema.json', 'generated/client.ts'] },
};
const { node, program, arguments: options } = generators[generator];

if (!semver.satisfies(process.version, node)) {
    console.log(`${generator} needs Node ${node}`);
    process.exit(3);
}

function run(name, args) {
    const { status, stdout, stderr } = spawnSync(join(folder, 'node_modules/.bin', name), args, {
        cwd: folder,
        encoding: 'utf8',
        env: { ...process.env, CI: '1' },
    });
    if (status !== 0) {
        console.log(`not ok - ${name} exits with ${status}\n${stdout}${stderr}`);
        process.exit(1);
    }
}

mkdirSync(join(folder, 'generated'), { recursive: true });
symlinkSync(join(here, 'node_modules'), join(folder, 'node_modules'));
const answer = await fetch(`${api}/schema/`);
writeFileSync(join(folder, 'schema.json'), await answer.text());
writeFileSync(join(folder, 'orval.config.cjs'), `module.exports = ${JSON.stringify(orval)};\n`);
for (const name of ['job.ts', `${generator}.ts`]) copyFileSync(join(here, 'jobs', name), join(folder, name));
writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
        compilerOptions: {
            strict: true,
            noUncheckedIndexedAccess: true,
            noEmit: true,
            target: 'ES2022',
            module: 'ESNext',
            moduleResolution: 'Bundler',
            lib: ['ES2022', 'DOM', 'DOM.Iterable'],
            types: ['node'],
            resolveJsonModule: true,
            skipLibCheck: true,
        },
        include: ['*.ts', 'generated'],
    }),
);

run(program, options);
console.log(`ok - ${generator} generates a client`);
run('tsc', ['-p', '.']);
console.log('ok - the client compiles in strict mode');
await build({
    absWorkingDir: folder,
    entryPoints: [`${generator}.ts`],
    outfile: 'job.mjs',
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node18',
    logLevel: 'error',
});
const { status } = spawnSync(process.execPath, ['job.mjs', ...job], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
});
process.exit(status ?? 1);
