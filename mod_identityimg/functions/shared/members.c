/* members.c - apply a change to a row and collect the names of the members that it changed. */
#include "functions/shared/members.h"

#include <string.h>

apr_array_header_t *iimg_members_create(apr_pool_t *pool)
{
    return apr_array_make(pool, 4, sizeof(const char *));
}

void iimg_members_add(apr_array_header_t *members, const char *name)
{
    APR_ARRAY_PUSH(members, const char *) = name;
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void iimg_members_set_text(apr_array_header_t *members, const char *name,
                           const iimg_given_t *wanted, const char **value)
{
    if (wanted->given && !is_same(wanted->value, *value)) {
        *value = wanted->value;
        iimg_members_add(members, name);
    }
}

void iimg_members_set_bool(apr_array_header_t *members, const char *name,
                           const iimg_given_bool_t *wanted, bool *value)
{
    if (wanted->given && wanted->value != *value) {
        *value = wanted->value;
        iimg_members_add(members, name);
    }
}
