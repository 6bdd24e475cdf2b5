/* get_prompt.c - read one version of a prompt. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"

iimg_error_t *iimg_get_prompt(iimg_context_t *context, const char *id, iimg_prompt_t **prompt)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_prompt_by_id(context, id, &caller, prompt);

    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_STAFF);
    if (err) {
        return err;
    }
    return *prompt ? NULL : iimg_not_found(context);
}
