/* array.c - parse and format PostgreSQL's text arrays: "{a,\"b c\"}". */
#include "base/db/array.h"

#include <stdbool.h>
#include <string.h>

/* Read an element at *text, quoted or not, and advance *text. */
static const char *read_element(apr_pool_t *pool, const char **text)
{
    char *out = apr_palloc(pool, strlen(*text) + 1);
    char *to = out;
    const char *from = *text;
    bool quoted = *from == '"';

    from += quoted;
    while (*from && (quoted ? *from != '"' : (*from != ',' && *from != '}'))) {
        from += *from == '\\' && from[1];
        *to++ = *from++;
    }
    from += quoted && *from;
    *to = '\0';
    *text = from;
    return out;
}

apr_array_header_t *iimg_db_array_parse(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *items = apr_array_make(pool, 4, sizeof(const char *));

    if (!text || *text != '{') {
        return items;
    }
    text++;
    while (*text && *text != '}') {
        APR_ARRAY_PUSH(items, const char *) = read_element(pool, &text);
        text += *text == ',';
    }
    return items;
}

const char *iimg_db_array_format(apr_pool_t *pool, const apr_array_header_t *items)
{
    apr_size_t size = 3;
    char *out, *to;

    for (int i = 0; i < items->nelts; i++) {
        size += 2 * strlen(APR_ARRAY_IDX(items, i, const char *)) + 3;
    }
    to = out = apr_palloc(pool, size);
    *to++ = '{';
    for (int i = 0; i < items->nelts; i++) {
        if (i) {
            *to++ = ',';
        }
        *to++ = '"';
        for (const char *p = APR_ARRAY_IDX(items, i, const char *); *p; p++) {
            if (*p == '"' || *p == '\\') {
                *to++ = '\\';
            }
            *to++ = *p;
        }
        *to++ = '"';
    }
    *to++ = '}';
    *to = '\0';
    return out;
}
