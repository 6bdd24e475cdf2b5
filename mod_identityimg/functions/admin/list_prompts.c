/* list_prompts.c - list all versions of prompts. */
#include "functions/admin/admin.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_prompts(iimg_context_t *context, const char *prompt_type,
                                apr_array_header_t **prompts)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_prompt_list(context, prompt_type, &caller, prompts);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_STAFF);
}
