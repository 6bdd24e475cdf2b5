/*
 * png_test.c - worker/metadata/png.c: what PNG's chunks say of colors, which of them
 * count, and that all of them stay in the file.
 */
#include "worker/metadata/metadata.h"

#include <stdlib.h>
#include "tap.h"

#define BYTES(text)  text, sizeof(text) - 1
#define PNG          "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\2\0\0\0\1\x08\0\0\0\0crc!"
#define PIXELS       "\0\0\0\3IDATabccrc!"
#define END          "\0\0\0\0IENDcrc!"
#define CICP(points) "\0\0\0\4cICP" points "crc!"
#define GAMA(number) "\0\0\0\4gAMA" number "crc!"
#define SRGB         "\0\0\0\1sRGB\0crc!"
#define CHRM(x) \
    "\0\0\0\x20" \
    "cHRM" \
    "\0\0\0" x "\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0\7\0\0\0\x08" \
    "crc!"
#define CLLI(number) \
    "\0\0\0\x08" \
    "cLLI" number "\0\0\0\0crc!"
#define MDCV(number) "\0\0\0\x18mDCV0123456789abcdef" number "\0\0\0\1crc!"
#define NITS_1000    "\0\x98\x96\x80"
#define NITS_300     "\0\x2d\xc6\xc0"
#define NOTHING      "cicp - gamma 0 chrm - light 0"

typedef struct row_t {
    const char *name, *bytes;
    size_t length;
    const char *facts; /* or the clause that refuses it */
} row_t;

static const row_t rows[] = {
    { "no color chunk", BYTES(PNG PIXELS END), NOTHING },
    { "cICP", BYTES(PNG CICP("\x09\x10\0\1") PIXELS END), "cicp 9/16 gamma 0 chrm - light 0" },
    { "the first cICP is used", BYTES(PNG CICP("\x09\x10\0\1") CICP("\1\x0d\0\1") PIXELS END),
      "cicp 9/16 gamma 0 chrm - light 0" },
    { "cICP of limited range", BYTES(PNG CICP("\x09\x10\0\0") PIXELS END), NOTHING },
    { "cICP with a matrix", BYTES(PNG CICP("\x09\x10\x09\1") PIXELS END),
      "its cICP chunk has a matrix other than RGB" },
    { "cICP of three bytes", BYTES(PNG "\0\0\0\3cICP\x09\x10\0crc!" PIXELS END), NOTHING },
    { "cICP after the pixels", BYTES(PNG PIXELS CICP("\x09\x10\0\1") END), NOTHING },
    { "gAMA", BYTES(PNG GAMA("\0\1\x86\xa0") PIXELS END), "cicp - gamma 100000 chrm - light 0" },
    { "the first gAMA is used", BYTES(PNG GAMA("\0\1\x86\xa0") GAMA("\0\0\0\1") PIXELS END),
      "cicp - gamma 100000 chrm - light 0" },
    { "gAMA of five bytes", BYTES(PNG "\0\0\0\5gAMA\0\1\x86\xa0\0crc!" PIXELS END), NOTHING },
    { "gAMA after the pixels", BYTES(PNG PIXELS GAMA("\0\1\x86\xa0") END), NOTHING },
    { "cHRM", BYTES(PNG CHRM("\1") PIXELS END), "cicp - gamma 0 chrm 1/8 light 0" },
    { "the first cHRM is used", BYTES(PNG CHRM("\1") CHRM("\x09") PIXELS END),
      "cicp - gamma 0 chrm 1/8 light 0" },
    { "cHRM of four bytes", BYTES(PNG "\0\0\0\4cHRM\0\0\0\1crc!" PIXELS END), NOTHING },
    { "sRGB", BYTES(PNG SRGB PIXELS END), NOTHING " srgb" },
    { "cLLI", BYTES(PNG CLLI(NITS_1000) PIXELS END), "cicp - gamma 0 chrm - light 1000" },
    { "mDCV", BYTES(PNG MDCV(NITS_300) PIXELS END), "cicp - gamma 0 chrm - light 300" },
    { "cLLI over mDCV", BYTES(PNG CLLI(NITS_1000) MDCV(NITS_300) PIXELS END),
      "cicp - gamma 0 chrm - light 1000" },
    { "cLLI over an earlier mDCV", BYTES(PNG MDCV(NITS_300) CLLI(NITS_1000) PIXELS END),
      "cicp - gamma 0 chrm - light 1000" },
    { "cLLI of zero", BYTES(PNG CLLI("\0\0\0\0") MDCV(NITS_300) PIXELS END),
      "cicp - gamma 0 chrm - light 300" },
};

static const char *facts_of(const iimg_color_t *color)
{
    static char text[120], cicp[16] = "-", chrm[32] = "-";

    strcpy(cicp, "-");
    strcpy(chrm, "-");
    if (color->has_cicp) {
        snprintf(cicp, sizeof(cicp), "%d/%d", color->primaries, color->transfer);
    }
    if (color->has_chromaticities) {
        snprintf(chrm, sizeof(chrm), "%u/%u", color->chromaticities[0], color->chromaticities[7]);
    }
    snprintf(text, sizeof(text), "cicp %s gamma %u chrm %s light %u%s", cicp, color->gamma, chrm,
             color->most_light, color->has_srgb ? " srgb" : "");
    return text;
}

int main(void)
{
    iimg_edit_step_t *steps = malloc(IIMG_EDIT_MAX_STEPS * sizeof(*steps));

    for (size_t i = 0; steps && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const row_t *row = &rows[i];
        iimg_metadata_t metadata;
        const char *problem = iimg_metadata_filter(
            IIMG_FORMAT_PNG, (const unsigned char *)row->bytes, row->length, steps, &metadata);

        tap_is(problem ? problem : facts_of(&metadata.color), row->facts, "%s", row->name);
        if (!problem) {
            tap_ok(metadata.is_lossless && metadata.edit.count == 1
                       && metadata.edit.steps[0].length == row->length,
                   "%s: the whole file is kept", row->name);
        }
    }
    free(steps);
    return tap_done();
}
