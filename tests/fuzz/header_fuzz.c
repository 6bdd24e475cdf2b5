/* header_fuzz.c - the input is the value of a header: If-Match, If-None-Match, traceparent. httpd
 * itself splits Accept and Prefer. */
#include "base/entity_tag.h"
#include "base/trace_context.h"
#include "fuzz.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

static void tagged(const char *text)
{
    bool star = strchr(text, '*') != NULL;

    fuzz_claim(!iimg_entity_tag_matches(text, "\"12.5\"") || star || strstr(text, "\"12.5"),
               "a tag that matches is in the header");
    fuzz_claim(!iimg_entity_tag_has_version(text, "12") || star || strstr(text, "\"12"),
               "a version that matches is in the header");
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    const char *text = fuzz_text(pool, data, length);

    tagged(text);
    fuzz_claim(!iimg_trace_is_parent(text) || strlen(text) >= 55,
               "a traceparent has at least 55 characters");
}
