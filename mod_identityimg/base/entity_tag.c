/* entity_tag.c - ETags of versioned rows, If-Match, If-None-Match (RFC 9110, 8.8.3 and 13.1). */
#include "base/entity_tag.h"

#include <string.h>
#include <apr_strings.h>

/* A tag in a list, without its quotes. */
typedef struct opaque_t {
    const char *text;
    size_t length;
} opaque_t;

typedef bool (*test_fn)(const opaque_t *opaque, const char *wanted);

const char *iimg_entity_tag(apr_pool_t *pool, const char *version, apr_int64_t window)
{
    return apr_psprintf(pool, "\"%s.%" APR_INT64_T_FMT "\"", version, window);
}

/* Measure a suffix that a compressing server added. @return 0 when there is none */
static size_t suffix_length(const opaque_t *opaque)
{
    static const char *const suffixes[] = { "-gzip", "-br", "-zstd" };

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        size_t n = strlen(suffixes[i]);

        if (opaque->length > n && memcmp(opaque->text + opaque->length - n, suffixes[i], n) == 0) {
            return n;
        }
    }
    return 0;
}

/* Each proxy in a chain may have added its suffix. */
static void strip_suffixes(opaque_t *opaque)
{
    size_t n;

    while ((n = suffix_length(opaque)) > 0) {
        opaque->length -= n;
    }
}

/* Read the next tag. @return what follows it; NULL at the end, or where the list is invalid */
static const char *next_tag(const char *list, opaque_t *opaque)
{
    const char *end;

    list += strspn(list, ", \t");
    list += strncmp(list, "W/", 2) == 0 ? 2 : 0;
    end = *list == '"' ? strchr(list + 1, '"') : NULL;
    if (!end) {
        return NULL;
    }
    opaque->text = list + 1;
    opaque->length = (size_t)(end - opaque->text);
    strip_suffixes(opaque);
    return end + 1;
}

static bool is_star(const char *header)
{
    header += strspn(header, " \t");
    return header[0] == '*' && header[1 + strspn(header + 1, " \t")] == '\0';
}

static bool has_match(const char *list, test_fn test, const char *wanted)
{
    opaque_t opaque;

    while ((list = next_tag(list, &opaque)) != NULL) {
        if (test(&opaque, wanted)) {
            return true;
        }
    }
    return false;
}

/* @param wanted with its quotes */
static bool is_tag(const opaque_t *opaque, const char *wanted)
{
    return strlen(wanted) == opaque->length + 2
           && memcmp(wanted + 1, opaque->text, opaque->length) == 0;
}

static bool is_version(const opaque_t *opaque, const char *wanted)
{
    size_t n = strlen(wanted);

    return opaque->length >= n && memcmp(opaque->text, wanted, n) == 0
           && (opaque->length == n || opaque->text[n] == '.');
}

bool iimg_entity_tag_matches(const char *header, const char *tag)
{
    return header && (is_star(header) || has_match(header, is_tag, tag));
}

bool iimg_entity_tag_has_version(const char *header, const char *version)
{
    return !header || is_star(header) || has_match(header, is_version, version);
}
