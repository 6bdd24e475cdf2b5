/* timestamp.h - format and parse times: ISO 8601 in UTC. */
#ifndef IIMG_BASE_TIMESTAMP_H
#define IIMG_BASE_TIMESTAMP_H

#include <apr_pools.h>
#include <apr_time.h>

/**
 * Convert PostgreSQL's timestamptz text (time zone UTC, DateStyle ISO: "2026-11-22 01:02:03.4+00")
 * to "2026-11-22T01:02:03.400000Z".
 * @return NULL for NULL; the same text when it has another form ("infinity")
 */
const char *iimg_timestamp_format(apr_pool_t *pool, const char *text);

/**
 * Parse ISO 8601 in UTC ("2026-01-31T12:00:00.000Z"), in whole seconds.
 * @return 0 when the text is NULL or has another form
 */
apr_time_t iimg_timestamp_parse(const char *text);

#endif
