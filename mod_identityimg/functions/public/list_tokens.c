/* list_tokens.c - list the caller's sessions and bearer tokens. */
#include "functions/public/public.h"

#include "functions/shared/caller.h"

iimg_error_t *iimg_list_tokens(iimg_context_t *context, apr_array_header_t **tokens)
{
    const iimg_caller_t *caller;
    iimg_error_t *err = iimg_token_list_of_caller(context, &caller, tokens);

    if (err) {
        return err;
    }
    return iimg_accept_caller(context, caller, IIMG_USER);
}
