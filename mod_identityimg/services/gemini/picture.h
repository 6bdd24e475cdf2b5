/* picture.h - a picture that stands as base64 within a reply's JSON, decoded into a file. */
#ifndef IIMG_SERVICES_GEMINI_PICTURE_H
#define IIMG_SERVICES_GEMINI_PICTURE_H

#include <stdbool.h>
#include "base/http/http.h"
#include "base/json/cut.h"
#include "base/base64.h"

/**
 * Read bytes of a response's body from any place, wherever the body is kept.
 * @return bytes read; 0 at the end
 */
apr_size_t iimg_gemini_body_read(const iimg_http_response_t *response, apr_size_t offset,
                                 void *buffer, apr_size_t size);

/** JSON may write "/" as "\/", and any character as \u and four digits. */
typedef struct iimg_gemini_unescape_t {
    int step; /* 0: plain, 1: behind a backslash, 2 to 5: in front of a digit */
    unsigned int code;
} iimg_gemini_unescape_t;

/** A decoded picture: memory backed by a file. */
typedef struct iimg_gemini_picture_t {
    const char *data;
    apr_size_t length;
    struct iimg_spool_t *spool; /* the file */
    bool no_room; /* there is no picture, and this machine is to blame, not the bytes */
} iimg_gemini_picture_t;

/** A JSON string of base64 that comes in pieces; all else zero to begin with. */
typedef struct iimg_gemini_decoder_t {
    iimg_base64_t base64;
    iimg_gemini_unescape_t escapes;
    struct iimg_spool_t *to; /* takes the bytes */
} iimg_gemini_decoder_t;

/** The string's next piece. @return NULL, or why there is no picture; to->error when it has no room
 */
const char *iimg_gemini_decoder_feed(iimg_gemini_decoder_t *decoder, const char *text,
                                     apr_size_t length);

/** The string has ended. @return as iimg_gemini_decoder_feed */
const char *iimg_gemini_decoder_end(iimg_gemini_decoder_t *decoder);

/** What a decoder wrote, all of it. @param spool of this pool @return NULL, or why there is no
 * picture */
const char *iimg_gemini_picture_open(apr_pool_t *pool, struct iimg_spool_t *spool,
                                     iimg_gemini_picture_t *picture);

/**
 * Decode a JSON string of base64, in one pass and some kilobytes of memory.
 * @param pool the picture ends with it
 * @param dir  where the file is made; see iimg_spool_create
 * @return NULL, or why there is no picture
 */
const char *iimg_gemini_picture_decode(apr_pool_t *pool, const char *dir,
                                       const iimg_http_response_t *response,
                                       const iimg_json_span_t *span,
                                       iimg_gemini_picture_t *picture);

#endif
