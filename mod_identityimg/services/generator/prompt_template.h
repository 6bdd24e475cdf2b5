/* prompt_template.h - filling in the placeholders of a prompt's text. */
#ifndef IIMG_SERVICES_GENERATOR_PROMPT_TEMPLATE_H
#define IIMG_SERVICES_GENERATOR_PROMPT_TEMPLATE_H

#include <apr_pools.h>

typedef struct iimg_placeholder_t {
    const char *name;  /* "identity_context", without braces */
    const char *value; /* goes in as it is and is never scanned again */
} iimg_placeholder_t;

/**
 * Replace {name} by its value, once, for the names given; "{{" and "}}" become single braces; every
 * other brace stays as it is.
 * @param count of placeholders
 */
const char *iimg_prompt_render(apr_pool_t *pool, const char *body,
                               const iimg_placeholder_t *placeholders, int count);

/**
 * What is wrong with a body. A placeholder is {word}, of letters, digits, '_' and '.', no digit or
 * dot in front: anything else in braces is text, and so is what "{{" and "}}" make.
 * @param names the placeholders that must be there, and no others may; NULL at the end, 32 at most
 * @return a sentence: unknown ones, or else missing ones; NULL when nothing is wrong
 */
const char *iimg_prompt_problem(apr_pool_t *pool, const char *body, const char *const *names);

#endif
