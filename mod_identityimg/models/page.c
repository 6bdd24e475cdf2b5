/* page.c - pages of a list, newest first: each starts after the last row of the previous page. */
#include "models/page.h"

#include <string.h>
#include "base/db/array.h"

/* The word with its wildcards escaped, between two wildcards. */
static const char *make_pattern(apr_pool_t *pool, const char *word)
{
    char *out = apr_palloc(pool, 2 * strlen(word) + 3), *to = out;

    *to++ = '%';
    for (; *word; word++) {
        if (strchr("%_\\", *word)) {
            *to++ = '\\';
        }
        *to++ = *word;
    }
    *to++ = '%';
    *to = '\0';
    return out;
}

const char *iimg_page_patterns(apr_pool_t *pool, const apr_array_header_t *words)
{
    apr_array_header_t *patterns = apr_array_make(pool, words->nelts + 1, sizeof(const char *));

    for (int i = 0; i < words->nelts; i++) {
        APR_ARRAY_PUSH(patterns,
                       const char *) = make_pattern(pool, APR_ARRAY_IDX(words, i, const char *));
    }
    return iimg_db_array_format(pool, patterns);
}

void iimg_page_close(iimg_page_t *page, const iimg_rows_t *rows, apr_array_header_t *list)
{
    bool more = list->nelts > page->limit;

    page->next_time = more ? iimg_rows_text(rows, page->limit - 1, IIMG_CALLER_WIDTH) : NULL;
    page->next_id = more ? iimg_rows_text(rows, page->limit - 1, IIMG_PAGE_WIDTH) : NULL;
    if (more) {
        list->nelts = page->limit;
    }
}
