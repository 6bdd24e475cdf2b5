/* stream.h - decodes the last picture of a generateContent response while the response arrives. */
#ifndef IIMG_SERVICES_GEMINI_STREAM_H
#define IIMG_SERVICES_GEMINI_STREAM_H

#include "base/http/http.h"
#include "base/json/cut.h"

/*
 * A call's request has a stream as its follower, which receives each piece of the body:
 *
 *     stream = iimg_gemini_stream_create(pool, dir);       before the request is sent
 *     iimg_gemini_stream_feed(stream, data, length);       for each piece, by base/http
 *     cut = iimg_gemini_stream_cut(stream, length);        after the response
 *     spool = iimg_gemini_stream_take_picture(stream, pool, span);
 *
 * Both results may be NULL. Then reply.c reads the spooled body again.
 */

/** Most bytes of a string in a response that is kept. Signatures, which are longer, are not. */
#define IIMG_GEMINI_MAX_STRING 16384

/** Most bytes of a response beside its pictures. */
#define IIMG_GEMINI_MAX_REST (1024 * 1024)

typedef struct iimg_gemini_stream_t iimg_gemini_stream_t;

/**
 * Create a stream. It needs a few bytes until the first piece arrives.
 * @param pool lives longer than the response
 * @param dir  where pictures are spooled; see iimg_spool_create
 */
iimg_gemini_stream_t *iimg_gemini_stream_create(apr_pool_t *pool, const char *dir);

/** Read the next piece of the body: an iimg_http_follow_fn. After an error the stream has no
 * results.
 */
void iimg_gemini_stream_feed(void *stream, const char *data, apr_size_t length);

/**
 * @param stream NULL: no result
 * @param length of the whole body
 * @return the body without its pictures; NULL if the stream has not read all of it
 */
iimg_json_cut_t *iimg_gemini_stream_cut(const iimg_gemini_stream_t *stream, apr_size_t length);

/**
 * Move the decoded picture of a span to the caller.
 * @param stream NULL: no result
 * @return allocated from pool; NULL if the stream has not decoded that span to its end
 */
struct iimg_spool_t *iimg_gemini_stream_take_picture(iimg_gemini_stream_t *stream, apr_pool_t *pool,
                                                     const iimg_json_span_t *span);

#endif
