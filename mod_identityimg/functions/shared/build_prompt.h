/* build_prompt.h - build the prompt that is sent to a generator. */
#ifndef IIMG_FUNCTIONS_SHARED_BUILD_PROMPT_H
#define IIMG_FUNCTIONS_SHARED_BUILD_PROMPT_H

#include "models/identity.h"
#include "models/prompt.h"

/** The placeholders of image_generation prompts: all are required, no others are allowed. NULL at
 * the end. */
extern const char *const iimg_prompt_placeholders[];

/** Render a prompt for an identity. @param additional "" for none */
const char *iimg_build_prompt(apr_pool_t *pool, const iimg_prompt_t *prompt,
                              const iimg_identity_t *identity, const char *additional);

#endif
