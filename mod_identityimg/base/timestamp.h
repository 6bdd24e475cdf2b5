/* timestamp.h - times as clients see them: ISO 8601 in UTC with microseconds. */
#ifndef IIMG_TIMESTAMP_H
#define IIMG_TIMESTAMP_H

#include <apr_pools.h>

/**
 * Turn PostgreSQL's timestamptz text (session time zone UTC, DateStyle ISO: "2026-11-22
 * 01:02:03.4+00") into "2026-11-22T01:02:03.400000Z".
 * @return NULL for NULL; the text as it is when it has another form ("infinity")
 */
const char *iimg_timestamp_format(apr_pool_t *pool, const char *text);

#endif
