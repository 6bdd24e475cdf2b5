/* input.c - what a client sent: fields of a JSON object, of a form or of a query, read one way. */
#include "base/input.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include "base/json.h"
#include "base/text.h"
#include "base/uuid.h"

typedef struct field_t {
    const char *name;
    const char *data;           /* text of a form's field; NUL behind it */
    apr_size_t length;
    const json_t *json;         /* value of a JSON body's member; NULL elsewhere */
    const iimg_part_t *file;    /* file of a form; NULL elsewhere */
} field_t;

struct iimg_input_t {
    apr_pool_t *pool;
    apr_array_header_t *fields; /* field_t */
};

static iimg_input_t *create(apr_pool_t *pool)
{
    iimg_input_t *input = apr_palloc(pool, sizeof(*input));

    input->pool = pool;
    input->fields = apr_array_make(pool, 8, sizeof(field_t));
    return input;
}

static field_t *add(iimg_input_t *input, const char *name)
{
    field_t *field = apr_array_push(input->fields);

    memset(field, 0, sizeof(*field));
    field->name = name;
    return field;
}

/* JSON ---------------------------------------------------------------------------------------- */

static const char *json_kind(const json_t *json)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "dictionary", [JSON_ARRAY] = "list", [JSON_STRING] = "str",
        [JSON_INTEGER] = "int", [JSON_REAL] = "float", [JSON_TRUE] = "bool",
        [JSON_FALSE] = "bool", [JSON_NULL] = "NoneType",
    };

    return names[json_typeof(json)];
}

static iimg_error_t *parse_json(iimg_input_t *input, const char *body, apr_size_t length)
{
    json_error_t problem;
    json_t *json, *value;
    const char *name;

    json = iimg_json_own(input->pool,
                         json_loadb(body, length,
                                    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL,
                                    &problem));
    if (!json) {
        return iimg_error_code(
            iimg_error(input->pool, IIMG_INVALID, "JSON parse error - %s: line %d column %d",
                       iimg_text_is_utf8(problem.text, strlen(problem.text)) ? problem.text
                                                                            : "not UTF-8",
                       problem.line, problem.column), "parse_error");
    }
    if (!json_is_object(json)) {
        return iimg_error(input->pool, IIMG_INVALID,
                          "Invalid data. Expected a dictionary, but got %s.", json_kind(json));
    }
    json_object_foreach(json, name, value) {
        add(input, name)->json = value;
    }
    return NULL;
}

/* Forms --------------------------------------------------------------------------------------- */

static iimg_error_t *decode(iimg_input_t *input, const char *text, const char **out)
{
    char *decoded = apr_palloc(input->pool, strlen(text) + 1);
    apr_size_t length;

    switch (apr_unescape_url(decoded, text, APR_ESCAPE_STRING, NULL, NULL, 1, &length)) {
    case APR_SUCCESS:
    case APR_NOTFOUND:          /* nothing was escaped */
        *out = strpbrk(text, "%+") ? decoded : text;
        return NULL;
    case APR_BADCH:
        return iimg_error(input->pool, IIMG_INVALID, "Null characters are not allowed.");
    default:
        return iimg_error(input->pool, IIMG_INVALID,
                          "The form holds a percent sign that is no escape.");
    }
}

