/* array.h - parse and format PostgreSQL's text arrays: "{a,\"b c\"}". */
#ifndef IIMG_BASE_DB_ARRAY_H
#define IIMG_BASE_DB_ARRAY_H

#include <apr_tables.h>

/**
 * Parse a one-dimensional text array ("{a,\"b c\"}").
 * @return const char *, in order; empty for NULL and for no elements
 */
apr_array_header_t *iimg_db_array_parse(apr_pool_t *pool, const char *text);

/** Format a text array for a parameter. @param items const char *, none NULL */
const char *iimg_db_array_format(apr_pool_t *pool, const apr_array_header_t *items);

#endif
