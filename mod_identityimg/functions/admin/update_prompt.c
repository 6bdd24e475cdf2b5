/* update_prompt.c - switch a version of a prompt on or off; nothing else of it ever changes. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/members.h"
#include "functions/shared/not_found.h"
#include "functions/shared/version.h"

typedef struct update_t {
    const char *id;
    bool is_active;
    iimg_prompt_t *prompt;
} update_t;

static iimg_error_t *tell(iimg_context_t *context, const char *id)
{
    apr_array_header_t *members = iimg_members_create(context->pool);

    iimg_members_add(members, "is_active");
    return iimg_audit(context, "change", "prompts", id, members);
}

static iimg_error_t *update_row(iimg_context_t *context, void *baton)
{
    update_t *update = baton;
    iimg_error_t *err = iimg_identify_caller(context, IIMG_STAFF);

    if (err) {
        return err;
    }
    err = iimg_prompt_lock(context, update->id, &update->prompt);
    if (err) {
        return err;
    }
    if (!update->prompt) {
        return iimg_not_found(context);
    }
    err = iimg_check_prompt_version(context, update->prompt);
    if (err) {
        return err;
    }
    if (update->prompt->is_active == update->is_active) {
        return NULL;
    }
    err = iimg_prompt_set_active(context, update->id, update->is_active, &update->prompt);
    if (err) {
        return err;
    }
    return tell(context, update->id);
}

iimg_error_t *iimg_update_prompt(iimg_context_t *context, const char *id, bool is_active,
                                 iimg_prompt_t **prompt)
{
    update_t update = { .id = id, .is_active = is_active };
    iimg_error_t *err = iimg_db_transaction(context, update_row, &update);

    *prompt = update.prompt;
    return err;
}
