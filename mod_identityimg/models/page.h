/* page.h - pages of a list, newest first: each starts after the last row of the previous page. */
#ifndef IIMG_MODELS_PAGE_H
#define IIMG_MODELS_PAGE_H

#include <apr_strings.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "models/caller.h"

/** A page to read, and after that, the start of the next one. */
typedef struct iimg_page_t {
    int limit; /* most rows, from 1 */
    const char
        *before_time; /* of the previous page's last row: microseconds since 1970; NULL: none */
    const char *before_id;
    const char *patterns;  /* an array of patterns, which all must match; "{}": all rows */
    const char *next_time; /* of this page's last row, once read; NULL: it is the last page */
    const char *next_id;
} iimg_page_t;

/*
 * A statement that lists a page returns IIMG_CALLER_COLUMNS, page_key, and the columns of the row
 * with its id first. They come from a subquery of rows `t` (with created_at and id) that ends with
 * IIMG_PAGE_END(t). The statement itself ends with IIMG_PAGE_ORDER. Its parameters start with
 * IIMG_PAGE_PARAMS; its own start at $7. Rows that are inserted or deleted meanwhile do not shift
 * others to another page.
 */
#define IIMG_PAGE_KEY(t) "(extract(epoch FROM " t ".created_at) * 1000000)::bigint AS page_key"
#define IIMG_PAGE_BEHIND(t) \
    "(" t ".created_at, " t ".id)" \
    " < (coalesce('epoch'::timestamptz + $3::bigint * interval '1 microsecond', 'infinity')," \
    "    coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"
#define IIMG_PAGE_ORDER(t) " ORDER BY " t ".created_at DESC, " t ".id DESC"
#define IIMG_PAGE_END(t)   IIMG_PAGE_ORDER(t) " LIMIT $5::integer"
#define IIMG_PAGE_WIDTH    (IIMG_CALLER_WIDTH + 1)

/* Whether all patterns of $6 match. Case folding is Unicode's, independent of the database's
 * locale. */
#define IIMG_PAGE_MATCHES(texts) \
    "($6::text[] = '{}' OR iimg_search_form(concat_ws(E'\\n', " texts ")) COLLATE \"und-x-icu\"" \
    " ILIKE ALL ((SELECT iimg_search_patterns($6::text[]))::text[]))"

/* Requests one row more than the limit, to know whether there is another page. */
#define IIMG_PAGE_PARAMS(context, page) \
    IIMG_CALLER_PARAMS(context), (page)->before_time, (page)->before_id, \
        apr_itoa((context)->pool, (page)->limit + 1), (page)->patterns

/** Build patterns that match texts with all words. `%`, `_` and `\` have no special meaning. */
const char *iimg_page_patterns(apr_pool_t *pool, const apr_array_header_t *words);

/** Set the start of the next page, and remove the extra row from the list. */
void iimg_page_close(iimg_page_t *page, const iimg_rows_t *rows, apr_array_header_t *list);

#endif
