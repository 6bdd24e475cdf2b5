/* json.h - JSON in through jansson, JSON out through a small streaming writer (RFC 8259). */
#ifndef IIMG_BASE_JSON_JSON_H
#define IIMG_BASE_JSON_JSON_H

#include <stdbool.h>
#include <apr_pools.h>
#include <jansson.h>
#include "base/error.h"

/** Bind a jansson value to a pool: it is dropped with it. @return json itself; NULL stays NULL */
json_t *iimg_json_own(apr_pool_t *pool, json_t *json);

/** Text being written. All of it lives in its pool. */
typedef struct iimg_json_t {
    apr_pool_t *pool;
    char *text; /* what is written so far, no NUL behind it */
    apr_size_t length;
    apr_size_t size; /* room in text */
    bool comma;      /* the next member or element needs one before it */
} iimg_json_t;

/** Start writing. @param reserve bytes to make room for at once; it grows by itself */
iimg_json_t *iimg_json_create(apr_pool_t *pool, apr_size_t reserve);

void iimg_json_object_open(iimg_json_t *out);
void iimg_json_object_close(iimg_json_t *out);
void iimg_json_array_open(iimg_json_t *out);
void iimg_json_array_close(iimg_json_t *out);

/** Write a member's name; a value must follow. @param name plain ASCII that needs no escapes */
void iimg_json_key(iimg_json_t *out, const char *name);

/** Write a string value. @param text UTF-8; NULL writes null */
void iimg_json_string(iimg_json_t *out, const char *text);
void iimg_json_string_n(iimg_json_t *out, const char *text, apr_size_t length);

void iimg_json_integer(iimg_json_t *out, long long value);
void iimg_json_bool(iimg_json_t *out, bool value);
void iimg_json_null(iimg_json_t *out);

/** Write a value that is JSON already. @param json valid JSON text; NULL writes null */
void iimg_json_raw(iimg_json_t *out, const char *json);
void iimg_json_raw_n(iimg_json_t *out, const char *json, apr_size_t length);

/** A member in one call: key and string (NULL: null). */
void iimg_json_member(iimg_json_t *out, const char *name, const char *text);

#endif
