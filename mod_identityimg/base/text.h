/* text.h - checks and small changes of text that strangers sent. */
#ifndef IIMG_BASE_TEXT_H
#define IIMG_BASE_TEXT_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>

/** Whether the bytes are UTF-8 (RFC 3629: no surrogates, no overlong forms). NUL counts as valid.
 */
bool iimg_text_is_utf8(const char *text, apr_size_t length);

/** How many characters (code points) valid UTF-8 text has. */
apr_size_t iimg_text_characters(const char *text);

/** Most combining marks in a row that are sorted: Unicode's stream-safe format (UAX #15, 13)
 * allows 30. */
#define IIMG_TEXT_MAX_MARKS 64

/**
 * Valid UTF-8 text in Unicode's form NFC, in which a letter with its marks is one character where
 * there is one. @return text itself when it is in that form, or when it has more than
 * IIMG_TEXT_MAX_MARKS combining marks in a row, whose sorting would take quadratic time
 */
const char *iimg_text_nfc(apr_pool_t *pool, const char *text);

/** Text without the white space at its ends: ASCII's, and Unicode's as Python's str.strip takes it.
 */
const char *iimg_text_trim(apr_pool_t *pool, const char *text);

/** The words between white space (as iimg_text_trim has it). @return const char *, in order */
apr_array_header_t *iimg_text_words(apr_pool_t *pool, const char *text);

/**
 * Whether text looks like an email address: something on each side of the only '@', no white space,
 * no control characters, none of `"(),:;<>[\]`, and no dot at an end of the domain or beside
 * another.
 */
bool iimg_text_is_email(const char *text);

/**
 * A client's file name made safe for a key: the part behind the last slash or backslash without
 * its extension; lower case; every character that is not [a-z0-9_-] becomes '-'; at most 80.
 * @return "image" when nothing usable is left or filename is NULL
 */
const char *iimg_text_safe_name(apr_pool_t *pool, const char *filename);

#endif
