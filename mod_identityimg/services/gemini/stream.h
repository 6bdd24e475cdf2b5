/* stream.h - reads a generateContent response while it comes: its last picture is decoded at its
 * end. */
#ifndef IIMG_SERVICES_GEMINI_STREAM_H
#define IIMG_SERVICES_GEMINI_STREAM_H

#include "base/http/http.h"
#include "base/json/cut.h"

/** Most bytes of a string in a response that are looked at: signatures are longer. */
#define IIMG_GEMINI_MAX_STRING 16384

/** Most bytes of a response without its pictures. */
#define IIMG_GEMINI_MAX_REST (1024 * 1024)

typedef struct iimg_gemini_follow_t iimg_gemini_follow_t;

/**
 * Begin; until the first piece comes it is a few bytes.
 * @param pool ends after the response @param dir where pictures are spooled; see iimg_spool_create
 */
iimg_gemini_follow_t *iimg_gemini_follow_create(apr_pool_t *pool, const char *dir);

/** The next piece of the body: an iimg_http_follow_fn. What goes wrong shows in what is not there.
 */
void iimg_gemini_follow(void *follow, const char *data, apr_size_t length);

/** @param follow or NULL @return the body without its pictures; NULL unless all of it was followed
 */
iimg_json_cut_t *iimg_gemini_follow_cut(const iimg_gemini_follow_t *follow, apr_size_t length);

/**
 * The picture that stands there, which is the caller's then.
 * @param follow or NULL
 * @return allocated from pool; NULL: it was not decoded, and nothing is known of it
 */
struct iimg_spool_t *iimg_gemini_follow_take(iimg_gemini_follow_t *follow, apr_pool_t *pool,
                                             const iimg_json_span_t *span);

#endif
