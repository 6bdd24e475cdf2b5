/* picture.c - decodes a picture, base64 in the JSON of a response, into a file. */
#include "services/gemini/picture.h"

#include <ctype.h>
#include <string.h>
#include <apr_strings.h>
#include "base/spool.h"

#define PIECE 32768 /* characters */

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

static int hex_value(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* @return the character that c completes; 0: none yet; '!' for one that is no base64 */
static char unescape(iimg_gemini_unescape_t *state, char c)
{
    if (state->step == 0) {
        state->step = c == '\\';
        return state->step ? 0 : c;
    }
    if (state->step == 1) {
        state->step = c == 'u' ? 2 : 0;
        state->code = 0;
        return c == 'u' ? 0 : c == '/' ? '/' : '!';
    }
    state->code = state->code << 4
                  | (unsigned int)(isxdigit((unsigned char)c) ? hex_value(c) : 0x8000);
    state->step = state->step == 5 ? 0 : state->step + 1;
    if (state->step) {
        return 0;
    }
    return state->code > ' ' && state->code < 0x7f ? (char)state->code : '!';
}

/* @return the length without escapes */
static apr_size_t unescape_piece(iimg_gemini_unescape_t *state, const char *piece,
                                 apr_size_t length, char *to)
{
    apr_size_t plain = 0;

    for (apr_size_t i = 0; i < length; i++) {
        char c = unescape(state, piece[i]);

        if (c) {
            to[plain++] = c;
        }
    }
    return plain;
}

static const char broken[] = "the picture's base64 is broken";
static const char not_written[] = "the picture could not be written";

static const char *feed_piece(iimg_gemini_decoder_t *decoder, const char *text, apr_size_t length)
{
    char plain[PIECE], bytes[PIECE / 4 * 3 + 3];

    if (decoder->escapes.step || memchr(text, '\\', length)) {
        length = unescape_piece(&decoder->escapes, text, length, plain);
        text = plain;
    }
    length = iimg_base64_feed(&decoder->base64, text, length, bytes);
    if (decoder->base64.broken) {
        return broken;
    }
    return iimg_spool_write(decoder->to, bytes, length) ? NULL : not_written;
}

const char *iimg_gemini_decoder_feed(iimg_gemini_decoder_t *decoder, const char *text,
                                     apr_size_t length)
{
    const char *problem = NULL;

    while (length > 0 && !problem) {
        apr_size_t n = length < PIECE ? length : PIECE;

        problem = feed_piece(decoder, text, n);
        text += n;
        length -= n;
    }
    return problem;
}

const char *iimg_gemini_decoder_end(iimg_gemini_decoder_t *decoder)
{
    char bytes[2];
    apr_size_t n;

    if (!iimg_base64_end(&decoder->base64, bytes, &n) || decoder->escapes.step) {
        return broken;
    }
    return iimg_spool_write(decoder->to, bytes, n) ? NULL : not_written;
}

/* @return NULL, or what is wrong */
static const char *decode_span(const iimg_http_response_t *response, const iimg_json_span_t *span,
                               iimg_spool_t *to)
{
    iimg_gemini_decoder_t decoder = { .to = to };
    const char *problem = NULL;
    char piece[PIECE];
    apr_size_t done = 0;

    while (done < span->length && !problem) {
        apr_size_t n = span->length - done < PIECE ? span->length - done : PIECE;

        if (iimg_gemini_body_read(response, span->offset + done, piece, n) != n) {
            return "the response could not be read again";
        }
        done += n;
        problem = iimg_gemini_decoder_feed(&decoder, piece, n);
    }
    return problem ? problem : iimg_gemini_decoder_end(&decoder);
}

const char *iimg_gemini_picture_open(apr_pool_t *pool, iimg_spool_t *spool,
                                     iimg_gemini_picture_t *picture)
{
    picture->spool = spool;
    picture->data = iimg_spool_map(pool, spool);
    picture->length = spool->length;
    picture->no_room = !picture->data;
    return picture->data ? NULL : "the picture's file could not be mapped";
}

static const char *decode_into(apr_pool_t *pool, apr_pool_t *work, const char *dir,
                               const iimg_http_response_t *response, const iimg_json_span_t *span,
                               iimg_gemini_picture_t *picture)
{
    int error = 0;
    iimg_spool_t *spool = iimg_spool_create(work, dir, &error);
    const char *problem = spool ? decode_span(response, span, spool) : "no file for the picture";

    if (!problem) {
        return iimg_gemini_picture_open(pool, iimg_spool_move(pool, spool), picture);
    }
    picture->no_room = !spool || spool->error;
    error = spool ? spool->error : error;
    return error ? apr_psprintf(pool, "%s: %s", problem, strerror(error)) : problem;
}

const char *iimg_gemini_picture_decode(apr_pool_t *pool, const char *dir,
                                       const iimg_http_response_t *response,
                                       const iimg_json_span_t *span, iimg_gemini_picture_t *picture)
{
    const char *problem;
    apr_pool_t *work; /* frees the file if it holds no picture */

    apr_pool_create(&work, pool);
    problem = decode_into(pool, work, dir, response, span, picture);
    apr_pool_destroy(work);
    return problem;
}
