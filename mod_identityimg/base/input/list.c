/* list.c - read a field as a list: a JSON array, text with commas, a repeated field. */
#include "base/input/input.h"

#include <string.h>
#include <apr_strings.h>
#include "base/input/field.h"
#include "base/text.h"

static iimg_error_t *read_word(const iimg_input_t *input, const char *name, const char *text,
                               apr_size_t length, const char **value)
{
    iimg_error_t *err = text ? iimg_field_check_text(input, name, text, length)
                             : iimg_field_refuse(input, name, "Not a valid string.");

    if (err) {
        return err;
    }
    *value = iimg_text_trim(input->pool, text);
    return **value ? iimg_field_normalize(input, name, IIMG_INPUT_MAX_WORD, value)
                   : iimg_field_refuse(input, name, "This field may not be blank.");
}

/* The items of a list. */
typedef struct list_kind_t {
    const char *items; /* "UUIDs" */
    /* Read an item; text is NULL for a value that is not a text. */
    iimg_error_t *(*read)(const iimg_input_t *input, const char *name, const char *text,
                          apr_size_t length, const char **value);
} list_kind_t;

static const list_kind_t uuid_list = { "UUIDs", iimg_field_read_uuid };
static const list_kind_t word_list = { "texts", read_word };

static iimg_error_t *read_json_items(const iimg_input_t *input, const char *name,
                                     const list_kind_t *kind, const json_t *list,
                                     apr_array_header_t *values)
{
    iimg_error_t *err = NULL;

    for (size_t i = 0; !err && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        err = kind->read(input, name, json_string_value(item), json_string_length(item),
                         apr_array_push(values));
    }
    return err;
}

static iimg_error_t *read_text_items(const iimg_input_t *input, const char *name,
                                     const list_kind_t *kind, const char *text,
                                     apr_array_header_t *values)
{
    char *state = NULL, *copy = apr_pstrdup(input->pool, text);
    iimg_error_t *err = NULL;

    for (char *item = apr_strtok(copy, ",", &state); item && !err;
         item = apr_strtok(NULL, ",", &state)) {
        err = kind->read(input, name, item, strlen(item), apr_array_push(values));
    }
    return err;
}

static iimg_error_t *read_list(const iimg_input_t *input, const char *name, const list_kind_t *kind,
                               int max, apr_array_header_t **values)
{
    const iimg_field_t *field = iimg_field_find(input, name);
    iimg_error_t *err;

    *values = NULL;
    if (!field || (field->json && json_is_null(field->json))) {
        return NULL;
    }
    if (field->file || (field->json && !json_is_array(field->json))) {
        return iimg_field_refuse(input, name,
                                 apr_psprintf(input->pool, "Expected a list of %s.", kind->items));
    }
    if (field->json && json_array_size(field->json) > (size_t)max) {
        return iimg_field_refuse(input, name, apr_psprintf(input->pool, "At most %d items.", max));
    }
    *values = apr_array_make(input->pool, max, sizeof(const char *));
    err = field->json ? read_json_items(input, name, kind, field->json, *values)
                      : read_text_items(input, name, kind, field->data, *values);
    if (err) {
        return err;
    }
    return (*values)->nelts > max
               ? iimg_field_refuse(input, name, apr_psprintf(input->pool, "At most %d items.", max))
               : NULL;
}

iimg_error_t *iimg_input_uuids(const iimg_input_t *input, const char *name, int max,
                               apr_array_header_t **values)
{
    return read_list(input, name, &uuid_list, max, values);
}

iimg_error_t *iimg_input_words(const iimg_input_t *input, const char *name, int max,
                               apr_array_header_t **values)
{
    return read_list(input, name, &word_list, max, values);
}

static iimg_error_t *add_text(const iimg_input_t *input, const char *name, const char *text,
                              apr_size_t length, apr_size_t max_characters,
                              apr_array_header_t *values)
{
    iimg_error_t *err = text ? iimg_field_check_text(input, name, text, length)
                             : iimg_field_refuse(input, name, "Not a valid string.");

    if (err) {
        return err;
    }
    text = iimg_text_trim(input->pool, text);
    if (!*text) {
        return iimg_field_refuse(input, name, "This field may not be blank.");
    }
    err = iimg_field_normalize(input, name, max_characters, &text);
    APR_ARRAY_PUSH(values, const char *) = text;
    return err;
}

static iimg_error_t *read_form_texts(const iimg_input_t *input, const char *name,
                                     apr_size_t max_characters, apr_array_header_t *values)
{
    iimg_error_t *err = NULL;

    for (int i = 0; !err && i < input->fields->nelts; i++) {
        const iimg_field_t *field = &APR_ARRAY_IDX(input->fields, i, iimg_field_t);

        if (strcmp(field->name, name) == 0) {
            err = add_text(input, name, field->data, field->length, max_characters, values);
        }
    }
    return err;
}

static iimg_error_t *read_json_texts(const iimg_input_t *input, const char *name,
                                     const json_t *list, apr_size_t max_characters,
                                     apr_array_header_t *values)
{
    iimg_error_t *err = NULL;

    for (size_t i = 0; !err && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        err = add_text(input, name, json_string_value(item), json_string_length(item),
                       max_characters, values);
    }
    return err;
}

iimg_error_t *iimg_input_texts(const iimg_input_t *input, const char *name, int max,
                               apr_size_t max_characters, apr_array_header_t **values)
{
    const iimg_field_t *field = iimg_field_find(input, name);
    apr_size_t count;

    *values = NULL;
    if (!field) {
        return NULL;
    }
    if (field->json && json_is_null(field->json)) {
        return iimg_field_refuse(input, name, "This field may not be null.");
    }
    if (field->json && !json_is_array(field->json)) {
        return iimg_field_refuse(input, name, "Expected a list of texts.");
    }
    count = field->json ? json_array_size(field->json) : (apr_size_t)iimg_input_count(input, name);
    if (count > (apr_size_t)max) {
        return iimg_field_refuse(input, name, apr_psprintf(input->pool, "At most %d items.", max));
    }
    *values = apr_array_make(input->pool, (int)count + 1, sizeof(const char *));
    if (count == 1 && field->data && field->length == 0) {
        return NULL; /* an empty list in a form */
    }
    return field->json ? read_json_texts(input, name, field->json, max_characters, *values)
                       : read_form_texts(input, name, max_characters, *values);
}
