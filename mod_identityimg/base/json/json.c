/* json.c - a streaming JSON writer. */
#include "base/json/json.h"

#include <string.h>
#include <apr_strings.h>

static apr_status_t drop_json(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

json_t *iimg_json_own(apr_pool_t *pool, json_t *json)
{
    if (json) {
        apr_pool_cleanup_register(pool, json, drop_json, apr_pool_cleanup_null);
    }
    return json;
}

iimg_json_t *iimg_json_create(apr_pool_t *pool, apr_size_t reserve)
{
    iimg_json_t *out = apr_palloc(pool, sizeof(*out));

    out->pool = pool;
    out->size = reserve < 256 ? 256 : reserve;
    out->text = apr_palloc(pool, out->size);
    out->length = 0;
    out->comma = false;
    return out;
}

static char *reserve_room(iimg_json_t *out, apr_size_t more)
{
    if (out->length + more > out->size) {
        apr_size_t size = 2 * out->size + more;
        char *text = apr_palloc(out->pool, size);

        memcpy(text, out->text, out->length);
        out->text = text;
        out->size = size;
    }
    return out->text + out->length;
}

static void put_text(iimg_json_t *out, const char *text, apr_size_t length)
{
    memcpy(reserve_room(out, length), text, length);
    out->length += length;
}

static void value_begin(iimg_json_t *out)
{
    if (out->comma) {
        put_text(out, ",", 1);
    }
    out->comma = true;
}

static void open_with(iimg_json_t *out, const char *bracket)
{
    value_begin(out);
    put_text(out, bracket, 1);
    out->comma = false;
}

static void close_with(iimg_json_t *out, const char *bracket)
{
    put_text(out, bracket, 1);
    out->comma = true;
}

void iimg_json_object_open(iimg_json_t *out)
{
    open_with(out, "{");
}

void iimg_json_object_close(iimg_json_t *out)
{
    close_with(out, "}");
}

void iimg_json_array_open(iimg_json_t *out)
{
    open_with(out, "[");
}

void iimg_json_array_close(iimg_json_t *out)
{
    close_with(out, "]");
}

void iimg_json_key(iimg_json_t *out, const char *name)
{
    value_begin(out);
    put_text(out, "\"", 1);
    put_text(out, name, strlen(name));
    put_text(out, "\":", 2);
    out->comma = false;
}

static void put_escaped(iimg_json_t *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char *const shorts[0x20] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t",
    };

    if (c == '"' || c == '\\') {
        char pair[2] = { '\\', (char)c };
        put_text(out, pair, 2);
    }
    else if (shorts[c]) {
        put_text(out, shorts[c], 2);
    }
    else {
        char unicode[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
        put_text(out, unicode, 6);
    }
}

void iimg_json_string_n(iimg_json_t *out, const char *text, apr_size_t length)
{
    const char *end = text + length;
    const char *run = text;

    value_begin(out);
    put_text(out, "\"", 1);
    for (const char *p = text; p < end; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 || c == '"' || c == '\\') {
            put_text(out, run, (apr_size_t)(p - run));
            put_escaped(out, c);
            run = p + 1;
        }
    }
    put_text(out, run, (apr_size_t)(end - run));
    put_text(out, "\"", 1);
}

void iimg_json_string(iimg_json_t *out, const char *text)
{
    if (text) {
        iimg_json_string_n(out, text, strlen(text));
    }
    else {
        iimg_json_null(out);
    }
}

void iimg_json_integer(iimg_json_t *out, long long value)
{
    char digits[24];

    value_begin(out);
    put_text(
        out, digits,
        (apr_size_t)apr_snprintf(digits, sizeof(digits), "%" APR_INT64_T_FMT, (apr_int64_t)value));
}

void iimg_json_bool(iimg_json_t *out, bool value)
{
    iimg_json_raw(out, value ? "true" : "false");
}

void iimg_json_null(iimg_json_t *out)
{
    iimg_json_raw(out, "null");
}

void iimg_json_raw_n(iimg_json_t *out, const char *json, apr_size_t length)
{
    value_begin(out);
    put_text(out, json, length);
}

void iimg_json_raw(iimg_json_t *out, const char *json)
{
    iimg_json_raw_n(out, json ? json : "null", json ? strlen(json) : 4);
}

void iimg_json_member(iimg_json_t *out, const char *name, const char *text)
{
    iimg_json_key(out, name);
    iimg_json_string(out, text);
}
