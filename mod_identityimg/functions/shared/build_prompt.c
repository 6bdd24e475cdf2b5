/* build_prompt.c - build the prompt that is sent to a generator. */
#include "functions/shared/build_prompt.h"

#include <apr_strings.h>
#include "services/generator/prompt_template.h"

const char *const iimg_prompt_placeholders[] = { "identity_context", "additional_prompt", NULL };

static void add_line(apr_array_header_t *lines, const char *label, const char *value)
{
    if (value && *value) {
        APR_ARRAY_PUSH(lines, const char *) = apr_pstrcat(lines->pool, "\n", label, value, NULL);
    }
}

static const char *join_notes(apr_pool_t *pool, const apr_array_header_t *notes)
{
    apr_array_header_t *pieces = apr_array_make(pool, 2 * notes->nelts + 1, sizeof(const char *));

    for (int i = 0; i < notes->nelts; i++) {
        if (i) {
            APR_ARRAY_PUSH(pieces, const char *) = "; ";
        }
        APR_ARRAY_PUSH(pieces, const char *) = APR_ARRAY_IDX(notes, i, const char *);
    }
    return apr_array_pstrcat(pool, pieces, 0);
}

static const char *describe_identity(apr_pool_t *pool, const iimg_identity_t *identity)
{
    apr_array_header_t *lines = apr_array_make(pool, 8, sizeof(const char *));

    APR_ARRAY_PUSH(lines, const char *) = apr_pstrcat(pool, "Identity Name: \"", identity->name,
                                                      "\"\nCategory: ", identity->category, NULL);
    add_line(lines, "I Am Statement: ", identity->i_am_statement);
    add_line(lines, "Visualization: ", identity->visualization);
    if (identity->notes->nelts) {
        APR_ARRAY_PUSH(lines, const char *) = apr_pstrcat(
            pool, "\nNotes: ", join_notes(pool, identity->notes), NULL);
    }
    return apr_array_pstrcat(pool, lines, 0);
}

const char *iimg_build_prompt(apr_pool_t *pool, const iimg_prompt_t *prompt,
                              const iimg_identity_t *identity, const char *additional)
{
    iimg_placeholder_t placeholders[] = {
        { iimg_prompt_placeholders[0], describe_identity(pool, identity) },
        { iimg_prompt_placeholders[1], *additional ? additional : "None provided" },
    };

    return iimg_prompt_render(pool, prompt->body, placeholders, 2);
}
