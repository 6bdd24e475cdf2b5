/* text.h - checks and small changes of text that strangers sent. */
#ifndef IIMG_TEXT_H
#define IIMG_TEXT_H

#include <stdbool.h>
#include <apr_pools.h>

/** Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL counts as valid. */
bool iimg_text_is_utf8(const char *text, apr_size_t length);

/** How many characters (code points) valid UTF-8 text has. */
apr_size_t iimg_text_characters(const char *text);

/** Text without the white space at its ends: ASCII's, and Unicode's as Python's str.strip takes it. */
const char *iimg_text_trim(apr_pool_t *pool, const char *text);

/**
 * A client's file name made safe for a key: the part behind the last slash or backslash without
 * its extension; lower case; every character that is not [a-z0-9_-] becomes '-'; at most 80.
 * @return "image" when nothing usable is left or filename is NULL
 */
const char *iimg_text_safe_name(apr_pool_t *pool, const char *filename);

#endif
