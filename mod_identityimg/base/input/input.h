/* input.h - the fields of a request: a JSON object, a form or a query. */
#ifndef IIMG_BASE_INPUT_INPUT_H
#define IIMG_BASE_INPUT_INPUT_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "base/error.h"
#include "base/input/multipart.h"

typedef struct iimg_input_t iimg_input_t;

/** Most fields that a form or a query may have. */
#define IIMG_INPUT_MAX_FIELDS 1000

/*
 *   err = iimg_input_parse(pool, content_type, body, length, &input);
 *   err = iimg_input_require(input, names);
 *   err = iimg_error_join(err, iimg_input_text(input, "name", 255, &name));   one for each field
 */

/**
 * Parse a request's body.
 * @param content_type the header, or NULL
 * @param body         must stay valid as long as the input is used
 * An empty body of any type has no fields.
 * Errors: IIMG_UNSUPPORTED_TYPE; IIMG_INVALID ("JSON parse error - ...", "Multipart form parse
 * error - ...", a JSON body that is not an object).
 */
iimg_error_t *iimg_input_parse(apr_pool_t *pool, const char *content_type, const char *body,
                               apr_size_t length, iimg_input_t **input);

/** Parse a query string (without the '?'; NULL is empty). Errors: IIMG_INVALID. */
iimg_error_t *iimg_input_parse_query(apr_pool_t *pool, const char *query, iimg_input_t **input);

/* Fields: field.c ----------------------------------------------------------------------------- */

/**
 * Visit each field in the order sent: its name, then its value. A value is a text, the bytes of a
 * file, or "json" and canonical JSON, so that equivalent forms and JSON bodies give the same bytes.
 * A field `password` is skipped: a stored digest must not confirm a guessed password.
 */
typedef void (*iimg_input_visitor_fn)(void *baton, const char *data, apr_size_t length);
void iimg_input_visit(const iimg_input_t *input, iimg_input_visitor_fn visit, void *baton);

/** Visit the secret fields only. The caller must not store a digest of them without a key. */
void iimg_input_visit_secrets(const iimg_input_t *input, iimg_input_visitor_fn visit, void *baton);

/** Whether the field is present; it may be null. */
bool iimg_input_has(const iimg_input_t *input, const char *name);

/** Whether the field is a non-empty text. */
bool iimg_input_is_text(const iimg_input_t *input, const char *name);

/** Count the occurrences of a field. */
int iimg_input_count(const iimg_input_t *input, const char *name);

/** Whether the field is JSON null. */
bool iimg_input_is_null(const iimg_input_t *input, const char *name);

/* Values: value.c ----------------------------------------------------------------------------- */

/**
 * Read a text, trimmed and normalized to Unicode's form NFC, so that equal-looking texts are equal.
 * @param max   most characters (not bytes) of the result
 * @param value NULL when absent
 * Errors: IIMG_INVALID naming the field: not a text, null, too long, NUL inside, not UTF-8.
 */
iimg_error_t *iimg_input_text(const iimg_input_t *input, const char *name, apr_size_t max,
                              const char **value);

/** Read a text without trimming. */
iimg_error_t *iimg_input_text_raw(const iimg_input_t *input, const char *name, apr_size_t max,
                                  const char **value);

/** Read a text exactly as sent: not trimmed, not normalized. */
iimg_error_t *iimg_input_secret(const iimg_input_t *input, const char *name, apr_size_t max,
                                const char **value);

/** Most characters of a choice, and of an item in a list of words. */
#define IIMG_INPUT_MAX_WORD 100

/**
 * Read one of the allowed words (terminated by NULL). The error for other texts lists them.
 * @param value the word of the table; unchanged when absent
 */
iimg_error_t *iimg_input_choice(const iimg_input_t *input, const char *name,
                                const char *const *words, const char **value);

/** Read an optional choice: null means absent. */
iimg_error_t *iimg_input_choice_if_any(const iimg_input_t *input, const char *name,
                                       const char *const *words, const char **value);

/** Make the error for a text that is not one of the words. */
iimg_error_t *iimg_input_not_a_choice(apr_pool_t *pool, const char *text, const char *const *words);

/**
 * Read an integer: a JSON integer, or a string of digits with an optional minus.
 * @param present false when absent or null: value is unchanged
 */
iimg_error_t *iimg_input_integer(const iimg_input_t *input, const char *name, bool *present,
                                 long long *value);

/** Read true or false; in forms also 1, 0, yes, no, on, off. @param value unchanged when absent */
iimg_error_t *iimg_input_bool(const iimg_input_t *input, const char *name, bool *value);

/** Read a UUID that is given once. @param value lower case; NULL when absent, null or empty */
iimg_error_t *iimg_input_uuid(const iimg_input_t *input, const char *name, const char **value);

/**
 * Read a file.
 * @param part NULL when absent, an ordinary text field, or empty without a name
 * Errors: IIMG_INVALID when the field is present twice.
 */
iimg_error_t *iimg_input_file(const iimg_input_t *input, const char *name,
                              const iimg_part_t **part);

/* Optional members: value.c ------------------------------------------------------------------- */

/** The value of an optional member: absent, null, or a text. */
typedef struct iimg_given_t {
    bool given;        /* false: absent */
    const char *value; /* NULL: null */
} iimg_given_t;

typedef struct iimg_given_bool_t {
    bool given;
    bool value;
} iimg_given_bool_t;

/**
 * Allowed values of a member. Without a flag, a present member must not be null or blank.
 * IIMG_NULL_IS_BLANK reads null as an empty text.
 */
enum {
    IIMG_MAY_BE_BLANK = 1,
    IIMG_MAY_BE_NULL = 2,
    IIMG_NULL_IS_BLANK = 4
};

/**
 * Read an optional text, trimmed.
 * @param value NULL when absent, "" when null or empty
 */
iimg_error_t *iimg_input_optional(const iimg_input_t *input, const char *name, apr_size_t max,
                                  const char **value);

/** Report "This field is required." for each absent name (terminated by NULL). */
iimg_error_t *iimg_input_require(const iimg_input_t *input, const char *const *names);

/**
 * Read a text, trimmed, of at most max characters. Errors: as iimg_input_text; null, blank. After
 * an error the value is NULL.
 */
iimg_error_t *iimg_input_given(const iimg_input_t *input, const char *name, apr_size_t max,
                               int flags, iimg_given_t *given);

/** Read a UUID in lower case; blank is null. */
iimg_error_t *iimg_input_given_uuid(const iimg_input_t *input, const char *name, int flags,
                                    iimg_given_t *given);

/** Read a boolean as iimg_input_bool does, but refuse null. */
iimg_error_t *iimg_input_given_bool(const iimg_input_t *input, const char *name,
                                    iimg_given_bool_t *given);

/* Lists: list.c ------------------------------------------------------------------------------- */

/**
 * Read a list of UUIDs: a JSON array, or comma-separated text.
 * @param values NULL when absent or null
 */
iimg_error_t *iimg_input_uuids(const iimg_input_t *input, const char *name, int max,
                               apr_array_header_t **values);

/** Read a list of words, trimmed and not empty, as iimg_input_uuids does. */
iimg_error_t *iimg_input_words(const iimg_input_t *input, const char *name, int max,
                               apr_array_header_t **values);

/** Read texts, trimmed and not blank: a JSON array, or a repeated field of a form. */
iimg_error_t *iimg_input_texts(const iimg_input_t *input, const char *name, int max,
                               apr_size_t max_characters, apr_array_header_t **values);

#endif
