/* cut.c - a JSON scanner that removes long strings and records where they are.
 *
 * A provider's reply is JSON with pictures as base64 strings of megabytes. The scanner sees the
 * reply piece by piece (services/gemini/stream.c feeds it) and needs memory for the rest alone: it
 * knows only where strings begin and end. A JSON parser must validate what remains. A cut belongs
 * to one thread, and its result must not depend on the size of the pieces.
 */
#include "base/json/cut.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>

#define FIRST_SIZE 4096

struct iimg_json_cut_t {
    apr_pool_t *pool;
    const char *member;
    apr_size_t max_string, max_rest;
    char *rest;              /* the JSON without long strings */
    apr_size_t length, size; /* of rest: bytes used and allocated */
    apr_size_t at;           /* bytes scanned */
    apr_size_t string;       /* in rest: the opening quote of the current string */
    bool in_string, escaped; /* the state between pieces */
    bool after_colon;        /* the last token was the colon of a member... */
    bool of_member;          /* ...with the wanted name */
    bool cutting;            /* the string is recorded as a span */
    bool dropping;           /* the string exceeds max_string */
    bool too_much;
    int count;
    iimg_json_span_t spans[IIMG_JSON_MAX_CUTS];
};

iimg_json_cut_t *iimg_json_cut_create(apr_pool_t *pool, const char *member, apr_size_t max_string,
                                      apr_size_t max_rest)
{
    iimg_json_cut_t *cut = apr_pcalloc(pool, sizeof(*cut));

    cut->pool = pool;
    cut->member = member;
    cut->max_string = max_string;
    cut->max_rest = max_rest;
    cut->rest = apr_palloc(pool, FIRST_SIZE);
    cut->size = FIRST_SIZE;
    return cut;
}

static void append(iimg_json_cut_t *cut, const char *data, apr_size_t length)
{
    char *larger;

    if (cut->length + length > cut->max_rest) {
        cut->too_much = true;
        return;
    }
    if (cut->length + length > cut->size) {
        while (cut->size < cut->length + length) {
            cut->size *= 2;
        }
        larger = apr_palloc(cut->pool, cut->size);
        memcpy(larger, cut->rest, cut->length);
        cut->rest = larger;
    }
    memcpy(cut->rest + cut->length, data, length);
    cut->length += length;
}

/* Strings ------------------------------------------------------------------------------------- */

static void begin_string(iimg_json_cut_t *cut)
{
    cut->in_string = true;
    cut->escaped = false;
    cut->dropping = false;
    cut->string = cut->length;
    append(cut, "\"", 1);
    cut->cutting = cut->after_colon && cut->of_member;
    cut->after_colon = false;
    /* Reserve the longest string, so that the result does not depend on the size of the pieces. */
    if ((cut->cutting && cut->count == IIMG_JSON_MAX_CUTS)
        || (!cut->cutting && cut->length + cut->max_string > cut->max_rest)) {
        cut->too_much = true;
    }
    else if (cut->cutting) {
        cut->spans[cut->count].offset = cut->at + 1;
    }
}

/* Find the end of the string in this piece: its closing quote, or the end of the piece. */
static const char *find_string_end(iimg_json_cut_t *cut, const char *p, const char *end)
{
    while (p < end) {
        if (cut->escaped) {
            cut->escaped = false;
            p++;
            continue;
        }
        /* Most of a reply is a string without escapes: memchr is the fastest way through. */
        apr_size_t left = (apr_size_t)(end - p);
        const char *quote = memchr(p, '"', left);
        const char *escape = memchr(p, '\\', quote ? (apr_size_t)(quote - p) : left);

        if (!escape) {
            return quote ? quote : end;
        }
        cut->escaped = true;
        p = escape + 1;
    }
    return end;
}

static void append_string(iimg_json_cut_t *cut, const char *data, apr_size_t length)
{
    if (cut->cutting || cut->dropping) {
        return;
    }
    if (cut->length - cut->string - 1 + length > cut->max_string) {
        cut->dropping = true;
        cut->length = cut->string + 1;
        return;
    }
    append(cut, data, length);
}

static bool is_member(const iimg_json_cut_t *cut)
{
    apr_size_t n = strlen(cut->member);

    return cut->length - cut->string == n + 2
           && memcmp(cut->rest + cut->string + 1, cut->member, n) == 0;
}

static void end_string(iimg_json_cut_t *cut)
{
    cut->in_string = false;
    if (cut->cutting) {
        const char *number = apr_itoa(cut->pool, cut->count);
        iimg_json_span_t *span = &cut->spans[cut->count++];

        span->length = cut->at - span->offset;
        append(cut, number, strlen(number));
    }
    append(cut, "\"", 1);
    cut->of_member = !cut->cutting && !cut->dropping && !cut->too_much && is_member(cut);
}

/* The whole ----------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void scan_outside(iimg_json_cut_t *cut, char c)
{
    if (c == '"') {
        begin_string(cut);
        return;
    }
    if (is_space(c)) {
        /* One blank for many: "1 2" must not become 12. */
        if (cut->length == 0 || cut->rest[cut->length - 1] != ' ') {
            append(cut, " ", 1);
        }
        return;
    }
    cut->after_colon = c == ':';
    append(cut, &c, 1);
}

bool iimg_json_cut_feed(iimg_json_cut_t *cut, const char *data, apr_size_t length)
{
    const char *end = data + length;

    while (data < end && !cut->too_much) {
        const char *next;

        if (!cut->in_string) {
            scan_outside(cut, *data++);
            cut->at++;
            continue;
        }
        next = find_string_end(cut, data, end);
        append_string(cut, data, (apr_size_t)(next - data));
        cut->at += (apr_size_t)(next - data);
        data = next;
        if (data < end) {
            end_string(cut);
            data++;
            cut->at++;
        }
    }
    return !cut->too_much;
}

const char *iimg_json_cut_rest(const iimg_json_cut_t *cut, apr_size_t *length)
{
    *length = cut->length;
    return cut->rest;
}

bool iimg_json_cut_part(const iimg_json_cut_t *cut, int number, iimg_json_span_t *span, bool *whole)
{
    *whole = number < cut->count;
    if (*whole) {
        *span = cut->spans[number];
        return true;
    }
    if (number > cut->count || cut->too_much || !cut->in_string || !cut->cutting) {
        return false;
    }
    span->offset = cut->spans[number].offset;
    span->length = cut->at - span->offset;
    return true;
}

const iimg_json_span_t *iimg_json_cut_span(const iimg_json_cut_t *cut, const char *number)
{
    char *end;
    long n;

    if (!number || !isdigit((unsigned char)*number)) {
        return NULL;
    }
    n = strtol(number, &end, 10);
    return *end == '\0' && n < cut->count ? &cut->spans[n] : NULL;
}
