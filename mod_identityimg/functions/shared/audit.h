/* audit.h - record changes by staff in the audit log. */
#ifndef IIMG_FUNCTIONS_SHARED_AUDIT_H
#define IIMG_FUNCTIONS_SHARED_AUDIT_H

#include <apr_tables.h>
#include "base/context.h"
#include "base/error.h"

/**
 * Within the transaction of a change: add a row to the audit log if the caller is staff, on any
 * route. Changes by other users are not recorded.
 * @param action  "create", "change", "delete"
 * @param kind    the table
 * @param members const char *, names of the members sent or changed, never their values; NULL: none
 * Errors: IIMG_UNAUTHENTICATED when the caller was deleted after it was accepted.
 */
iimg_error_t *iimg_audit(iimg_context_t *context, const char *action, const char *kind,
                         const char *row_id, const apr_array_header_t *members);

/** The same with one member. For a token the member is its kind. */
iimg_error_t *iimg_audit_member(iimg_context_t *context, const char *action, const char *kind,
                                const char *row_id, const char *member);

#endif
