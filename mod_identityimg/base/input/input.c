/* input.c - parse a JSON object, a form or a query into fields. */
#include "base/input/input.h"

#include <string.h>
#include <strings.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include "base/input/field.h"
#include "base/json/number.h"
#include "base/text.h"

static iimg_input_t *create_input(apr_pool_t *pool)
{
    iimg_input_t *input = apr_pcalloc(pool, sizeof(*input));

    input->pool = pool;
    input->fields = apr_array_make(pool, 8, sizeof(iimg_field_t));
    return input;
}

static iimg_field_t *add_field(iimg_input_t *input, const char *name)
{
    iimg_field_t *field = apr_array_push(input->fields);

    memset(field, 0, sizeof(*field));
    field->name = name;
    return field;
}

/* JSON ---------------------------------------------------------------------------------------- */

static const char *json_kind(const json_t *json)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "dictionary", [JSON_ARRAY] = "list",    [JSON_STRING] = "str",
        [JSON_INTEGER] = "int",       [JSON_REAL] = "float",    [JSON_TRUE] = "bool",
        [JSON_FALSE] = "bool",        [JSON_NULL] = "NoneType",
    };

    return names[json_typeof(json)];
}

static iimg_error_t *parse_json(iimg_input_t *input, const char *body, apr_size_t length)
{
    json_error_t problem;
    json_t *json, *value;
    const char *name;

    body = iimg_json_clamp_numbers(input->pool, body, length, &input->numbers);
    json = iimg_json_own(input->pool,
                         json_loadb(body, length,
                                    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
                                    &problem));
    if (!json) {
        return iimg_error_with_code(
            input->pool, IIMG_INVALID, "parse_error", "JSON parse error - %s: line %d column %d",
            iimg_text_is_utf8(problem.text, strlen(problem.text)) ? problem.text : "not UTF-8",
            problem.line, problem.column);
    }
    if (!json_is_object(json)) {
        return iimg_error(input->pool, IIMG_INVALID,
                          "Invalid data. Expected a dictionary, but got %s.", json_kind(json));
    }
    json_object_foreach (json, name, value) {
        add_field(input, name)->json = value;
    }
    return NULL;
}

/* Forms --------------------------------------------------------------------------------------- */

static iimg_error_t *decode_text(iimg_input_t *input, const char *text, const char **out)
{
    char *decoded = apr_palloc(input->pool, strlen(text) + 1);
    apr_size_t length;

    switch (apr_unescape_url(decoded, text, APR_ESCAPE_STRING, NULL, NULL, 1, &length)) {
    case APR_SUCCESS:
    case APR_NOTFOUND: /* nothing was escaped */
        *out = strpbrk(text, "%+") ? decoded : text;
        return NULL;
    case APR_BADCH:
        return iimg_error(input->pool, IIMG_INVALID, "Null characters are not allowed.");
    default:
        return iimg_error(input->pool, IIMG_INVALID,
                          "The form has a percent sign that is not an escape.");
    }
}

static iimg_error_t *parse_pairs(iimg_input_t *input, char *text)
{
    char *state = NULL;

    for (char *pair = apr_strtok(text, "&", &state); pair; pair = apr_strtok(NULL, "&", &state)) {
        char *equals = strchr(pair, '=');
        const char *name, *value;
        iimg_error_t *err;
        iimg_field_t *field;

        if (equals) {
            *equals = '\0';
        }
        err = decode_text(input, pair, &name);
        if (err) {
            return err;
        }
        err = decode_text(input, equals ? equals + 1 : "", &value);
        if (err) {
            return err;
        }
        if (input->fields->nelts >= IIMG_INPUT_MAX_FIELDS) {
            return iimg_error(input->pool, IIMG_INVALID, "More than %d fields.",
                              IIMG_INPUT_MAX_FIELDS);
        }
        /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): set without error */
        field = add_field(input, name);
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): set without error */
        field->data = value;
        field->length = strlen(value);
    }
    return NULL;
}

static iimg_error_t *parse_urlencoded(iimg_input_t *input, const char *body, apr_size_t length)
{
    if (memchr(body, '\0', length)) {
        return iimg_error(input->pool, IIMG_INVALID, "Null characters are not allowed.");
    }
    return parse_pairs(input, apr_pstrmemdup(input->pool, body, length));
}

static iimg_error_t *parse_multipart(iimg_input_t *input, const char *content_type,
                                     const char *body, apr_size_t length)
{
    apr_array_header_t *parts;
    iimg_error_t *err = iimg_multipart_parse(input->pool, content_type, body, length, &parts);

    if (err) {
        return err;
    }
    for (int i = 0; i < parts->nelts; i++) {
        const iimg_part_t *part = &APR_ARRAY_IDX(parts, i, iimg_part_t);
        iimg_field_t *field = add_field(input, part->name);

        if (part->filename) {
            field->file = part;
        }
        else {
            field->data = apr_pstrmemdup(input->pool, part->data, part->length);
            field->length = part->length;
        }
    }
    return NULL;
}

static bool is_type(const char *content_type, const char *type)
{
    size_t n = strlen(type);

    return strncasecmp(content_type, type, n) == 0
           && (content_type[n] == '\0' || strchr("; \t,", content_type[n]));
}

iimg_error_t *iimg_input_parse(apr_pool_t *pool, const char *content_type, const char *body,
                               apr_size_t length, iimg_input_t **input)
{
    *input = create_input(pool);
    if (length == 0) {
        return NULL;
    }
    content_type = content_type ? content_type : "";
    if (is_type(content_type, "application/json")) {
        return parse_json(*input, body, length);
    }
    if (is_type(content_type, "application/x-www-form-urlencoded")) {
        return parse_urlencoded(*input, body, length);
    }
    if (is_type(content_type, "multipart/form-data")) {
        return parse_multipart(*input, content_type, body, length);
    }
    return iimg_error(pool, IIMG_UNSUPPORTED_TYPE, "Unsupported media type \"%s\" in request.",
                      content_type);
}

iimg_error_t *iimg_input_parse_query(apr_pool_t *pool, const char *query, iimg_input_t **input)
{
    *input = create_input(pool);
    return query ? parse_pairs(*input, apr_pstrdup(pool, query)) : NULL;
}
