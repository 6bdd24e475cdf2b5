/* field.h - the fields of an input as sent. For base/input/ only.. */
#ifndef IIMG_BASE_INPUT_FIELD_H
#define IIMG_BASE_INPUT_FIELD_H

#include "base/input/input.h"
#include "base/json/json.h"

typedef struct iimg_field_t {
    const char *name;
    const char *data; /* text of a form's field, terminated by NUL */
    apr_size_t length;
    const json_t *json;      /* value of a JSON member, or NULL */
    const iimg_part_t *file; /* file of a form, or NULL */
} iimg_field_t;

struct iimg_input_t {
    apr_pool_t *pool;
    apr_array_header_t *fields;  /* iimg_field_t */
    apr_array_header_t *numbers; /* integers of a JSON body beyond 64 bits, as sent; or NULL */
};

/** @return the last field of that name, like Django's QueryDict; NULL when there is none */
const iimg_field_t *iimg_field_find(const iimg_input_t *input, const char *name);

/** Make an IIMG_INVALID error that names the field. */
iimg_error_t *iimg_field_refuse(const iimg_input_t *input, const char *name, const char *sentence);

/** Get the text of a field. @return NULL, or a sentence that says why it has none */
const char *iimg_field_text(const iimg_field_t *field, const char **text, apr_size_t *length);

/** Check that a text is UTF-8 without NUL. */
iimg_error_t *iimg_field_check_text(const iimg_input_t *input, const char *name, const char *text,
                                    apr_size_t length);

/** Normalize a checked text to form NFC, then check its length. Errors: IIMG_INVALID. */
iimg_error_t *iimg_field_normalize(const iimg_input_t *input, const char *name, apr_size_t max,
                                   const char **text);

/** Check the length of a text, in characters. Errors: IIMG_INVALID. */
iimg_error_t *iimg_field_check_length(const iimg_input_t *input, const char *name, const char *text,
                                      apr_size_t max);

/** Read a UUID in lower case. @param text NULL for a value that is not a text */
iimg_error_t *iimg_field_read_uuid(const iimg_input_t *input, const char *name, const char *text,
                                   apr_size_t length, const char **value);

#endif
