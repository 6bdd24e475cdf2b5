/* uuid.h - UUIDs as text (RFC 9562). */
#ifndef IIMG_BASE_UUID_H
#define IIMG_BASE_UUID_H

#include <stdbool.h>
#include <apr_pools.h>

/** Length of a UUID's text, without the NUL. */
#define IIMG_UUID_LENGTH 36

/** Make a random (version 4) UUID. @return lower-case text */
const char *iimg_uuid_create(apr_pool_t *pool);

/**
 * Read a UUID in its usual text form, in any case.
 * @return it in lower case; NULL when text is NULL or no UUID
 */
const char *iimg_uuid_parse(apr_pool_t *pool, const char *text);

/** Whether the first IIMG_UUID_LENGTH bytes are a lower-case UUID; what follows is not looked at.
 */
bool iimg_uuid_at(const char *text);

#endif
