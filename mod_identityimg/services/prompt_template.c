/* prompt_template.c - filling in the placeholders of a prompt's text. */
#include "services/prompt_template.h"

#include <string.h>
#include <apr_tables.h>
#include <apr_strings.h>

/* The placeholder that stands at text, "{name}"; NULL when there is none. */
static const iimg_placeholder_t *placeholder_at(const char *text,
                                                const iimg_placeholder_t *placeholders, int count)
{
    for (int i = 0; i < count; i++) {
        size_t n = strlen(placeholders[i].name);

        if (strncmp(text + 1, placeholders[i].name, n) == 0 && text[1 + n] == '}') {
            return &placeholders[i];
        }
    }
    return NULL;
}

const char *iimg_prompt_render(apr_pool_t *pool, const char *body,
                               const iimg_placeholder_t *placeholders, int count)
{
    apr_array_header_t *pieces = apr_array_make(pool, 16, sizeof(const char *));
    const char *run = body, *p = body;

    while (*p) {
        const iimg_placeholder_t *found;

        if ((*p == '{' || *p == '}') && p[1] == *p) {
            APR_ARRAY_PUSH(pieces, const char *) = apr_pstrmemdup(pool, run,
                                                                  (apr_size_t)(p + 1 - run));
            run = p += 2;
            continue;
        }
        found = *p == '{' ? placeholder_at(p, placeholders, count) : NULL;
        if (!found) {
            p++;
            continue;
        }
        APR_ARRAY_PUSH(pieces, const char *) = apr_pstrmemdup(pool, run, (apr_size_t)(p - run));
        APR_ARRAY_PUSH(pieces, const char *) = found->value;
        run = p += strlen(found->name) + 2;
    }
    APR_ARRAY_PUSH(pieces, const char *) = run;
    return apr_array_pstrcat(pool, pieces, 0);
}
