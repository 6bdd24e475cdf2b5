/* preview_prompt.c - fill in a prompt for an identity without generating a picture. */
#include "functions/admin/admin.h"

#include "functions/shared/build_prompt.h"
#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "services/generator/prompt_template.h"

static iimg_error_t *prompt_not_found(iimg_context_t *context)
{
    return iimg_error_with_code(context->pool, IIMG_NOT_FOUND, "prompt_not_found",
                                "Prompt not found");
}

/* The version in the request, or a body that is not stored. */
static iimg_error_t *find_prompt(iimg_context_t *context, const iimg_preview_request_t *request,
                                 iimg_preview_t *preview)
{
    const iimg_caller_t *caller;
    iimg_error_t *err;

    if (!request->prompt_id) {
        preview->prompt = apr_pcalloc(context->pool, sizeof(*preview->prompt));
        preview->prompt->body = request->body;
        return NULL;
    }
    err = iimg_prompt_by_id(context, request->prompt_id, &caller, &preview->prompt);
    if (err) {
        return err;
    }
    err = iimg_accept_caller(context, caller, IIMG_STAFF);
    if (err) {
        return err;
    }
    return preview->prompt ? NULL : prompt_not_found(context);
}

iimg_error_t *iimg_preview_prompt(iimg_context_t *context, const iimg_preview_request_t *request,
                                  iimg_preview_t *preview)
{
    iimg_error_t *err = iimg_identity_by_id(context, request->identity_id, &preview->identity);

    if (err) {
        return err;
    }
    if (!preview->identity) {
        return iimg_identity_not_found(context);
    }
    err = find_prompt(context, request, preview);
    if (err) {
        return err;
    }
    preview->text = iimg_build_prompt(context->pool, preview->prompt, preview->identity,
                                      request->additional_prompt);
    preview->problem = iimg_prompt_problem(context->pool, preview->prompt->body,
                                           iimg_prompt_placeholders);
    return NULL;
}
