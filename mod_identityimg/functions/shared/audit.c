/* audit.c - what staff changed: which members, and the log that tells of it. */
#include "functions/shared/shared.h"

#include <string.h>
#include "models/audit_log.h"

apr_array_header_t *iimg_members(apr_pool_t *pool)
{
    return apr_array_make(pool, 4, sizeof(const char *));
}

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

void iimg_take_text(apr_array_header_t *members, const char *name, const iimg_given_t *wanted,
                    const char **value)
{
    if (wanted->given && !is_same(wanted->value, *value)) {
        *value = wanted->value;
        APR_ARRAY_PUSH(members, const char *) = name;
    }
}

void iimg_take_bool(apr_array_header_t *members, const char *name, const iimg_given_bool_t *wanted,
                    bool *value)
{
    if (wanted->given && wanted->value != *value) {
        *value = wanted->value;
        APR_ARRAY_PUSH(members, const char *) = name;
    }
}

iimg_error_t *iimg_audit(iimg_context_t *context, const char *action, const char *kind,
                         const char *row_id, const apr_array_header_t *members)
{
    iimg_audit_entry_t entry = { action, kind, row_id, members };

    bool done = true;
    iimg_error_t *err = NULL;

    if (context->caller->is_staff) {
        err = iimg_audit_log_insert(context, context->caller->id, &entry, &done);
    }
    return !err && !done ? iimg_inactive_user(context) : err; /* deleted meanwhile: no change */
}

/* The kind stands where others have names of members. */
iimg_error_t *iimg_audit_token(iimg_context_t *context, const char *action, const char *id,
                               const char *kind)
{
    apr_array_header_t *members = iimg_members(context->pool);

    APR_ARRAY_PUSH(members, const char *) = kind;
    return iimg_audit(context, action, "auth_tokens", id, members);
}

iimg_error_t *iimg_audit_image(iimg_context_t *context, const char *kind, const char *row_id)
{
    apr_array_header_t *members = iimg_members(context->pool);

    APR_ARRAY_PUSH(members, const char *) = "image";
    return iimg_audit(context, "change", kind, row_id, members);
}
