/* picture_fuzz.c - the input is a file that somebody calls a picture: what its first bytes say. */
#include "base/media_type.h"
#include "base/text.h"
#include "fuzz.h"
#include "services/pictures/size.h"

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
    fuzz_claim(*words && iimg_text_is_utf8(words, strlen(words)), "anything can be described");
    if (iimg_picture_size(data, length, &width, &height)) {
        fuzz_claim(type->format == IIMG_FORMAT_JPEG || type->format == IIMG_FORMAT_PNG
                       || type->format == IIMG_FORMAT_WEBP,
                   "a kind is known that has a size");
        fuzz_claim(width >= 0 && height >= 0, "no side is negative");
    }
    fuzz_claim(type->format == IIMG_FORMAT_UNKNOWN
                   || iimg_media_type_by_extension(type->extension) == type,
               "a kind is found by its extension");
}
