/* value.c - read a field as a value: a text, a choice, a number, a boolean, a UUID, a file. */
#include "base/input/input.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include "base/input/field.h"
#include "base/text.h"

/* Read a text exactly as sent; NULL when absent. */
static iimg_error_t *read_bytes(const iimg_input_t *input, const char *name, const char **value)
{
    const iimg_field_t *field = iimg_field_find(input, name);
    const char *problem;
    apr_size_t length = 0;

    *value = NULL;
    if (!field) {
        return NULL;
    }
    problem = iimg_field_text(field, value, &length);
    return problem ? iimg_field_refuse(input, name, problem)
                   : iimg_field_check_text(input, name, *value, length);
}

iimg_error_t *iimg_input_text(const iimg_input_t *input, const char *name, apr_size_t max,
                              const char **value)
{
    iimg_error_t *err = read_bytes(input, name, value);

    if (err || !*value) {
        return err;
    }
    *value = iimg_text_trim(input->pool, *value);
    return iimg_field_normalize(input, name, max, value);
}

iimg_error_t *iimg_input_text_raw(const iimg_input_t *input, const char *name, apr_size_t max,
                                  const char **value)
{
    iimg_error_t *err = read_bytes(input, name, value);

    return err || !*value ? err : iimg_field_normalize(input, name, max, value);
}

iimg_error_t *iimg_input_secret(const iimg_input_t *input, const char *name, apr_size_t max,
                                const char **value)
{
    iimg_error_t *err = read_bytes(input, name, value);

    return err || !*value ? err : iimg_field_check_length(input, name, *value, max);
}

iimg_error_t *iimg_input_optional(const iimg_input_t *input, const char *name, apr_size_t max,
                                  const char **value)
{
    if (iimg_input_is_null(input, name)) {
        *value = "";
        return NULL;
    }
    return iimg_input_text(input, name, max, value);
}

iimg_error_t *iimg_input_not_a_choice(apr_pool_t *pool, const char *text, const char *const *words)
{
    const char *list = words[0];

    for (int i = 1; words[i]; i++) {
        list = apr_pstrcat(pool, list, ", ", words[i], NULL);
    }
    return iimg_error(pool, IIMG_INVALID, "\"%s\" is not a valid choice. Allowed: %s.", text, list);
}

iimg_error_t *iimg_input_choice(const iimg_input_t *input, const char *name,
                                const char *const *words, const char **value)
{
    const char *text;
    iimg_error_t *err = iimg_input_text(input, name, IIMG_INPUT_MAX_WORD, &text);

    if (err || !text) {
        return err;
    }
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *value = words[i];
            return NULL;
        }
    }
    return iimg_error_field(iimg_input_not_a_choice(input->pool, text, words), name);
}

iimg_error_t *iimg_input_choice_if_any(const iimg_input_t *input, const char *name,
                                       const char *const *words, const char **value)
{
    return iimg_input_is_null(input, name) ? NULL : iimg_input_choice(input, name, words, value);
}

static bool is_integer(const char *text)
{
    const char *p = text + (*text == '-');
    size_t digits = strspn(p, "0123456789");

    return digits > 0 && p[digits] == '\0';
}

iimg_error_t *iimg_input_integer(const iimg_input_t *input, const char *name, bool *present,
                                 long long *value)
{
    const iimg_field_t *field = iimg_field_find(input, name);
    const char *text = NULL;
    apr_size_t length = 0;

    *present = field && !(field->json && json_is_null(field->json));
    if (!*present) {
        return NULL;
    }
    if (field->json && json_is_integer(field->json)) {
        *value = json_integer_value(field->json);
        return NULL;
    }
    if (iimg_field_text(field, &text, &length) || strlen(text) != length
        || !is_integer(text = iimg_text_trim(input->pool, text))) {
        return iimg_field_refuse(input, name, "A valid integer is required.");
    }
    *value = strtoll(text, NULL, 10); /* saturates beyond the range, which callers refuse */
    return NULL;
}

