/* text.h - check and change text from clients. */
#ifndef IIMG_BASE_TEXT_H
#define IIMG_BASE_TEXT_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>

/** Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL is valid. */
bool iimg_text_is_utf8(const char *text, apr_size_t length);

/** Count the characters (code points) of valid UTF-8. */
apr_size_t iimg_text_characters(const char *text);

/** Longest sequence of combining marks that is normalized. Unicode's stream-safe format (UAX #15,
 * 13) allows 30. */
#define IIMG_TEXT_MAX_MARKS 64

/**
 * Normalize valid UTF-8 to Unicode's form NFC, so that equal-looking texts are equal.
 * @return the same text when it is normalized already, or has more than IIMG_TEXT_MAX_MARKS
 * combining marks in a row, which would take quadratic time
 */
const char *iimg_text_nfc(apr_pool_t *pool, const char *text);

/** Remove white space at both ends, as Python's str.strip does. */
const char *iimg_text_trim(apr_pool_t *pool, const char *text);

/** Split text at white space, as in iimg_text_trim. @return const char *, in order */
apr_array_header_t *iimg_text_words(apr_pool_t *pool, const char *text);

/**
 * Whether text has the form of an email address: one '@' with text on both sides, no white space,
 * no control characters, none of `"(),:;<>[\]`, and no leading, trailing or double dot in the
 * domain.
 */
bool iimg_text_is_email(const char *text);

/**
 * Make a client's file name safe for a key: the part after the last slash or backslash, without
 * extension, in lower case; each character outside [a-z0-9_-] becomes '-'; at most 80 characters.
 * @return "image" when no usable character remains, or filename is NULL
 */
const char *iimg_text_safe_name(apr_pool_t *pool, const char *filename);

#endif
