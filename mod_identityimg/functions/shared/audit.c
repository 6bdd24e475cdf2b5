/* audit.c - record changes by staff in the audit log. */
#include "functions/shared/audit.h"

#include "functions/shared/members.h"
#include "functions/shared/unauthenticated.h"
#include "models/audit_log.h"
#include "models/user.h"

iimg_error_t *iimg_audit(iimg_context_t *context, const char *action, const char *kind,
                         const char *row_id, const apr_array_header_t *members)
{
    iimg_audit_entry_t entry = { action, kind, row_id,
                                 members ? members : iimg_members_create(context->pool) };
    iimg_error_t *err;
    bool done;

    if (!context->caller->is_staff) {
        return NULL;
    }
    err = iimg_audit_log_insert(context, context->caller->id, &entry, &done);
    if (err) {
        return err;
    }
    return done ? NULL : iimg_unauthenticated(context, IIMG_INACTIVE_USER);
}

iimg_error_t *iimg_audit_member(iimg_context_t *context, const char *action, const char *kind,
                                const char *row_id, const char *member)
{
    apr_array_header_t *members = iimg_members_create(context->pool);

    iimg_members_add(members, member);
    return iimg_audit(context, action, kind, row_id, members);
}
