/* timestamp.c - times as clients see them. */
#include "base/timestamp.h"

#include <string.h>
#include <apr_strings.h>

const char *iimg_timestamp_format(apr_pool_t *pool, const char *text)
{
    static const char shape[] = "YYYY-MM-DDTHH:MM:SS.000000Z";
    const char *from;
    char *out;

    if (!text) {
        return NULL;
    }
    if (strlen(text) < 22 || text[10] != ' ' || !strstr(text + 19, "+00")) {
        return text;
    }
    out = apr_pmemdup(pool, shape, sizeof(shape));
    memcpy(out, text, 10);
    memcpy(out + 11, text + 11, 8);
    from = text + 19;
    if (*from == '.') {
        char *to = out + 20;

        for (from++; *from >= '0' && *from <= '9' && to < out + 26; from++) {
            *to++ = *from;
        }
    }
    return out;
}
