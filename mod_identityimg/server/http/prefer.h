/* prefer.h - the header Prefer (RFC 7240): whether, and how long, a client wants to wait. */
#ifndef IIMG_SERVER_HTTP_PREFER_H
#define IIMG_SERVER_HTTP_PREFER_H

#include <stdbool.h>
#include <apr_pools.h>

typedef struct iimg_prefer_t {
    bool respond_async; /* "respond-async" */
    int wait;           /* seconds of "wait=N"; -1: absent or malformed */
} iimg_prefer_t;

/** Longer waits count as this one. */
#define IIMG_PREFER_MAX 86400

/**
 * Parse the header. The first of two equal preferences counts; unknown and malformed ones are
 * ignored (section 2).
 * @param header several lines of it joined by commas; NULL: absent
 */
void iimg_prefer_parse(apr_pool_t *pool, const char *header, iimg_prefer_t *prefer);

#endif
