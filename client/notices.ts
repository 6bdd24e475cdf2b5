// notices.ts - a Vite plugin: THIRD-PARTY-NOTICES.txt with the licenses of the packages whose code is in the bundle.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

const FILE = 'THIRD-PARTY-NOTICES.txt';
/** Licenses that ask for no notice: a package with one of them may come without its text. */
const FREE = ['0BSD', 'CC0-1.0', 'Unlicense'];
const RULE = '-'.repeat(80);

interface Package {
    name: string;
    version: string;
    license?: string;
}

/** The folder of the package that a module belongs to: the nearest one whose package.json has a name and a version. */
function folderOf(module: string): string | undefined {
    let folder = dirname(module.replace(/^\0/, '').replace(/\?.*$/, ''));

    if (!folder.includes('/node_modules/')) {
        return undefined;
    }
    while (!folder.endsWith('/node_modules')) {
        const file = join(folder, 'package.json');

        if (existsSync(file)) {
            const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Package>;

            if (name && version) {
                return folder;
            }
        }
        folder = dirname(folder);
    }
    return undefined;
}

function noticeOf(folder: string): string {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
    const texts = readdirSync(folder)
        .filter((file) => /^(?:licen[cs]e|notice|copying)/i.test(file))
        .sort()
        .map((file) => readFileSync(join(folder, file), 'utf8').trim());

    if (!license || (texts.length === 0 && !FREE.includes(license))) {
        throw new Error(`${name} ${version} has no license in its package.json, or no license file`);
    }
    return [RULE, `${name} ${version} (${license})`, RULE, '', ...texts, ''].join('\n');
}

export function notices(): Plugin {
    return {
        name: 'third-party-notices',
        apply: 'build',
        generateBundle(_options, bundle) {
            const folders = new Set<string>();

            for (const output of Object.values(bundle)) {
                for (const module of output.type === 'chunk' ? Object.keys(output.modules) : []) {
                    const folder = folderOf(module);

                    if (folder) {
                        folders.add(folder);
                    }
                }
            }
            const source = `These pages contain the following packages.\n\n${[...folders].map(noticeOf).sort().join('\n')}`;

            this.emitFile({ type: 'asset', fileName: FILE, source });
        },
        transformIndexHtml: {
            order: 'post',
            handler: () => [{ tag: 'link', attrs: { rel: 'license', href: `./${FILE}` }, injectTo: 'head' }],
        },
    };
}
