/* update_prompt.c - activate or deactivate a version of a prompt; nothing else of it changes. */
#include "functions/admin/admin.h"

#include "functions/shared/audit.h"
#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "functions/shared/version.h"

typedef struct update_t {
    const char *id;
    bool is_active;
    iimg_prompt_t *prompt;
} update_t;

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
    return iimg_audit_member(context, "change", "prompts", update->id, "is_active");
}

iimg_error_t *iimg_update_prompt(iimg_context_t *context, const char *id, bool is_active,
                                 iimg_prompt_t **prompt)
{
    update_t update = { .id = id, .is_active = is_active };
    iimg_error_t *err = iimg_db_transaction(context, update_row, &update);

    *prompt = update.prompt;
    return err;
}
