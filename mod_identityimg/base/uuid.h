/* uuid.h - UUIDs as text (RFC 9562). */
#ifndef IIMG_BASE_UUID_H
#define IIMG_BASE_UUID_H

#include <stdbool.h>
#include <apr_pools.h>

/** Length of a UUID's text, without the NUL. */
#define IIMG_UUID_LENGTH 36

/** Create a random (version 4) UUID. @return lower-case text */
const char *iimg_uuid_create(apr_pool_t *pool);

/**
 * Parse a UUID in either case.
 * @return the UUID in lower case; NULL when text is NULL or not a UUID
 */
const char *iimg_uuid_parse(apr_pool_t *pool, const char *text);

/** Whether text starts with a lower-case UUID. The rest is ignored. */
bool iimg_uuid_at(const char *text);

#endif
