/* page.c - read the query of a list that is sent in pages, and send a page. */
#include "views/page.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "base/uuid.h"
#include "functions/shared/caller.h"
#include "server/http/response.h"

#define ROW_SIZE 1000 /* bytes of JSON to allocate for each row */

/* Microseconds of the years 1 to 9999, a range that PostgreSQL accepts. */
#define EARLIEST (-62135596800000000LL)
#define LATEST   253402300799999999LL

static iimg_error_t *refuse(const iimg_request_t *req, const char *field, const char *sentence)
{
    return iimg_error_invalid_field(req->context->pool, field, NULL, "%s", sentence);
}

/* Query --------------------------------------------------------------------------------------- */

static iimg_error_t *read_limit(iimg_request_t *req, const iimg_input_t *query, int *limit)
{
    long long value = IIMG_PAGE_DEFAULT_LIMIT;
    bool present;
    iimg_error_t *err = iimg_input_integer(query, "limit", &present, &value);

    if (!err && (value < 1 || value > IIMG_PAGE_MAX_LIMIT)) {
        err = refuse(
            req, "limit",
            apr_psprintf(req->context->pool, "Must be from 1 to %d.", IIMG_PAGE_MAX_LIMIT));
    }
    *limit = (int)value;
    return err;
}

/* Reads the cursor that next_url() writes: a time, a dot, an id. */
static bool parse_cursor(apr_pool_t *pool, const char *text, iimg_page_t *page)
{
    size_t sign = *text == '-', digits = strspn(text + sign, "0123456789");
    const char *dot = text + sign + digits;
    long long time;

    if (digits < 1 || digits > 18 || *dot != '.' || strlen(dot + 1) != IIMG_UUID_LENGTH) {
        return false;
    }
    time = strtoll(text, NULL, 10);
    page->before_time = apr_pstrmemdup(pool, text, (apr_size_t)(dot - text));
    page->before_id = iimg_uuid_parse(pool, dot + 1);
    return page->before_id && time >= EARLIEST && time <= LATEST;
}

static iimg_error_t *read_cursor(iimg_request_t *req, const iimg_input_t *query, iimg_page_t *page)
{
    const char *text;
    iimg_error_t *err = iimg_input_text(query, "before", IIMG_INPUT_MAX_WORD, &text);

    if (err || !text || !*text) {
        return err;
    }
    return parse_cursor(req->context->pool, text, page)
               ? NULL
               : refuse(req, "before", "Use the value of `next` of the previous page.");
}

static iimg_error_t *read_search(iimg_request_t *req, const iimg_input_t *query, iimg_page_t *page)
{
    apr_pool_t *pool = req->context->pool;
    const char *text;
    iimg_error_t *err = iimg_input_text(query, "search", IIMG_PAGE_MAX_SEARCH, &text);

    page->patterns = iimg_page_patterns(pool, iimg_text_words(pool, !err && text ? text : ""));
    return err;
}

iimg_error_t *iimg_read_page(iimg_request_t *req, iimg_page_t *page, iimg_input_t **query)
{
    iimg_error_t *err = iimg_input_parse_query(req->context->pool, req->r->args, query);

    memset(page, 0, sizeof(*page));
    if (err) {
        return err;
    }
    err = iimg_error_join(read_limit(req, *query, &page->limit), read_cursor(req, *query, page));
    return iimg_error_join(err, read_search(req, *query, page));
}

iimg_error_t *iimg_read_text_filter(const iimg_input_t *query, const char *name, apr_size_t max,
                                    const char **value)
{
    iimg_error_t *err = iimg_input_text(query, name, max, value);

    if (err) {
        return err;
    }
    if (*value && !**value) {
        *value = NULL;
    }
    return NULL;
}

iimg_error_t *iimg_read_uuid_filter(const iimg_input_t *query, const char *name, const char **value)
{
    return iimg_input_uuid(query, name, value);
}

iimg_error_t *iimg_read_flag_filter(const iimg_input_t *query, const char *name, const char **value)
{
    bool flag = false;
    iimg_error_t *err = iimg_read_text_filter(query, name, IIMG_INPUT_MAX_WORD, value);

    if (err || !*value) {
        return err;
    }
    err = iimg_input_bool(query, name, &flag);
    *value = flag ? "t" : "f";
    return err;
}

iimg_error_t *iimg_refuse_list(iimg_request_t *req, iimg_error_t *problem)
{
    iimg_error_t *err = iimg_identify_caller(req->context, IIMG_STAFF);

    if (err) {
        return err;
    }
    return problem;
}

/* Response ------------------------------------------------------------------------------------ */

/* The request's path without a query. */
static const char *own_url(iimg_request_t *req)
{
    return apr_pstrcat(req->context->pool, req->context->base_url, iimg_location_of(req->r)->base,
                       "/", req->path, NULL);
}

/* Escapes the characters that a URL cannot contain. Percent signs begin valid escapes. */
static const char *escape_query(apr_pool_t *pool, const char *text)
{
    char *out = apr_palloc(pool, 3 * strlen(text) + 1), *to = out;

    for (; *text; text++) {
        if (isalnum((unsigned char)*text) || strchr("%+-._~!$'()*,;:@/?=", *text)) {
            *to++ = *text;
        }
        else {
            to += sprintf(to, "%%%02X", (unsigned char)*text);
        }
    }
    *to = '\0';
    return out;
}

static const char *next_url(iimg_request_t *req, const iimg_page_t *page)
{
    apr_pool_t *pool = req->context->pool;
    char *state = NULL, *args = apr_pstrdup(pool, req->r->args ? req->r->args : "");
    const char *url = apr_pstrcat(pool, own_url(req), "?", NULL);

    if (!page->next_id) {
        return NULL;
    }
    for (char *pair = apr_strtok(args, "&", &state); pair; pair = apr_strtok(NULL, "&", &state)) {
        if (strncmp(pair, "before=", strlen("before=")) != 0) {
            url = apr_pstrcat(pool, url, escape_query(pool, pair), "&", NULL);
        }
    }
    return apr_pstrcat(pool, url, "before=", page->next_time, ".", page->next_id, NULL);
}

iimg_error_t *iimg_answer_page(iimg_request_t *req, const iimg_page_t *page,
                               const apr_array_header_t *rows, iimg_write_row_fn write)
{
    iimg_json_t *out;
    iimg_media_signer_t *signer;
    iimg_error_t *err = iimg_respond_signer(req, &signer);

    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, (apr_size_t)(rows->nelts + 1) * ROW_SIZE);
    iimg_json_object_open(out);
    iimg_json_key(out, "results");
    iimg_json_array_open(out);
    for (int i = 0; i < rows->nelts; i++) {
        write(out, signer, rows->elts + i * rows->elt_size);
    }
    iimg_json_array_close(out);
    iimg_json_member(out, "next", next_url(req, page));
    iimg_json_object_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

void iimg_set_location(iimg_request_t *req, const char *id)
{
    apr_table_setn(req->r->headers_out, "Location",
                   apr_pstrcat(req->context->pool, own_url(req), id, "/", NULL));
}
