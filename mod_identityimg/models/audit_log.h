/* audit_log.h - the log of changes by staff: rows of audit_log. */
#ifndef IIMG_MODELS_AUDIT_LOG_H
#define IIMG_MODELS_AUDIT_LOG_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

typedef struct iimg_audit_entry_t {
    const char *action; /* "create", "change", "delete" */
    const char *kind;   /* the table */
    const char *row_id;
    const apr_array_header_t *members; /* const char *: names of the members that were set */
} iimg_audit_entry_t;

/** Insert an entry. @param actor id of the user @param done false: there is no such user */
iimg_error_t *iimg_audit_log_insert(iimg_context_t *context, const char *actor,
                                    const iimg_audit_entry_t *entry, bool *done);

#endif
