/* field.h - the fields of an input as they were sent: for those who read values of them. */
#ifndef IIMG_BASE_INPUT_FIELD_H
#define IIMG_BASE_INPUT_FIELD_H

#include "base/input/input.h"
#include "base/json/json.h"

typedef struct iimg_field_t {
    const char *name;
    const char *data; /* text of a form's field; NUL behind it */
    apr_size_t length;
    const json_t *json;      /* value of a JSON body's member; NULL elsewhere */
    const iimg_part_t *file; /* file of a form; NULL elsewhere */
} iimg_field_t;

struct iimg_input_t {
    apr_pool_t *pool;
    apr_array_header_t *fields; /* iimg_field_t */
    apr_array_header_t
        *numbers; /* of a JSON body, those that are too big, as they were written; or NULL */
};

/** @return the last field of that name, as Django's QueryDict has it; NULL when there is none */
const iimg_field_t *iimg_field_find(const iimg_input_t *input, const char *name);

/** @return IIMG_INVALID that names the field */
iimg_error_t *iimg_field_refuse(const iimg_input_t *input, const char *name, const char *sentence);

/** Find the field's text and length. @return NULL, or why it has none: a sentence */
const char *iimg_field_text(const iimg_field_t *field, const char **text, apr_size_t *length);

/** What a text of a client's must be, whatever it is for: UTF-8 without NUL. */
iimg_error_t *iimg_field_check_text(const iimg_input_t *input, const char *name, const char *text,
                                    apr_size_t length);

/**
 * Put a text that was checked into form NFC, then hold it to at most max characters.
 * Errors: IIMG_INVALID.
 */
iimg_error_t *iimg_field_normalize(const iimg_input_t *input, const char *name, apr_size_t max,
                                   const char **text);

/** At most max characters, not bytes. */
iimg_error_t *iimg_field_check_length(const iimg_input_t *input, const char *name, const char *text,
                                      apr_size_t max);

/** Read a UUID, lower case. @param text NULL when what was sent is no text */
iimg_error_t *iimg_field_read_uuid(const iimg_input_t *input, const char *name, const char *text,
                                   apr_size_t length, const char **value);

#endif
