/* admin.h - what staff may do. */
#ifndef IIMG_FUNCTIONS_ADMIN_H
#define IIMG_FUNCTIONS_ADMIN_H

#include "functions/public/public.h"
#include "models/test_scenario.h"

/** A user whom pictures can be generated for. */
typedef struct iimg_available_user_t {
    iimg_user_t user;
    const char *name;               /* the scenario's, or the caller's own */
    bool is_current_user;
    bool is_test_user;
} iimg_available_user_t;

/** The caller first, then each test scenario that has a user. @param users iimg_available_user_t */
iimg_error_t *iimg_list_available_users(iimg_context_t *context, apr_array_header_t **users);

/** Test scenarios that have a user. @param scenarios iimg_test_scenario_t */
iimg_error_t *iimg_list_test_users(iimg_context_t *context, apr_array_header_t **scenarios);

/** The identities of a test scenario's user. Errors: IIMG_NOT_FOUND when no scenario has him. */
iimg_error_t *iimg_list_test_user_identities(iimg_context_t *context, const char *user_id,
                                             apr_array_header_t **identities);

/** What an admin asks a generator for. */
typedef struct iimg_generation_request_t {
    const char *identity_id;
    const char *user_id;                            /* whose photos */
    const char *additional_prompt;                  /* "" for none */
    bool save_to_identity;
    const char *aspect_ratio;                       /* one of iimg_aspect_ratios */
    const char *resolution;                         /* one of iimg_resolutions */
    const char *model;
    const apr_array_header_t *reference_image_ids;  /* const char *; NULL: all the user has */
} iimg_generation_request_t;

typedef struct iimg_generation_t {
    iimg_generation_job_t *job;
    iimg_identity_t *identity;                      /* only when it was saved there */
} iimg_generation_t;

/**
 * Generate a picture: a row first, the provider second, the store third, the row again. Blocks for as
 * long as the provider takes; holds no database connection meanwhile.
 * Errors: IIMG_NOT_FOUND "Identity not found" (checked first), IIMG_INVALID (no references, none of
 * them readable), IIMG_UNAVAILABLE "No active image generation prompt found", the generator's.
 */
iimg_error_t *iimg_generate_identity_image(iimg_context_t *context,
                                           const iimg_generation_request_t *request,
                                           iimg_generation_t *generation);

/**
 * What an earlier request generated, once more; nothing is generated.
 * @param unsaved it was to be saved to the identity, and could not be: that is made good
 * Errors: IIMG_GONE, IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_replay_generation(iimg_context_t *context, const char *job_id, bool unsaved,
                                     iimg_generation_t *generation);

/**
 * Copy a generated picture to its identity: own objects, with derivatives.
 * @param data the picture's bytes
 */
iimg_error_t *iimg_save_image_to_identity(iimg_context_t *context, const char *identity_id,
                                          const iimg_generation_job_t *job, const char *data,
                                          apr_size_t length, iimg_identity_t **identity);

/* Prompts ------------------------------------------------------------------------------------- */

/**
 * All versions, by type, the newest first.
 * @param prompt_type NULL: of all types
 * @param prompts     iimg_prompt_t
 */
iimg_error_t *iimg_list_prompts(iimg_context_t *context, const char *prompt_type,
                                apr_array_header_t **prompts);

/** One version. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_get_prompt(iimg_context_t *context, const char *id, iimg_prompt_t **prompt);

/** What staff send for a new version. */
typedef struct iimg_new_prompt_t {
    const char *prompt_type;                        /* one of iimg_prompt_types */
    const char *body;
    bool is_active;
    apr_array_header_t *required_context_keys;      /* const char * */
} iimg_new_prompt_t;

/**
 * The next version of a type. Simultaneous ones get numbers without gaps.
 * Errors: IIMG_INVALID, for image_generation alone: placeholders that are missing or unknown, a
 * context key that is none.
 */
iimg_error_t *iimg_create_prompt(iimg_context_t *context, const iimg_new_prompt_t *wanted,
                                 iimg_prompt_t **prompt);

/** Switch a version on or off. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_update_prompt(iimg_context_t *context, const char *id, bool is_active,
                                 iimg_prompt_t **prompt);

/** A prompt to look at: a stored version, or a body that might become one. */
typedef struct iimg_preview_request_t {
    const char *body;                               /* NULL: the version prompt_id */
    const char *prompt_id;                          /* NULL: the body */
    const char *identity_id;
    const char *additional_prompt;                  /* "" for none */
} iimg_preview_request_t;

typedef struct iimg_preview_t {
    const char *text;                               /* as a generator would get it */
    const char *problem;                            /* why it would not be saved, or NULL */
    iimg_prompt_t *prompt;                          /* id NULL: only a body */
    iimg_identity_t *identity;
} iimg_preview_t;

/**
 * Fill in a prompt as generating does. Errors: IIMG_NOT_FOUND "Identity not found" (checked first),
 * "Prompt not found".
 */
iimg_error_t *iimg_preview_prompt(iimg_context_t *context, const iimg_preview_request_t *request,
                                  iimg_preview_t *preview);

#endif
