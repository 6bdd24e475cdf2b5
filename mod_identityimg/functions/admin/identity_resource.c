/* identity_resource.c - identities of all users, for staff. Other routes change the picture. */
#include "functions/admin/resource.h"

#include <string.h>
#include "functions/shared/members.h"

static iimg_error_t *list_identities(iimg_context_t *context, iimg_page_t *page,
                                     const iimg_row_filter_t *filter, const iimg_caller_t **caller,
                                     apr_array_header_t **rows)
{
    return iimg_identity_list(context, page, &filter->identity, caller, rows);
}

static iimg_error_t *find_identity(iimg_context_t *context, const char *id,
                                   const iimg_caller_t **caller, iimg_row_t *row)
{
    return iimg_identity_for_staff(context, id, caller, &row->identity);
}

static iimg_error_t *lock_identity(iimg_context_t *context, const char *id, iimg_row_t *row)
{
    return iimg_identity_lock(context, id, &row->identity);
}

static bool are_same(const apr_array_header_t *a, const apr_array_header_t *b)
{
    bool same = a->nelts == b->nelts;

    for (int i = 0; same && i < a->nelts; i++) {
        same = strcmp(APR_ARRAY_IDX(a, i, const char *), APR_ARRAY_IDX(b, i, const char *)) == 0;
    }
    return same;
}

static void set_members(const iimg_identity_change_t *change, apr_array_header_t *members,
                        iimg_identity_t *identity)
{
    iimg_members_set_text(members, "user_id", &change->user_id, &identity->user_id);
    iimg_members_set_text(members, "name", &change->name, &identity->name);
    iimg_members_set_text(members, "category", &change->category, &identity->category);
    iimg_members_set_text(members, "i_am_statement", &change->i_am_statement,
                          &identity->i_am_statement);
    iimg_members_set_text(members, "visualization", &change->visualization,
                          &identity->visualization);
    if (change->notes && !are_same(change->notes, identity->notes)) {
        identity->notes = change->notes;
        iimg_members_add(members, "notes");
    }
}

static iimg_error_t *insert_identity(iimg_context_t *context, const iimg_row_change_t *change,
                                     apr_array_header_t *members, iimg_row_t *row)
{
    iimg_identity_t draft = { .notes = apr_array_make(context->pool, 1, sizeof(char *)) };
    iimg_identity_t *identity = &draft;
    iimg_error_t *err;

    set_members(&change->identity, members, identity);
    err = iimg_identity_insert(context, &identity);
    row->identity = identity;
    return err;
}

static iimg_error_t *update_identity(iimg_context_t *context, const iimg_row_change_t *change,
                                     apr_array_header_t *members, iimg_row_t *row)
{
    set_members(&change->identity, members, row->identity);
    return members->nelts ? iimg_identity_update(context, &row->identity) : NULL;
}

const iimg_resource_t iimg_identity_resource = {
    .table = "identities",
    .id = offsetof(iimg_identity_t, id),
    .version = offsetof(iimg_identity_t, version),
    .list = list_identities,
    .find = find_identity,
    .create = iimg_create_row,
    .change = iimg_update_row,
    .delete = iimg_delete_row,
    .lock = lock_identity,
    .insert = insert_identity,
    .update = update_identity,
    .remove = iimg_identity_delete,
    .owns_pictures = true,
};
