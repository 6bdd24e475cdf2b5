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
 * Copy a generated picture to its identity: own objects, with derivatives.
 * @param data the picture's bytes
 */
iimg_error_t *iimg_save_image_to_identity(iimg_context_t *context, const char *identity_id,
                                          const iimg_generation_job_t *job, const char *data,
                                          apr_size_t length, iimg_identity_t **identity);

#endif
