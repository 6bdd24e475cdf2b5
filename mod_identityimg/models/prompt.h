/* prompt.h - versions of prompts: rows of prompts. */
#ifndef IIMG_PROMPT_H
#define IIMG_PROMPT_H

#include "base/context.h"
#include "base/db.h"
#include "base/error.h"

typedef struct iimg_prompt_t {
    const char *id;
    int version;
    const char *body;
} iimg_prompt_t;

/** The active version with the highest number. @param prompt NULL when none is active */
iimg_error_t *iimg_prompt_active(iimg_context_t *context, const char *prompt_type,
                                 iimg_prompt_t **prompt);

#endif
