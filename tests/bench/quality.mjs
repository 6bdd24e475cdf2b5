// quality.mjs - compare pictures with a reference: SSIM of their luma (Wang 2004; windows of 8x8, every
// other pixel) and PSNR.
//
// usage: quality.mjs REFERENCE FILE ...
import sharp from 'sharp';

async function luma(file) {
    const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const y = new Float64Array(info.width * info.height);
    for (let i = 0; i < y.length; i++) {
        const [r, g, b] =
            info.channels < 3
                ? Array(3).fill(data[i * info.channels])
                : data.subarray(i * info.channels, i * info.channels + 3);
        y[i] = 0.299 * r + 0.587 * g + 0.114 * b;
    }
    return { y, width: info.width, height: info.height };
}

// The SSIM of one window.
function similarity(a, b, from, stride) {
    let [n, sa, sb, saa, sbb, sab] = [64, 0, 0, 0, 0, 0];
    for (let j = 0; j < 8; j++) {
        for (let i = from + j * stride; i < from + j * stride + 8; i++) {
            sa += a[i];
            sb += b[i];
            saa += a[i] * a[i];
            sbb += b[i] * b[i];
            sab += a[i] * b[i];
        }
    }
    const [ma, mb] = [sa / n, sb / n];
    const [va, vb, cov] = [saa / n - ma * ma, sbb / n - mb * mb, sab / n - ma * mb];
    const [c1, c2] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2];
    return ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}

function compare(one, other) {
    if (one.width !== other.width || one.height !== other.height) {
        throw new Error(`${other.width} x ${other.height} instead of ${one.width} x ${one.height}`);
    }
    let [sum, count, squares] = [0, 0, 0];
    for (let y = 0; y + 8 <= one.height; y += 2) {
        for (let x = 0; x + 8 <= one.width; x += 2) {
            sum += similarity(one.y, other.y, y * one.width + x, one.width);
            count++;
        }
    }
    one.y.forEach((value, i) => {
        squares += (value - other.y[i]) ** 2;
    });
    return [sum / count, 10 * Math.log10(255 ** 2 / (squares / one.y.length))];
}

const [reference, ...files] = await Promise.all(process.argv.slice(2).map(luma));
files.forEach((file) =>
    console.log(
        compare(reference, file)
            .map((n) => n.toFixed(4))
            .join(' '),
    ),
);
