/* input.h - what a client sent: fields of a JSON object, of a form or of a query, read one way. */
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

/**
 * Read a request's body.
 * @param content_type the header, or NULL
 * @param body         must stay valid as long as the input is used
 * An empty body is an input without fields, whatever its type.
 * Errors: IIMG_UNSUPPORTED_TYPE; IIMG_INVALID ("JSON parse error - ...", "Multipart form parse
 * error - ...", a JSON body that is no object).
 */
iimg_error_t *iimg_input_parse(apr_pool_t *pool, const char *content_type, const char *body,
                               apr_size_t length, iimg_input_t **input);

/** Read a query string (without the '?'; NULL is empty). Errors: IIMG_INVALID. */
iimg_error_t *iimg_input_parse_query(apr_pool_t *pool, const char *query, iimg_input_t **input);

/* Fields: input_field.c ----------------------------------------------------------------------- */

/**
 * Call back for each field, in the order sent: with its name, then with its value: a text; a file's
 * bytes; "json", and canonical text. So a form and a JSON body that say the same are alike.
 * A field `password` is left out: no digest that is kept may tell one that is guessed.
 */
typedef void (*iimg_input_visitor_fn)(void *baton, const char *data, apr_size_t length);
void iimg_input_visit(const iimg_input_t *input, iimg_input_visitor_fn visit, void *baton);

/** The same for the secret fields alone: what comes of them must not be guessable. */
void iimg_input_visit_secrets(const iimg_input_t *input, iimg_input_visitor_fn visit, void *baton);

/** Whether the field is there, null included. */
bool iimg_input_has(const iimg_input_t *input, const char *name);

/** Whether the field is a text that is not empty. */
bool iimg_input_is_text(const iimg_input_t *input, const char *name);

/** How often the field is there. */
int iimg_input_count(const iimg_input_t *input, const char *name);

/** Whether the field is there and JSON null. */
bool iimg_input_is_null(const iimg_input_t *input, const char *name);

/* One value: input_value.c -------------------------------------------------------------------- */

/**
 * A text, trimmed, in Unicode's form NFC, so that equal-looking texts are stored and found as
 * equal.
 * @param max   most characters (not bytes) in that form
 * @param value NULL when absent
 * Errors: IIMG_INVALID naming the field: no text, null, too long, NUL inside, not UTF-8.
 */
iimg_error_t *iimg_input_text(const iimg_input_t *input, const char *name, apr_size_t max,
                              const char **value);

/** The same, not trimmed. */
iimg_error_t *iimg_input_text_raw(const iimg_input_t *input, const char *name, apr_size_t max,
                                  const char **value);

/** The same, with exactly the bytes that were sent: neither trimmed nor normalized. */
iimg_error_t *iimg_input_secret(const iimg_input_t *input, const char *name, apr_size_t max,
                                const char **value);

/** Most characters of a choice, and of an item of a list of words. */
#define IIMG_INPUT_MAX_WORD 100

/**
 * One of the words that are allowed (NULL at the end); else IIMG_INVALID that lists them.
 * @param value that word; untouched when absent
 */
iimg_error_t *iimg_input_choice(const iimg_input_t *input, const char *name,
                                const char *const *words, const char **value);

/** The same for an optional choice: null means absent. */
iimg_error_t *iimg_input_choice_if_any(const iimg_input_t *input, const char *name,
                                       const char *const *words, const char **value);

/** The error for a text that is none of the words allowed. */
iimg_error_t *iimg_input_not_a_choice(apr_pool_t *pool, const char *text, const char *const *words);

/**
 * An integer: a JSON integer, or a string of digits with an optional minus.
 * @param present false when absent or null: value is untouched
 */
iimg_error_t *iimg_input_integer(const iimg_input_t *input, const char *name, bool *present,
                                 long long *value);

/** true or false; from forms also 1, 0, yes, no, on, off. @param value untouched when absent */
iimg_error_t *iimg_input_bool(const iimg_input_t *input, const char *name, bool *value);

/** A UUID, given once. @param value lower case; NULL when absent, null or empty */
iimg_error_t *iimg_input_uuid(const iimg_input_t *input, const char *name, const char **value);

/**
 * A file field.
 * @param part NULL when there is none (absent, an ordinary text field, or sent without a name)
 * Errors: IIMG_INVALID when the field is there twice.
 */
iimg_error_t *iimg_input_file(const iimg_input_t *input, const char *name,
                              const iimg_part_t **part);

/* Members that may be absent: input_value.c --------------------------------------------------- */

/** What was sent for a member: nothing, null, or a text. */
typedef struct iimg_given_t {
    bool given;        /* false: absent */
    const char *value; /* NULL: null */
} iimg_given_t;

typedef struct iimg_given_bool_t {
    bool given;
    bool value;
} iimg_given_bool_t;

/**
 * Values that a member may have; without a flag, a present member must not be null or blank. With
 * IIMG_NULL_IS_BLANK null means an empty text.
 */
enum {
    IIMG_MAY_BE_BLANK = 1,
    IIMG_MAY_BE_NULL = 2,
    IIMG_NULL_IS_BLANK = 4
};

/**
 * An optional text, trimmed: null and an empty text both mean none.
 * @param value NULL when absent, "" when none
 */
iimg_error_t *iimg_input_optional(const iimg_input_t *input, const char *name, apr_size_t max,
                                  const char **value);

/** "This field is required." for each of the names (NULL at the end) that is absent. */
iimg_error_t *iimg_input_require(const iimg_input_t *input, const char *const *names);

/**
 * A text, trimmed, of at most max characters. Errors: as iimg_input_text; null, blank. After an
 * error there is no value.
 */
iimg_error_t *iimg_input_given(const iimg_input_t *input, const char *name, apr_size_t max,
                               int flags, iimg_given_t *given);

/** A UUID, lower case; blank is null. */
iimg_error_t *iimg_input_given_uuid(const iimg_input_t *input, const char *name, int flags,
                                    iimg_given_t *given);

/** As iimg_input_bool, but null is refused. */
iimg_error_t *iimg_input_given_bool(const iimg_input_t *input, const char *name,
                                    iimg_given_bool_t *given);

/* Lists: input_list.c ------------------------------------------------------------------------- */

/** A list of UUIDs: a JSON array, or comma-separated text. @param values NULL when absent or null
 */
iimg_error_t *iimg_input_uuids(const iimg_input_t *input, const char *name, int max,
                               apr_array_header_t **values);

/** A list of texts, trimmed, none empty: a JSON array, or text with commas. As iimg_input_uuids. */
iimg_error_t *iimg_input_words(const iimg_input_t *input, const char *name, int max,
                               apr_array_header_t **values);

/** Texts, trimmed, none blank: a JSON array, or a form's field as often as there are texts. */
iimg_error_t *iimg_input_texts(const iimg_input_t *input, const char *name, int max,
                               apr_size_t max_characters, apr_array_header_t **values);

#endif
