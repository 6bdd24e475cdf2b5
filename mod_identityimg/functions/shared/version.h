/* version.h - compare a row's version with If-Match. */
#ifndef IIMG_FUNCTIONS_SHARED_VERSION_H
#define IIMG_FUNCTIONS_SHARED_VERSION_H

#include "models/prompt.h"

/** Check that If-Match, if sent, names this version of a row. Errors: IIMG_PRECONDITION. */
iimg_error_t *iimg_check_version(iimg_context_t *context, int version);

/** The same for a prompt, whose row changes in is_active only. Errors: IIMG_PRECONDITION. */
iimg_error_t *iimg_check_prompt_version(iimg_context_t *context, const iimg_prompt_t *prompt);

/** A prompt's version in an ETag: "<version>-on" or "<version>-off". */
const char *iimg_prompt_version(apr_pool_t *pool, const iimg_prompt_t *prompt);

#endif
