/* prompt.h - versions of prompts: rows of prompts. */
#ifndef IIMG_MODELS_PROMPT_H
#define IIMG_MODELS_PROMPT_H

#include <stdbool.h>
#include <apr_tables.h>
#include "models/user.h"

/** The types of prompts, and the keys of context that a prompt may require; NULL at the end. */
extern const char *const iimg_prompt_types[];
extern const char *const iimg_context_keys[];

/** The only type whose prompts this module renders. */
#define IIMG_PROMPT_IMAGE_GENERATION "image_generation"

typedef struct iimg_prompt_t {
    const char *id;
    const char *prompt_type; /* one of iimg_prompt_types */
    int version;             /* from 1, within the type */
    const char *body;        /* verbatim */
    bool is_active;
    apr_array_header_t *required_context_keys; /* const char * */
    const char *created_by;                    /* NULL: built in, or deleted since */
    const char *created_at;                    /* PostgreSQL's text */
} iimg_prompt_t;

/** The active version with the highest number. @param prompt NULL if none is active */
iimg_error_t *iimg_prompt_active(iimg_context_t *context, const char *prompt_type,
                                 iimg_prompt_t **prompt);

/**
 * All versions, by type, newest first; empty unless the caller is staff.
 * @param prompt_type NULL: all types
 * @param prompts     iimg_prompt_t
 */
iimg_error_t *iimg_prompt_list(iimg_context_t *context, const char *prompt_type,
                               const iimg_caller_t **caller, apr_array_header_t **prompts);

/** One version. @param prompt NULL if there is none such, or the caller is not staff */
iimg_error_t *iimg_prompt_by_id(iimg_context_t *context, const char *id,
                                const iimg_caller_t **caller, iimg_prompt_t **prompt);

/** Within a transaction: serialize inserts of this type until it ends. */
iimg_error_t *iimg_prompt_lock_type(iimg_context_t *context, const char *prompt_type);

/**
 * Within a transaction with iimg_prompt_lock_type: insert the next version, from type, body,
 * is_active, required_context_keys and created_by.
 * @param prompt set to the new row
 */
iimg_error_t *iimg_prompt_insert(iimg_context_t *context, iimg_prompt_t **prompt);

/** Lock one version until the transaction ends. @param prompt NULL if there is none such */
iimg_error_t *iimg_prompt_lock(iimg_context_t *context, const char *id, iimg_prompt_t **prompt);

/** Activate or deactivate a version. @param prompt the updated row; NULL if there is none such */
iimg_error_t *iimg_prompt_set_active(iimg_context_t *context, const char *id, bool is_active,
                                     iimg_prompt_t **prompt);

#endif
