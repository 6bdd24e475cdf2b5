/* picture.h - decodes a picture, base64 in the JSON of a response, into a file. */
#ifndef IIMG_SERVICES_GEMINI_PICTURE_H
#define IIMG_SERVICES_GEMINI_PICTURE_H

#include <stdbool.h>
#include "base/http/http.h"
#include "base/json/cut.h"
#include "base/base64.h"

/**
 * Read bytes of a response's body, from memory or from its spool.
 * @return bytes read; 0 at the end
 */
apr_size_t iimg_gemini_body_read(const iimg_http_response_t *response, apr_size_t offset,
                                 void *buffer, apr_size_t size);

/** State of unescaping: JSON may write "/" as "\/", and any character as \u and four digits. */
typedef struct iimg_gemini_unescape_t {
    int step; /* 0: plain, 1: after a backslash, 2 to 5: before a digit */
    unsigned int code;
} iimg_gemini_unescape_t;

/** A decoded picture, mapped from a file. */
typedef struct iimg_gemini_picture_t {
    const char *data;
    apr_size_t length;
    struct iimg_spool_t *spool; /* the file */
    bool no_room;               /* no picture because this machine has no room for it */
} iimg_gemini_picture_t;

/** Decodes a JSON string of base64 piece by piece. Set `to`, zero the rest. */
typedef struct iimg_gemini_decoder_t {
    iimg_base64_t base64;
    iimg_gemini_unescape_t escapes;
    struct iimg_spool_t *to; /* receives the bytes */
} iimg_gemini_decoder_t;

/** Decode the next piece. @return NULL, or what is wrong; to->error is set if the file failed */
const char *iimg_gemini_decoder_feed(iimg_gemini_decoder_t *decoder, const char *text,
                                     apr_size_t length);

/** Finish after the last piece. @return as iimg_gemini_decoder_feed */
const char *iimg_gemini_decoder_end(iimg_gemini_decoder_t *decoder);

/** Map the picture that a decoder wrote. @param spool of this pool @return NULL, or what is wrong
 */
const char *iimg_gemini_picture_open(apr_pool_t *pool, struct iimg_spool_t *spool,
                                     iimg_gemini_picture_t *picture);

/**
 * Decode a JSON string of base64 in one pass, with some kilobytes of memory.
 * @param pool owns the picture
 * @param dir  of the file; see iimg_spool_create
 * @return NULL, or what is wrong
 */
const char *iimg_gemini_picture_decode(apr_pool_t *pool, const char *dir,
                                       const iimg_http_response_t *response,
                                       const iimg_json_span_t *span,
                                       iimg_gemini_picture_t *picture);

#endif
