/* field.c - find, check and visit the fields of an input. */
#include "base/input/field.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "base/text.h"
#include "base/uuid.h"

const iimg_field_t *iimg_field_find(const iimg_input_t *input, const char *name)
{
    for (int i = input->fields->nelts - 1; i >= 0; i--) {
        const iimg_field_t *field = &APR_ARRAY_IDX(input->fields, i, iimg_field_t);

        if (strcmp(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}

bool iimg_input_has(const iimg_input_t *input, const char *name)
{
    return iimg_field_find(input, name) != NULL;
}

bool iimg_input_is_text(const iimg_input_t *input, const char *name)
{
    const iimg_field_t *field = iimg_field_find(input, name);

    if (!field || field->file) {
        return false;
    }
    return field->json ? json_is_string(field->json) && json_string_length(field->json) > 0
                       : field->length > 0;
}

int iimg_input_count(const iimg_input_t *input, const char *name)
{
    int count = 0;

    for (int i = 0; i < input->fields->nelts; i++) {
        count += strcmp(APR_ARRAY_IDX(input->fields, i, iimg_field_t).name, name) == 0;
    }
    return count;
}

bool iimg_input_is_null(const iimg_input_t *input, const char *name)
{
    const iimg_field_t *field = iimg_field_find(input, name);

    return field && field->json && json_is_null(field->json);
}

iimg_error_t *iimg_field_refuse(const iimg_input_t *input, const char *name, const char *sentence)
{
    return iimg_error_invalid_field(input->pool, name, NULL, "%s", sentence);
}

const char *iimg_field_text(const iimg_field_t *field, const char **text, apr_size_t *length)
{
    if (field->file) {
        return "Not a valid string.";
    }
    if (!field->json) {
        *text = field->data;
        *length = field->length;
        return NULL;
    }
    if (json_is_null(field->json)) {
        return "This field may not be null.";
    }
    if (!json_is_string(field->json)) {
        return "Not a valid string.";
    }
    *text = json_string_value(field->json);
    *length = json_string_length(field->json);
    return NULL;
}

iimg_error_t *iimg_field_check_text(const iimg_input_t *input, const char *name, const char *text,
                                    apr_size_t length)
{
    if (memchr(text, '\0', length)) {
        return iimg_field_refuse(input, name, "Null characters are not allowed.");
    }
    return iimg_text_is_utf8(text, length) ? NULL
                                           : iimg_field_refuse(input, name, "Not a valid string.");
}

iimg_error_t *iimg_field_check_length(const iimg_input_t *input, const char *name, const char *text,
                                      apr_size_t max)
{
    if (iimg_text_characters(text) <= max) {
        return NULL;
    }
    return iimg_field_refuse(
        input, name,
        apr_psprintf(input->pool,
                     "Ensure this field has no more than %" APR_SIZE_T_FMT " characters.", max));
}

/* Most characters that one character of NFC replaces: longer texts cannot fit. */
#define MOST_DECOMPOSED 4

iimg_error_t *iimg_field_normalize(const iimg_input_t *input, const char *name, apr_size_t max,
                                   const char **text)
{
    iimg_error_t *err = iimg_field_check_length(input, name, *text, MOST_DECOMPOSED * max);

    if (err) {
        return iimg_field_check_length(input, name, *text, max);
    }
    *text = iimg_text_nfc(input->pool, *text);
    return iimg_field_check_length(input, name, *text, max);
}

iimg_error_t *iimg_field_read_uuid(const iimg_input_t *input, const char *name, const char *text,
                                   apr_size_t length, const char **value)
{
    text = iimg_text_trim(input->pool, text ? text : "");
    *value = memchr(text, '\0', length) ? NULL : iimg_uuid_parse(input->pool, text);
    return *value ? NULL : iimg_field_refuse(input, name, "Must be a valid UUID.");
}

/* Visiting ------------------------------------------------------------------------------------ */

static void visit_value(const iimg_field_t *field, iimg_input_visitor_fn visit, void *baton)
{
    char *text;

    if (field->file) {
        visit(baton, field->file->data, field->file->length);
    }
    else if (json_is_string(field->json)) {
        visit(baton, json_string_value(field->json), json_string_length(field->json));
    }
    else if (field->json) {
        visit(baton, "json", strlen("json")); /* distinguishes null from the text "null" */
        text = json_dumps(field->json, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT);
        visit(baton, text ? text : "", text ? strlen(text) : 0);
        free(text);
    }
    else {
        visit(baton, field->data, field->length);
    }
}

static void visit_fields(const iimg_input_t *input, bool secret, iimg_input_visitor_fn visit,
                         void *baton)
{
    for (int i = 0; i < input->fields->nelts; i++) {
        const iimg_field_t *field = &APR_ARRAY_IDX(input->fields, i, iimg_field_t);

        if ((strcmp(field->name, "password") == 0) == secret) {
            visit(baton, field->name, strlen(field->name));
            visit_value(field, visit, baton);
        }
    }
}

void iimg_input_visit(const iimg_input_t *input, iimg_input_visitor_fn visit, void *baton)
{
    visit_fields(input, false, visit, baton);
}

void iimg_input_visit_secrets(const iimg_input_t *input, iimg_input_visitor_fn visit, void *baton)
{
    visit_fields(input, true, visit, baton);
    for (int i = 0; input->numbers && i < input->numbers->nelts;
         i++) { /* may belong to a password */
        const char *number = APR_ARRAY_IDX(input->numbers, i, const char *);

        visit(baton, number, strlen(number));
    }
}
