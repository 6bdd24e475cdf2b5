/* audit_log.c - the log of changes by staff: rows of audit_log. */
#include "models/audit_log.h"

#include "base/db/array.h"
#include "models/query.h"

static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_audit_log_insert",
    "INSERT INTO audit_log (actor, actor_email, action, kind, row_id, members, request_id)"
    " SELECT u.id, u.email, $2::text, $3::text, $4::uuid, $5::text[], $6::text"
    "   FROM users u WHERE u.id = $1::uuid");

iimg_error_t *iimg_audit_log_insert(iimg_context_t *context, const char *actor,
                                    const iimg_audit_entry_t *entry, bool *done)
{
    return iimg_query_change_one(context, &insert,
                                 IIMG_PARAMS(actor, entry->action, entry->kind, entry->row_id,
                                             iimg_db_array_format(context->pool, entry->members),
                                             context->request_id),
                                 done);
}
