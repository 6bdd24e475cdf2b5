/* list_available_users.c - list users to generate pictures for: the caller, then test users. */
#include "functions/admin/admin.h"

#include <apr_strings.h>
#include "base/text.h"

static const char *format_name(apr_pool_t *pool, const iimg_user_t *user)
{
    const char *name = iimg_text_trim(
        pool, apr_pstrcat(pool, user->first_name, " ", user->last_name, NULL));

    return *name ? name : user->email;
}

iimg_error_t *iimg_list_available_users(iimg_context_t *context, apr_array_header_t **users)
{
    apr_array_header_t *scenarios;
    iimg_available_user_t *available;
    iimg_user_t *me;
    iimg_error_t *err = iimg_list_test_users(context, &scenarios);

    if (err) {
        return err;
    }
    err = iimg_get_me(context, &me);
    if (err) {
        return err;
    }
    *users = apr_array_make(context->pool, scenarios->nelts + 1, sizeof(iimg_available_user_t));
    available = apr_array_push(*users);
    *available = (iimg_available_user_t){ *me, format_name(context->pool, me), true, false };
    for (int i = 0; i < scenarios->nelts; i++) {
        const iimg_test_scenario_t *scenario = &APR_ARRAY_IDX(scenarios, i, iimg_test_scenario_t);

        available = apr_array_push(*users);
        *available = (iimg_available_user_t){ scenario->user, scenario->name, false, true };
    }
    return NULL;
}
