/* header_fuzz.c - the input is the value of a header: Accept, If-Match, If-None-Match, Prefer,
 * traceparent. */
#include "server/http/accept.h"
#include "base/entity_tag.h"
#include "server/http/prefer.h"
#include "base/trace_context.h"
#include "fuzz.h"

#define TYPE "application/problem+json"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

static void preferred(const char *text)
{
    iimg_prefer_t prefer, again;

    iimg_prefer_parse(text, &prefer);
    iimg_prefer_parse(text, &again);
    fuzz_claim(prefer.wait >= -1 && prefer.wait <= IIMG_PREFER_MOST, "a wait is in range");
    fuzz_claim(prefer.wait == again.wait && prefer.respond_async == again.respond_async,
               "a second parse gives the same result");
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

    preferred(text);
    tagged(text);
    fuzz_claim(!iimg_accept_names(text, TYPE) || strlen(text) >= strlen(TYPE),
               "a type that matches is in the header");
    fuzz_claim(!iimg_trace_is_parent(text) || strlen(text) >= 55,
               "a traceparent has at least 55 characters");
}
