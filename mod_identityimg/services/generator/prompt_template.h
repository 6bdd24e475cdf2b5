/* prompt_template.h - renders and checks the placeholders of a prompt's text. */
#ifndef IIMG_SERVICES_GENERATOR_PROMPT_TEMPLATE_H
#define IIMG_SERVICES_GENERATOR_PROMPT_TEMPLATE_H

#include <apr_pools.h>

typedef struct iimg_placeholder_t {
    const char *name;  /* "identity_context", without braces */
    const char *value; /* inserted verbatim, never scanned for placeholders */
} iimg_placeholder_t;

/**
 * Replace {name} by its value for the given names. "{{" and "}}" become single braces; every other
 * brace is text.
 * @param count of placeholders
 */
const char *iimg_prompt_render(apr_pool_t *pool, const char *body,
                               const iimg_placeholder_t *placeholders, int count);

/**
 * Check that a body has all required placeholders and no others. A placeholder is {word}: letters,
 * digits, '_' and '.', not starting with a digit or a dot. Anything else in braces is text, and so
 * is the result of "{{" and "}}".
 * @param names the required placeholders; NULL at the end, 32 at most
 * @return a sentence that names the first unknown placeholder, or all missing ones; NULL if valid
 */
const char *iimg_prompt_problem(apr_pool_t *pool, const char *body, const char *const *names);

#endif
