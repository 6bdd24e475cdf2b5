/* picture_fuzz.c - the input is sniffed, measured and described as a picture. */
#include "base/media_type.h"
#include "base/text.h"
#include "fuzz.h"
#include "services/pictures/dimensions.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    const iimg_media_type_t *type = iimg_media_type_sniff(data, length);
    const char *words = iimg_media_type_describe(data, length);
    int width = 0, height = 0;

    (void)pool;
    fuzz_claim(*words && iimg_text_is_utf8(words, strlen(words)), "any input has a description");
    if (iimg_picture_dimensions(data, length, &width, &height)) {
        fuzz_claim(type->format == IIMG_FORMAT_JPEG || type->format == IIMG_FORMAT_PNG
                       || type->format == IIMG_FORMAT_WEBP,
                   "a picture with a size has a format");
        fuzz_claim(width >= 0 && height >= 0, "no side is negative");
    }
    fuzz_claim(type->format == IIMG_FORMAT_UNKNOWN
                   || iimg_media_type_by_extension(type->extension) == type,
               "a format is found by its extension");
}
