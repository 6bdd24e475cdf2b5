/* gemini_picture.c - from a JSON string of base64 to a file of bytes, a piece at a time. */
#include "services/gemini_picture.h"

#include <ctype.h>
#include <string.h>
#include <apr_strings.h>
#include "base/spool.h"
#include "services/base64.h"

#define PIECE 16384

apr_size_t iimg_gemini_body_read(const iimg_http_response_t *response, apr_size_t offset,
                                 void *buffer, apr_size_t size)
{
    if (response->spool) {
        return iimg_spool_read(response->spool, offset, buffer, size);
    }
    if (offset >= response->length) {
        return 0;
    }
    size = size < response->length - offset ? size : response->length - offset;
    memcpy(buffer, response->body + offset, size);
    return size;
}

/* JSON may write "/" as "\/", and any character as \u and four digits. */
typedef struct unescape_t {
    int step;               /* 0: plain, 1: behind a backslash, 2 to 5: in front of a digit */
    unsigned int code;
} unescape_t;

static int digit_of(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* The character that one more byte makes whole; 0: none yet. What is no base64 becomes '!'. */
static char unescape(unescape_t *it, char c)
{
    if (it->step == 0) {
        it->step = c == '\\';
        return it->step ? 0 : c;
    }
    if (it->step == 1) {
        it->step = c == 'u' ? 2 : 0;
        it->code = 0;
        return c == 'u' ? 0 : c == '/' ? '/' : '!';
    }
    it->code = it->code << 4 | (unsigned int)(isxdigit((unsigned char)c) ? digit_of(c) : 0x8000);
    it->step = it->step == 5 ? 0 : it->step + 1;
    if (it->step) {
        return 0;
    }
    return it->code > ' ' && it->code < 0x7f ? (char)it->code : '!';
}

/* In place. @return what is left of the length */
static apr_size_t unescape_piece(unescape_t *it, char *piece, apr_size_t length)
{
    apr_size_t kept = 0;

    if (it->step == 0 && !memchr(piece, '\\', length)) {
        return length;
    }
    for (apr_size_t i = 0; i < length; i++) {
        char c = unescape(it, piece[i]);

        if (c) {
            piece[kept++] = c;
        }
    }
    return kept;
}

/* @return NULL, or what is in the way */
static const char *decode(const iimg_http_response_t *response, const iimg_json_span_t *span,
                          iimg_spool_t *to)
{
    static const char broken[] = "the picture's base64 is broken";
    iimg_base64_t base64 = { 0 };
    unescape_t escapes = { 0 };
    char piece[PIECE], bytes[PIECE / 4 * 3 + 3];
    apr_size_t done = 0, n;

    while (done < span->length) {
        n = span->length - done < PIECE ? span->length - done : PIECE;
        if (iimg_gemini_body_read(response, span->offset + done, piece, n) != n) {
            return "the reply could not be read again";
        }
        done += n;
        n = unescape_piece(&escapes, piece, n);
        n = iimg_base64_feed(&base64, piece, n, bytes);
        if (base64.broken) {
            return broken;
        }
        if (!iimg_spool_write(to, bytes, n)) {
            return "the picture could not be written";
        }
    }
    if (!iimg_base64_end(&base64, bytes, &n) || escapes.step) {
        return broken;
    }
    return iimg_spool_write(to, bytes, n) ? NULL : "the picture could not be written";
}

static const char *decode_into(apr_pool_t *pool, const char *dir,
                               const iimg_http_response_t *response, const iimg_json_span_t *span,
                               iimg_gemini_picture_t *picture)
{
    int error = 0;
    iimg_spool_t *spool = iimg_spool_create(pool, dir, &error);
    const char *problem = spool ? decode(response, span, spool) : "no file for the picture";

    if (!problem) {
        picture->data = iimg_spool_map(pool, spool);
        picture->length = spool->length;
        picture->spool = spool;
        picture->no_room = !picture->data;
        return picture->data ? NULL : "the picture's file could not be mapped";
    }
    picture->no_room = !spool || spool->error;
    error = spool ? spool->error : error;
    return error ? apr_psprintf(pool, "%s: %s", problem, strerror(error)) : problem;
}

const char *iimg_gemini_picture_decode(apr_pool_t *pool, const char *dir,
                                       const iimg_http_response_t *response,
                                       const iimg_json_span_t *span,
                                       iimg_gemini_picture_t *picture)
{
    const char *problem;
    apr_pool_t *own;        /* what is no picture needs no room any longer */

    apr_pool_create(&own, pool);
    problem = decode_into(own, dir, response, span, picture);
    if (problem) {
        problem = apr_pstrdup(pool, problem);
        apr_pool_destroy(own);
    }
    return problem;
}