iimg_error_t *iimg_input_bool(const iimg_input_t *input, const char *name, bool *value)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "true", true }, { "1", true },      { "yes", true }, { "on", true },
        { "t", true },    { "false", false }, { "0", false },  { "no", false },
        { "off", false }, { "f", false },     { "", false },
    };
    const iimg_field_t *field = iimg_field_find(input, name);

    if (!field) {
        return NULL;
    }
    if (field->json && json_is_boolean(field->json)) {
        *value = json_is_true(field->json);
        return NULL;
    }
    if (field->json && json_is_null(field->json)) {
        *value = false;
        return NULL;
    }
    for (size_t i = 0; field->data && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(field->data, words[i].word) == 0) {
            *value = words[i].value;
            return NULL;
        }
    }
    return iimg_field_refuse(input, name, "Must be a valid boolean.");
}

iimg_error_t *iimg_input_uuid(const iimg_input_t *input, const char *name, const char **value)
{
    const iimg_field_t *field = iimg_field_find(input, name);
    const char *text = NULL;
    apr_size_t length = 0;

    *value = NULL;
    if (!field || (field->json && json_is_null(field->json))) {
        return NULL;
    }
    if (iimg_input_count(input, name) > 1) { /* ambiguous */
        return iimg_field_refuse(input, name,
                                 apr_psprintf(input->pool, "Give %s once only.", name));
    }
    if (iimg_field_text(field, &text, &length)) {
        return iimg_field_refuse(input, name, "Must be a valid UUID.");
    }
    return length == 0 ? NULL : iimg_field_read_uuid(input, name, text, length, value);
}

/* Members that may be absent ------------------------------------------------------------------- */

iimg_error_t *iimg_input_require(const iimg_input_t *input, const char *const *names)
{
    iimg_error_t *err = NULL;

    for (; *names; names++) {
        if (!iimg_field_find(input, *names)) {
            err = iimg_error_join(err, iimg_field_refuse(input, *names, "This field is required."));
        }
    }
    return err;
}

iimg_error_t *iimg_input_given(const iimg_input_t *input, const char *name, apr_size_t max,
                               int flags, iimg_given_t *given)
{
    iimg_error_t *err;

    *given = (iimg_given_t){ .given = iimg_field_find(input, name) != NULL };
    if ((flags & (IIMG_MAY_BE_NULL | IIMG_NULL_IS_BLANK)) && iimg_input_is_null(input, name)) {
        given->value = flags & IIMG_NULL_IS_BLANK ? "" : NULL;
        return NULL;
    }
    err = iimg_input_text(input, name, max, &given->value);
    if (err) {
        given->value = NULL;
        return err;
    }
    if (given->value && !*given->value && !(flags & IIMG_MAY_BE_BLANK)) {
        given->value = NULL;
        return iimg_field_refuse(input, name, "This field may not be blank.");
    }
    return NULL;
}

iimg_error_t *iimg_input_given_uuid(const iimg_input_t *input, const char *name, int flags,
                                    iimg_given_t *given)
{
    iimg_error_t *err = iimg_input_uuid(input, name, &given->value);

    given->given = iimg_field_find(input, name) != NULL;
    if (err) {
        return err;
    }
    return given->given && !given->value && !(flags & IIMG_MAY_BE_NULL)
               ? iimg_field_refuse(input, name, "This field may not be null.")
               : NULL;
}

iimg_error_t *iimg_input_given_bool(const iimg_input_t *input, const char *name,
                                    iimg_given_bool_t *given)
{
    *given = (iimg_given_bool_t){ .given = iimg_field_find(input, name) != NULL };
    return iimg_input_is_null(input, name)
               ? iimg_field_refuse(input, name, "This field may not be null.")
               : iimg_input_bool(input, name, &given->value);
}

/* Files --------------------------------------------------------------------------------------- */

iimg_error_t *iimg_input_file(const iimg_input_t *input, const char *name, const iimg_part_t **part)
{
    *part = NULL;
    for (int i = 0; i < input->fields->nelts; i++) {
        const iimg_field_t *field = &APR_ARRAY_IDX(input->fields, i, iimg_field_t);

        if (strcmp(field->name, name) != 0 || !field->file) {
            continue;
        }
        if (*part) {
            return iimg_field_refuse(input, name, "Send one file only.");
        }
        *part = field->file;
    }
    /* Browsers send a file input without a chosen file as an empty name and no bytes. */
    if (*part && !*(*part)->filename && (*part)->length == 0) {
        *part = NULL;
    }
    return NULL;
}
