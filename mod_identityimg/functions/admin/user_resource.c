/* user_resource.c - users, for staff. Staff cannot lock themselves out. */
#include "functions/admin/resource.h"

#include <string.h>
#include "functions/shared/caller.h"
#include "functions/shared/members.h"

static iimg_error_t *list_users(iimg_context_t *context, iimg_page_t *page,
                                const iimg_row_filter_t *filter, const iimg_caller_t **caller,
                                apr_array_header_t **rows)
{
    return iimg_account_list(context, page, &filter->user, caller, rows);
}

static iimg_error_t *find_user(iimg_context_t *context, const char *id,
                               const iimg_caller_t **caller, iimg_row_t *row)
{
    return iimg_account_by_id(context, id, caller, &row->user);
}

static iimg_error_t *hash_password(iimg_context_t *context, iimg_row_change_t *change)
{
    return iimg_hash_user_change(context, &change->user);
}

/* Locks both rows, then checks the caller again: of two users who delete each other, the second is
 * no longer staff. */
static iimg_error_t *lock_user(iimg_context_t *context, const char *id, iimg_row_t *row)
{
    iimg_error_t *err = iimg_account_lock(context, id, context->caller->id, &row->user);

    if (err) {
        return err;
    }
    return iimg_identify_caller(context, IIMG_STAFF);
}

static void set_members(const iimg_user_change_t *change, apr_array_header_t *members,
                        iimg_account_t *account)
{
    iimg_members_set_text(members, "email", &change->email, &account->user.email);
    iimg_members_set_text(members, "first_name", &change->first_name, &account->user.first_name);
    iimg_members_set_text(members, "last_name", &change->last_name, &account->user.last_name);
    iimg_members_set_bool(members, "is_staff", &change->is_staff, &account->user.is_staff);
    iimg_members_set_bool(members, "is_active", &change->is_active, &account->is_active);
    if (change->hash) {
        iimg_members_add(members, "password");
    }
}

static iimg_error_t *insert_user(iimg_context_t *context, const iimg_row_change_t *change,
                                 apr_array_header_t *members, iimg_row_t *row)
{
    const char *hash = change->user.hash;
    iimg_account_t draft = { .user = { .first_name = "", .last_name = "" }, .is_active = true };
    iimg_account_t *account = &draft;
    iimg_error_t *err;

    set_members(&change->user, members, account);
    err = iimg_account_insert(context, hash ? hash : "", &account);
    row->user = account;
    return err;
}

static iimg_error_t *refuse_own_account(iimg_context_t *context, const char *id, const char *action)
{
    if (strcmp(id, context->caller->id) != 0) {
        return NULL;
    }
    return iimg_error_with_code(context->pool, IIMG_CONFLICT, "own_account",
                                "You cannot %s your own account. "
                                "Ask another member of the staff.",
                                action);
}

static iimg_error_t *update_user(iimg_context_t *context, const iimg_row_change_t *change,
                                 apr_array_header_t *members, iimg_row_t *row)
{
    const iimg_account_t *account = row->user;
    iimg_error_t *err = NULL;

    set_members(&change->user, members, row->user);
    if (!members->nelts) {
        return NULL;
    }
    if (!account->is_active) {
        err = refuse_own_account(context, account->user.id, "deactivate");
    }
    else if (!account->user.is_staff) {
        err = refuse_own_account(context, account->user.id, "remove staff rights from");
    }
    if (err) {
        return err;
    }
    return iimg_account_update(context, change->user.hash, &row->user);
}

static iimg_error_t *remove_user(iimg_context_t *context, const char *id, bool *found)
{
    iimg_error_t *err = refuse_own_account(context, id, "delete");

    if (err) {
        return err;
    }
    return iimg_account_delete(context, id, found);
}

const iimg_resource_t iimg_user_resource = {
    .table = "users",
    .id = offsetof(iimg_account_t, user.id),
    .version = offsetof(iimg_account_t, version),
    .list = list_users,
    .find = find_user,
    .create = iimg_create_row,
    .change = iimg_update_row,
    .delete = iimg_delete_row,
    .prepare = hash_password,
    .lock = lock_user,
    .insert = insert_user,
    .update = update_user,
    .remove = remove_user,
    .owns_pictures = true,
};
