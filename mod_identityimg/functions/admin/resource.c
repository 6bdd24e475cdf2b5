/* resource.c - what staff do with the rows of every resource. */
#include "functions/admin/resource.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/idempotency.h"
#include "functions/shared/members.h"
#include "functions/shared/not_found.h"
#include "functions/shared/sweep.h"
#include "functions/shared/version.h"

const char *iimg_row_id(const iimg_resource_t *resource, iimg_row_t row)
{
    return *(const char *const *)((const char *)row.any + resource->id);
}

int iimg_row_version(const iimg_resource_t *resource, iimg_row_t row)
{
    return *(const int *)((const char *)row.any + resource->version);
}

/* Reads --------------------------------------------------------------------------------------- */

iimg_error_t *iimg_list_rows(iimg_context_t *context, const iimg_resource_t *resource,
                             iimg_page_t *page, const iimg_row_filter_t *filter,
                             apr_array_header_t **rows)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = resource->list(context, page, filter, &caller, rows);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_STAFF);
}

iimg_error_t *iimg_get_row(iimg_context_t *context, const iimg_resource_t *resource, const char *id,
                           iimg_row_t *row)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = resource->find(context, id, &caller, row);

    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_STAFF);
    if (err) {
        return err;
    }
    return row->any ? NULL : iimg_not_found(context);
}

/* Transactions -------------------------------------------------------------------------------- */

typedef struct work_t {
    const iimg_resource_t *resource;
    const char *id;
    const iimg_row_change_t *change;
    iimg_row_t row;
    iimg_claim_t doomed; /* objects, by triggers */
} work_t;

static iimg_error_t *lock_row(iimg_context_t *context, work_t *work)
{
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (err) {
        return err;
    }
    err = work->resource->lock(context, work->id, &work->row);
    if (err) {
        return err;
    }
    if (!work->row.any) {
        return iimg_not_found(context);
    }
    return iimg_check_version(context, iimg_row_version(work->resource, work->row));
}

static iimg_error_t *insert_row(iimg_context_t *context, void *baton)
{
    work_t *work = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    const char *id;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (err) {
        return err;
    }
    err = work->resource->insert(context, work->change, members, &work->row);
    if (err) {
        return err;
    }
    id = iimg_row_id(work->resource, work->row);
    err = iimg_idempotency_record(context, IIMG_STATUS_CREATED, id);
    if (err) {
        return err;
    }
    return iimg_audit(context, "create", work->resource->table, id, members);
}

static iimg_error_t *update_row(iimg_context_t *context, void *baton)
{
    work_t *work = baton;
    apr_array_header_t *members = iimg_members_create(context->pool);
    iimg_error_t *err = lock_row(context, work);

    if (err) {
        return err;
    }
    err = work->resource->update(context, work->change, members, &work->row);
    if (err || !members->nelts) {
        return err;
    }
    return iimg_audit(context, "change", work->resource->table, work->id, members);
}

static iimg_error_t *delete_row(iimg_context_t *context, void *baton)
{
    work_t *work = baton;
    bool found = false;
    iimg_error_t *err = lock_row(context, work);

    if (err) {
        return err;
    }
    err = work->resource->remove(context, work->id, &found);
    if (err) {
        return err;
    }
    if (!found) {
        return iimg_not_found(context);
    }
    err = iimg_audit(context, "delete", work->resource->table, work->id, NULL);
    if (err || !work->resource->owns_pictures) {
        return err;
    }
    return iimg_stored_object_claim_own(context, &work->doomed);
}

/* Changes ------------------------------------------------------------------------------------- */

static iimg_error_t *prepare_change(iimg_context_t *context, const iimg_resource_t *resource,
                                    iimg_row_change_t *change)
{
    return resource->prepare ? resource->prepare(context, change) : NULL;
}

iimg_error_t *iimg_create_row(iimg_context_t *context, const iimg_resource_t *resource,
                              iimg_row_change_t *change, iimg_row_t *row)
{
    work_t work = { .resource = resource, .change = change };
    iimg_error_t *err = prepare_change(context, resource, change);

    if (err) {
        return err;
    }
    err = iimg_db_transaction(context, insert_row, &work);
    *row = work.row;
    return err;
}

iimg_error_t *iimg_update_row(iimg_context_t *context, const iimg_resource_t *resource,
                              iimg_row_change_t *change, iimg_row_t *row)
{
    work_t work = { .resource = resource, .change = change };
    iimg_error_t *err = prepare_change(context, resource, change);

    if (err) {
        return err;
    }
    work.id = iimg_row_id(resource, *row);
    err = iimg_db_transaction(context, update_row, &work);
    *row = work.row;
    return err;
}

iimg_error_t *iimg_delete_row(iimg_context_t *context, const iimg_resource_t *resource,
                              const char *id)
{
    work_t work = { .resource = resource, .id = id };
    iimg_error_t *err = iimg_db_transaction(context, delete_row, &work);

    if (err) {
        return err;
    }
    iimg_sweep_claim(context, &work.doomed);
    return NULL;
}
