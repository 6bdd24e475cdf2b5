/* timestamp.h - times as clients and stores write them: ISO 8601 in UTC. */
#ifndef IIMG_BASE_TIMESTAMP_H
#define IIMG_BASE_TIMESTAMP_H

#include <apr_pools.h>
#include <apr_time.h>

/**
 * Turn PostgreSQL's timestamptz text (session time zone UTC, DateStyle ISO: "2026-11-22
 * 01:02:03.4+00") into "2026-11-22T01:02:03.400000Z".
 * @return NULL for NULL; the text as it is when it has another form ("infinity")
 */
const char *iimg_timestamp_format(apr_pool_t *pool, const char *text);

/**
 * Read ISO 8601 in UTC ("2026-01-31T12:00:00.000Z"), to the second.
 * @return 0 when it is none, or NULL
 */
apr_time_t iimg_timestamp_parse(const char *text);

#endif
