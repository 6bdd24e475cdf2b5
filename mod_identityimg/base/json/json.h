/* json.h - own jansson values, and write JSON with a small streaming writer (RFC 8259). */
#ifndef IIMG_BASE_JSON_JSON_H
#define IIMG_BASE_JSON_JSON_H

#include <stdbool.h>
#include <apr_pools.h>
#include <jansson.h>
#include "base/error.h"

/** Free a jansson value with the pool. @return json, which may be NULL */
json_t *iimg_json_own(apr_pool_t *pool, json_t *json);

/*
 *   iimg_json_t *out = iimg_json_create(pool, 256);
 *
 *   iimg_json_object_open(out);
 *   iimg_json_member(out, "name", name);
 *   iimg_json_key(out, "order");
 *   iimg_json_integer(out, order);
 *   iimg_json_object_close(out);
 */

/** A writer, allocated from a pool. */
typedef struct iimg_json_t {
    apr_pool_t *pool;
    char *text; /* written so far, without a NUL */
    apr_size_t length;
    apr_size_t size; /* allocated bytes of text */
    bool comma;      /* the next member or element follows another */
} iimg_json_t;

/** Create a writer. @param reserve bytes to allocate; the text can grow beyond them */
iimg_json_t *iimg_json_create(apr_pool_t *pool, apr_size_t reserve);

void iimg_json_object_open(iimg_json_t *out);
void iimg_json_object_close(iimg_json_t *out);
void iimg_json_array_open(iimg_json_t *out);
void iimg_json_array_close(iimg_json_t *out);

/** Write a member's name; a value must follow. @param name ASCII without characters to escape */
void iimg_json_key(iimg_json_t *out, const char *name);

/** Write a string value. @param text UTF-8; NULL writes null */
void iimg_json_string(iimg_json_t *out, const char *text);
void iimg_json_string_n(iimg_json_t *out, const char *text, apr_size_t length);

void iimg_json_integer(iimg_json_t *out, long long value);
void iimg_json_bool(iimg_json_t *out, bool value);
void iimg_json_null(iimg_json_t *out);

/** Write JSON text as a value. @param json valid JSON; NULL writes null */
void iimg_json_raw(iimg_json_t *out, const char *json);
void iimg_json_raw_n(iimg_json_t *out, const char *json, apr_size_t length);

/** Write a key and a string (NULL: null). */
void iimg_json_member(iimg_json_t *out, const char *name, const char *text);

#endif
