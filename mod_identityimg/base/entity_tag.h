/* entity_tag.h - ETags of versioned rows, If-Match, If-None-Match (RFC 9110, 8.8.3 and 13.1). */
#ifndef IIMG_BASE_ENTITY_TAG_H
#define IIMG_BASE_ENTITY_TAG_H

#include <stdbool.h>
#include <apr_pools.h>

/**
 * Make the tag of a representation: "<version>.<window>", with quotes.
 * @param version changes with the row: digits, or letters of a hash
 * @param window  changes with the URLs in the representation, see iimg_media_window
 */
const char *iimg_entity_tag(apr_pool_t *pool, const char *version, apr_int64_t window);

/**
 * Whether If-None-Match names the tag. The comparison is weak. The suffixes -gzip, -br and -zstd
 * of compressing servers are ignored. "*" names all tags.
 * @param header the field's value; NULL never matches
 */
bool iimg_entity_tag_matches(const char *header, const char *tag);

/**
 * Whether If-Match names the version of a row. The window is ignored, since expired URLs are not a
 * change. Weak tags and suffixes are accepted: compressing servers make them, and the version of
 * the row is the same.
 * @param header the field's value; NULL and "*" name every version
 */
bool iimg_entity_tag_has_version(const char *header, const char *version);

#endif
