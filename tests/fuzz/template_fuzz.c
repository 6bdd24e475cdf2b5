/* template_fuzz.c - the input is the body of a prompt. */
#include "fuzz.h"
#include "base/text.h"
#include "services/generator/prompt_template.h"

/* Values that would change the result if they were expanded again. */
#define CONTEXT "<1{additional_prompt}{{>"
#define WORDS   "<2{identity_context}}}>"

static const iimg_placeholder_t placeholders[] = {
    { "identity_context", CONTEXT },
    { "additional_prompt", WORDS },
};
static const char *const names[] = { "identity_context", "additional_prompt", NULL };

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

/* A body with doubled braces expands to itself. */
static void doubled(apr_pool_t *pool, const char *body)
{
    char *twice = apr_palloc(pool, 2 * strlen(body) + 1), *to = twice;

    for (const char *p = body; *p; p++) {
        *to++ = *p;
        if (*p == '{' || *p == '}') {
            *to++ = *p;
        }
    }
    *to = '\0';
    fuzz_claim(strcmp(iimg_prompt_render(pool, twice, placeholders, 2), body) == 0,
               "doubled braces become braces");
    fuzz_claim(iimg_prompt_problem(pool, twice, names), "doubled braces are no placeholders");
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    const char *body = fuzz_text(pool, data, length);
    const char *prompt = iimg_prompt_render(pool, body, placeholders, 2);
    const char *problem = iimg_prompt_problem(pool, body, names);

    if (!problem) {
        fuzz_claim(strstr(prompt, CONTEXT) && strstr(prompt, WORDS),
                   "a valid body contains both values unchanged");
    }
    fuzz_claim(!problem || !iimg_text_is_utf8(body, strlen(body))
                   || iimg_text_is_utf8(problem, strlen(problem)),
               "a message is UTF-8");
    if (!strpbrk(body, "{}")) {
        fuzz_claim(strcmp(prompt, body) == 0, "a body without braces expands to itself");
    }
    doubled(pool, body);
}
