// render.mjs - renders pictures in Chromium and prints the colors in the centers of a chart's patches.
//
//   node tests/browser/render.mjs COLUMNS ROWS FILE ...      a line for each: FILE RRGGBB RRGGBB ..., or FILE refused
//
// Transparent pixels are white.
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { launch } from './lib.mjs';

const types = {
    '.png': 'image/png',
    '.avif': 'image/avif',
    '.jpg': 'image/jpeg',
    '.webp': 'image/webp',
    '.gif': 'image/gif',
};
const [columns, rows, ...files] = process.argv.slice(2);
const chromium = await launch();
const page = await chromium.first.newPage();

/** Runs in the page. */
async function look({ url, columns, rows }) {
    const picture = new Image();

    picture.src = url;
    try {
        await picture.decode();
    } catch {
        return ['refused'];
    }
    const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight);
    const paper = canvas.getContext('2d');

    paper.fillStyle = 'white';
    paper.fillRect(0, 0, canvas.width, canvas.height);
    paper.drawImage(picture, 0, 0);
    return Array.from({ length: columns * rows }, (_, i) => {
        const x = Math.floor((((i % columns) + 0.5) * canvas.width) / columns);
        const y = Math.floor(((Math.floor(i / columns) + 0.5) * canvas.height) / rows);

        return [...paper.getImageData(x, y, 1, 1).data]
            .slice(0, 3)
            .map((byte) => byte.toString(16).padStart(2, '0'))
            .join('');
    });
}

try {
    for (const file of files) {
        const url = `data:${types[extname(file)]};base64,${readFileSync(file).toString('base64')}`;
        const colors = await page.evaluate(look, { url, columns: Number(columns), rows: Number(rows) });

        console.log(`${file} ${colors.join(' ')}`);
    }
} finally {
    await chromium.close();
}
