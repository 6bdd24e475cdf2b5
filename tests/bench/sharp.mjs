// sharp.mjs - make three derivatives with sharp from one decode, and measure the cost in a warm process.
//
// usage: sharp.mjs FILE QUALITY
//
// Reads lines from its input. A number makes the derivatives that many times and prints the CPU time of
// one run in ms. A path writes them to PATH-0.jpg (100 pixels) to PATH-2.jpg (600).
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import sharp from 'sharp';

const [file, quality] = [process.argv[2], Number(process.argv[3])];
const boxes = [100, 300, 600];
sharp.concurrency(1);
sharp.cache(false);

const fit = (picture, box) => picture.resize({ width: box, height: box, fit: 'inside', withoutEnlargement: true });

async function derive(bytes) {
    const { data, info } = await fit(sharp(bytes).rotate(), 600).raw().toBuffer({ resolveWithObject: true });
    const large = () => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } });
    const made = [];
    for (const box of boxes) {
        made.push(await (box === 600 ? large() : fit(large(), box)).jpeg({ quality }).toBuffer());
    }
    return made;
}

const bytes = readFileSync(file);
await derive(bytes);
for await (const line of createInterface({ input: process.stdin })) {
    if (/^\d+$/.test(line)) {
        const before = process.cpuUsage();
        for (let i = 0; i < Number(line); i++) {
            await derive(bytes);
        }
        const { user, system } = process.cpuUsage(before);
        console.log(((user + system) / 1e3 / Number(line)).toFixed(2));
    } else {
        (await derive(bytes)).forEach((one, i) => writeFileSync(`${line}-${i}.jpg`, one));
        console.log('written');
    }
}
