/* page.h - a piece of a long list: rows behind the last one seen, the newest first. */
#ifndef IIMG_MODELS_PAGE_H
#define IIMG_MODELS_PAGE_H

#include <apr_strings.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "models/user.h"

/** Which piece is wanted of a list, and, when it was read, where the next one begins. */
typedef struct iimg_page_t {
    int limit; /* most rows, from 1 */
    const char
        *before_time; /* of the last row seen: microseconds since 1970; NULL: the first piece */
    const char *before_id;
    const char *patterns;  /* all must match, as an array; "{}": every row does */
    const char *next_time; /* set by the list: its last row; NULL: there are no more */
    const char *next_id;
} iimg_page_t;

/*
 * A statement that lists a page begins with IIMG_CALLER_COLUMNS and page_key, then has the row's
 * own columns, its id first; they come from a subquery of rows `t` (with created_at and id) that
 * ends with IIMG_PAGE_END(t), whose rows are put in order once more by IIMG_PAGE_ORDER. Its
 * parameters begin with IIMG_PAGE_PARAMS, its own are from $7 on. Rows that come or go
 * meanwhile move nothing from one page to another.
 */
#define IIMG_PAGE_KEY(t) "(extract(epoch FROM " t ".created_at) * 1000000)::bigint AS page_key"
#define IIMG_PAGE_BEHIND(t) \
    "(" t ".created_at, " t ".id)" \
    " < (coalesce('epoch'::timestamptz + $3::bigint * interval '1 microsecond', 'infinity')," \
    "    coalesce($4::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))"
#define IIMG_PAGE_ORDER(t) " ORDER BY " t ".created_at DESC, " t ".id DESC"
#define IIMG_PAGE_END(t)   IIMG_PAGE_ORDER(t) " LIMIT $5::integer"
#define IIMG_PAGE_WIDTH    (IIMG_CALLER_WIDTH + 1)

/* All patterns of $6. Lower case is Unicode's, whatever the database's locale. */
#define IIMG_PAGE_MATCHES(texts) \
    "($6::text[] = '{}' OR iimg_search_form(concat_ws(E'\\n', " texts ")) COLLATE \"und-x-icu\"" \
    " ILIKE ALL ((SELECT iimg_search_patterns($6::text[]))::text[]))"

/* One row more than wanted tells whether there is another page. */
#define IIMG_PAGE_PARAMS(context, page) \
    IIMG_CALLER_PARAMS(context), (page)->before_time, (page)->before_id, \
        apr_itoa((context)->pool, (page)->limit + 1), (page)->patterns

/** A search for all of the words, wherever they stand; `%`, `_` and `\` are characters as any
 * other. */
const char *iimg_page_patterns(apr_pool_t *pool, const apr_array_header_t *words);

/** Note where the next page begins, and drop the row that told. @param list of rows, in order */
void iimg_page_close(iimg_page_t *page, const iimg_rows_t *rows, apr_array_header_t *list);

#endif