static iimg_error_t *parse_pairs(iimg_input_t *input, char *text)
{
    char *state = NULL;

    for (char *pair = apr_strtok(text, "&", &state); pair; pair = apr_strtok(NULL, "&", &state)) {
        char *equals = strchr(pair, '=');
        const char *name, *value;
        iimg_error_t *err;
        field_t *field;

        if (equals) {
            *equals = '\0';
        }
        err = decode(input, pair, &name);
        if (!err) {
            err = decode(input, equals ? equals + 1 : "", &value);
        }
        if (err) {
            return err;
        }
        if (input->fields->nelts >= IIMG_INPUT_MAX_FIELDS) {
            return iimg_error(input->pool, IIMG_INVALID, "More than %d fields.",
                              IIMG_INPUT_MAX_FIELDS);
        }
        field = add(input, name);
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

static iimg_error_t *take_parts(iimg_input_t *input, const char *content_type,
                                const char *message, apr_size_t length)
{
    apr_array_header_t *parts;
    iimg_error_t *err = iimg_multipart_parse(input->pool, content_type, message, length, &parts);

    for (int i = 0; !err && i < parts->nelts; i++) {
        const iimg_part_t *part = &APR_ARRAY_IDX(parts, i, iimg_part_t);
        field_t *field = add(input, part->name);

        if (part->filename) {
            field->file = part;
        }
        else {
            field->data = apr_pstrmemdup(input->pool, part->data, part->length);
            field->length = part->length;
        }
    }
    return err;
}

static bool is_type(const char *content_type, const char *type)
{
    size_t n = strlen(type);

    return strncasecmp(content_type, type, n) == 0
           && (content_type[n] == '\0' || strchr("; \t,", content_type[n]));
}

iimg_error_t *iimg_input_parse(apr_pool_t *pool, const char *content_type, const char *message,
                               apr_size_t offset, apr_size_t length, iimg_input_t **input)
{
    const char *body = message + offset;

    *input = create(pool);
    if (length == offset) {
        return NULL;
    }
    content_type = content_type ? content_type : "";
    if (is_type(content_type, "application/json")) {
        return parse_json(*input, body, length - offset);
    }
    if (is_type(content_type, "application/x-www-form-urlencoded")) {
        return parse_urlencoded(*input, body, length - offset);
    }
    if (is_type(content_type, "multipart/form-data")) {
        return take_parts(*input, content_type, message, length);
    }
    return iimg_error(pool, IIMG_UNSUPPORTED_TYPE, "Unsupported media type \"%s\" in request.",
                      content_type);
}

iimg_error_t *iimg_input_parse_query(apr_pool_t *pool, const char *query, iimg_input_t **input)
{
    *input = create(pool);
    return query ? parse_pairs(*input, apr_pstrdup(pool, query)) : NULL;
}

/* Fields -------------------------------------------------------------------------------------- */

/* The last field of that name, as Django's QueryDict has it. */
static const field_t *find(const iimg_input_t *input, const char *name)
{
    for (int i = input->fields->nelts - 1; i >= 0; i--) {
        const field_t *field = &APR_ARRAY_IDX(input->fields, i, field_t);

        if (strcmp(field->name, name) == 0) {
            return field;
        }
    }
    return NULL;
}

static void visit_value(const field_t *field, iimg_input_visitor_fn visit, void *baton)
{
    char *text;

    if (field->file) {
        visit(baton, field->file->data, field->file->length);
    }
    else if (json_is_string(field->json)) {
        visit(baton, json_string_value(field->json), json_string_length(field->json));
    }
    else if (field->json) {
        visit(baton, "json", strlen("json"));       /* null is not the text "null" */
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
        const field_t *field = &APR_ARRAY_IDX(input->fields, i, field_t);

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
}

bool iimg_input_has(const iimg_input_t *input, const char *name)
{
    return find(input, name) != NULL;
}

bool iimg_input_is_text(const iimg_input_t *input, const char *name)
{
    const field_t *field = find(input, name);

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
        count += strcmp(APR_ARRAY_IDX(input->fields, i, field_t).name, name) == 0;
    }
    return count;
}

bool iimg_input_is_null(const iimg_input_t *input, const char *name)
{
    const field_t *field = find(input, name);

    return field && field->json && json_is_null(field->json);
}

static iimg_error_t *refuse(const iimg_input_t *input, const char *name, const char *sentence)
{
    return iimg_error_field(iimg_error(input->pool, IIMG_INVALID, "%s", sentence), name);
}

/* The field's text and length; a sentence when it has none. */
static const char *text_of(const field_t *field, const char **text, apr_size_t *length)
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

/* What a text of a client's must be, whatever it is for. */
static iimg_error_t *check_text(const iimg_input_t *input, const char *name, const char *text,
                                apr_size_t length)
{
    if (memchr(text, '\0', length)) {
        return refuse(input, name, "Null characters are not allowed.");
    }
    return iimg_text_is_utf8(text, length) ? NULL : refuse(input, name, "Not a valid string.");
}

static iimg_error_t *check_length(const iimg_input_t *input, const char *name, const char *text,
                                  apr_size_t max)
{
    return iimg_text_characters(text) <= max
               ? NULL
               : refuse(input, name,
                        apr_psprintf(input->pool,
                                     "Ensure this field has no more than %" APR_SIZE_T_FMT
                                     " characters.", max));
}

/* A text as it was sent, NULL when absent. */
static iimg_error_t *read_text(const iimg_input_t *input, const char *name, const char **value)
{
    const field_t *field = find(input, name);
    const char *problem;
    apr_size_t length = 0;

    *value = NULL;
    if (!field) {
        return NULL;
    }
    problem = text_of(field, value, &length);
    return problem ? refuse(input, name, problem) : check_text(input, name, *value, length);
}

iimg_error_t *iimg_input_text(const iimg_input_t *input, const char *name, apr_size_t max,
                              const char **value)
{
    iimg_error_t *err = read_text(input, name, value);

    if (err || !*value) {
        return err;
    }
    *value = iimg_text_trim(input->pool, *value);
    return check_length(input, name, *value, max);
}

iimg_error_t *iimg_input_text_raw(const iimg_input_t *input, const char *name, apr_size_t max,
                                  const char **value)
{
    iimg_error_t *err = read_text(input, name, value);

    return err || !*value ? err : check_length(input, name, *value, max);
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

static bool is_integer(const char *text)
{
    const char *p = text + (*text == '-');
    size_t digits = strspn(p, "0123456789");

    return digits > 0 && p[digits] == '\0';
}

iimg_error_t *iimg_input_integer(const iimg_input_t *input, const char *name, bool *present,
                                 long long *value)
{
    const field_t *field = find(input, name);
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
    if (text_of(field, &text, &length) || strlen(text) != length
        || !is_integer(text = iimg_text_trim(input->pool, text))) {
        return refuse(input, name, "A valid integer is required.");
    }
    *value = strtoll(text, NULL, 10);   /* beyond its range it saturates: out of ours in any case */
    return NULL;
}

iimg_error_t *iimg_input_bool(const iimg_input_t *input, const char *name, bool *value)
{
    static const struct { const char *word; bool value; } words[] = {
        { "true", true },   { "1", true },  { "yes", true }, { "on", true },   { "t", true },
        { "false", false }, { "0", false }, { "no", false }, { "off", false }, { "f", false },
        { "", false },
    };
    const field_t *field = find(input, name);

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
    return refuse(input, name, "Must be a valid boolean.");
}

static iimg_error_t *read_uuid(const iimg_input_t *input, const char *name, const char *text,
                               apr_size_t length, const char **value)
{
    text = iimg_text_trim(input->pool, text ? text : "");
    *value = memchr(text, '\0', length) ? NULL : iimg_uuid_parse(input->pool, text);
    return *value ? NULL : refuse(input, name, "Must be a valid UUID.");
}

iimg_error_t *iimg_input_uuid(const iimg_input_t *input, const char *name, const char **value)
{
    const field_t *field = find(input, name);
    const char *text = NULL;
    apr_size_t length = 0;

    *value = NULL;
    if (!field || (field->json && json_is_null(field->json))) {
        return NULL;
    }
    if (iimg_input_count(input, name) > 1) {        /* whose is not for us to guess */
        return refuse(input, name, apr_psprintf(input->pool, "Give %s once only.", name));
    }
    if (text_of(field, &text, &length)) {
        return refuse(input, name, "Must be a valid UUID.");
    }
    return length == 0 ? NULL : read_uuid(input, name, text, length, value);
}

static iimg_error_t *read_word(const iimg_input_t *input, const char *name, const char *text,
                               apr_size_t length, const char **value)
{
    iimg_error_t *err = text ? check_text(input, name, text, length)
                             : refuse(input, name, "Not a valid string.");

    if (err) {
        return err;
    }
    *value = iimg_text_trim(input->pool, text);
    return **value ? check_length(input, name, *value, IIMG_INPUT_MAX_WORD)
                   : refuse(input, name, "This field may not be blank.");
}

/* Lists --------------------------------------------------------------------------------------- */

/* What a list is of. */
typedef struct list_kind_t {
    const char *items;      /* "UUIDs" */
    /* One item; text is NULL when it is no text. */
    iimg_error_t *(*read)(const iimg_input_t *input, const char *name, const char *text,
                          apr_size_t length, const char **value);
} list_kind_t;

static const list_kind_t uuid_list = { "UUIDs", read_uuid };
static const list_kind_t word_list = { "texts", read_word };

static iimg_error_t *items_of_json(const iimg_input_t *input, const char *name,
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

static iimg_error_t *items_of_text(const iimg_input_t *input, const char *name,
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

static iimg_error_t *read_list(const iimg_input_t *input, const char *name,
                               const list_kind_t *kind, int max, apr_array_header_t **values)
{
    const field_t *field = find(input, name);
    iimg_error_t *err;

    *values = NULL;
    if (!field || (field->json && json_is_null(field->json))) {
        return NULL;
    }
    if (field->file || (field->json && !json_is_array(field->json))) {
        return refuse(input, name,
                      apr_psprintf(input->pool, "Expected a list of %s.", kind->items));
    }
    if (field->json && json_array_size(field->json) > (size_t)max) {
        return refuse(input, name, apr_psprintf(input->pool, "At most %d items.", max));
    }
    *values = apr_array_make(input->pool, max, sizeof(const char *));
    err = field->json ? items_of_json(input, name, kind, field->json, *values)
                      : items_of_text(input, name, kind, field->data, *values);
    if (!err && (*values)->nelts > max) {
        err = refuse(input, name, apr_psprintf(input->pool, "At most %d items.", max));
    }
    return err;
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
    iimg_error_t *err = text ? check_text(input, name, text, length)
                             : refuse(input, name, "Not a valid string.");

    if (err) {
        return err;
    }
    text = iimg_text_trim(input->pool, text);
    APR_ARRAY_PUSH(values, const char *) = text;
    return *text ? check_length(input, name, text, max_characters)
                 : refuse(input, name, "This field may not be blank.");
}

static iimg_error_t *texts_of_form(const iimg_input_t *input, const char *name,
                                   apr_size_t max_characters, apr_array_header_t *values)
{
    iimg_error_t *err = NULL;

    for (int i = 0; !err && i < input->fields->nelts; i++) {
        const field_t *field = &APR_ARRAY_IDX(input->fields, i, field_t);

        if (strcmp(field->name, name) == 0) {
            err = add_text(input, name, field->data, field->length, max_characters, values);
        }
    }
    return err;
}

static iimg_error_t *texts_of_json(const iimg_input_t *input, const char *name, const json_t *list,
                                   apr_size_t max_characters, apr_array_header_t *values)
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
    const field_t *field = find(input, name);
    apr_size_t count;

    *values = NULL;
    if (!field) {
        return NULL;
    }
    if (field->json && json_is_null(field->json)) {
        return refuse(input, name, "This field may not be null.");
    }
    if (field->json && !json_is_array(field->json)) {
        return refuse(input, name, "Expected a list of texts.");
    }
    count = field->json ? json_array_size(field->json) : (apr_size_t)iimg_input_count(input, name);
    if (count > (apr_size_t)max) {
        return refuse(input, name, apr_psprintf(input->pool, "At most %d items.", max));
    }
    *values = apr_array_make(input->pool, (int)count + 1, sizeof(const char *));
    if (count == 1 && field->data && field->length == 0) {
        return NULL;            /* how a form says: none */
    }
    return field->json ? texts_of_json(input, name, field->json, max_characters, *values)
                       : texts_of_form(input, name, max_characters, *values);
}

/* Members that may be absent ------------------------------------------------------------------- */

iimg_error_t *iimg_input_require(const iimg_input_t *input, const char *const *names)
{
    for (; *names; names++) {
        if (!find(input, *names)) {
            return refuse(input, *names, "This field is required.");
        }
    }
    return NULL;
}

iimg_error_t *iimg_input_given(const iimg_input_t *input, const char *name, apr_size_t max,
                               int flags, iimg_given_t *given)
{
    iimg_error_t *err;

    *given = (iimg_given_t){ .given = find(input, name) != NULL };
    if ((flags & IIMG_MAY_BE_NULL) && iimg_input_is_null(input, name)) {
        return NULL;
    }
    err = iimg_input_text(input, name, max, &given->value);
    if (!err && given->value && !*given->value && !(flags & IIMG_MAY_BE_BLANK)) {
        err = refuse(input, name, "This field may not be blank.");
    }
    return err;
}

iimg_error_t *iimg_input_given_uuid(const iimg_input_t *input, const char *name, int flags,
                                    iimg_given_t *given)
{
    iimg_error_t *err = iimg_input_uuid(input, name, &given->value);

    given->given = find(input, name) != NULL;
    if (!err && given->given && !given->value && !(flags & IIMG_MAY_BE_NULL)) {
        err = refuse(input, name, "This field may not be null.");
    }
    return err;
}

iimg_error_t *iimg_input_given_bool(const iimg_input_t *input, const char *name,
                                    iimg_given_bool_t *given)
{
    *given = (iimg_given_bool_t){ .given = find(input, name) != NULL };
    return iimg_input_is_null(input, name) ? refuse(input, name, "This field may not be null.")
                                           : iimg_input_bool(input, name, &given->value);
}

/* Files --------------------------------------------------------------------------------------- */

iimg_error_t *iimg_input_file(const iimg_input_t *input, const char *name,
                              const iimg_part_t **part)
{
    *part = NULL;
    for (int i = 0; i < input->fields->nelts; i++) {
        const field_t *field = &APR_ARRAY_IDX(input->fields, i, field_t);

        if (strcmp(field->name, name) != 0 || !field->file) {
            continue;
        }
        if (*part) {
            return refuse(input, name, "Send one file only.");
        }
        *part = field->file;
    }
    /* A file input that nothing was chosen for is sent with an empty name and no bytes. */
    if (*part && !*(*part)->filename && (*part)->length == 0) {
        *part = NULL;
    }
    return NULL;
}
