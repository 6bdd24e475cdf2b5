/* entity_tag.h - ETags of versioned rows, and the lists of them in conditions (RFC
 * 9110, 8.8.3, 13.1). */
#ifndef IIMG_BASE_ENTITY_TAG_H
#define IIMG_BASE_ENTITY_TAG_H

#include <stdbool.h>
#include <apr_pools.h>

/**
 * The tag of a representation: "<version>.<window>", quotes included.
 * @param version what changes with the row: digits, or letters of a hash
 * @param window  what changes with the URLs within, see iimg_media_window
 */
const char *iimg_entity_tag(apr_pool_t *pool, const char *version, apr_int64_t window);

/**
 * Whether a client's If-None-Match names the tag. The comparison is weak. Suffixes -gzip, -br
 * and -zstd, which compressing servers add to a tag, are ignored. "*" names all.
 * @param header the field's value; NULL never matches
 */
bool iimg_entity_tag_matches(const char *header, const char *tag);

/**
 * Whether a client's If-Match names a row's version. The window behind it and suffixes are ignored:
 * URLs that expired are no change. A weak tag names its version as well: servers that compress
 * answers weaken tags, while a version of a row stays one whatever its representation.
 * @param header the field's value; NULL and "*" name every version
 */
bool iimg_entity_tag_has_version(const char *header, const char *version);

#endif
