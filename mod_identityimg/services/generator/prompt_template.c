/* prompt_template.c - renders and checks the placeholders of a prompt's text. */
#include "services/generator/prompt_template.h"

#include <string.h>
#include <apr_tables.h>
#include <apr_strings.h>

/* @return the placeholder that text begins with; NULL if it begins with none */
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

/* Checking ------------------------------------------------------------------------------------ */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define QUOTED  60 /* most characters of a client's name that a sentence repeats */

/* @return the length of the name that text begins with, up to a closing brace; 0: none */
static size_t name_length(const char *text)
{
    size_t n = strspn(text, LETTERS);

    n += n ? strspn(text + n, LETTERS "0123456789.") : 0;
    return text[n] == '}' ? n : 0;
}

/* @return -1 if the list does not contain the name */
static int index_of(const char *const *names, const char *name, size_t length)
{
    for (int i = 0; names[i]; i++) {
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0) {
            return i;
        }
    }
    return -1;
}

/* "{a}, {b}": the names without those whose bits are in `except`. */
static const char *list_names(apr_pool_t *pool, const char *const *names, unsigned except)
{
    const char *text = "";

    for (int i = 0; names[i]; i++) {
        if (!(except & 1u << i)) {
            text = apr_pstrcat(pool, text, *text ? ", {" : "{", names[i], "}", NULL);
        }
    }
    return text;
}

static const char *unknown(apr_pool_t *pool, const char *const *names, const char *name, size_t n)
{
    return apr_psprintf(pool,
                        "{%.*s%s} is not a placeholder. Allowed: %s. Double the braces to "
                        "keep them literally.",
                        (int)(n > QUOTED ? QUOTED : n), name, n > QUOTED ? "..." : "",
                        list_names(pool, names, 0));
}

const char *iimg_prompt_problem(apr_pool_t *pool, const char *body, const char *const *names)
{
    const char *p = body, *missing;
    unsigned seen = 0;

    while (*p) {
        size_t n = *p == '{' ? name_length(p + 1) : 0;

        if (n) {
            int index = index_of(names, p + 1, n);

            if (index < 0) {
                return unknown(pool, names, p + 1, n);
            }
            seen |= 1u << index;
            p += n + 2;
        }
        else {
            p += (*p == '{' || *p == '}') && p[1] == *p ? 2 : 1;
        }
    }
    missing = list_names(pool, names, seen);
    return *missing ? apr_psprintf(pool, "Required placeholders are missing: %s.", missing) : NULL;
}
