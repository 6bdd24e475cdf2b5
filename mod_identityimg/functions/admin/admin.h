/* admin.h - what staff may do. */
#ifndef IIMG_FUNCTIONS_ADMIN_ADMIN_H
#define IIMG_FUNCTIONS_ADMIN_ADMIN_H

#include "base/input/input.h"
#include "functions/public/public.h"
#include "models/account.h"
#include "models/generation_job.h"
#include "models/page.h"
#include "models/prompt.h"
#include "services/gemini/model.h"
#include "models/test_scenario.h"

/** A user whom pictures can be generated for. */
typedef struct iimg_available_user_t {
    iimg_user_t user;
    const char *name; /* the scenario's, or the caller's own */
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
    const char *user_id;           /* whose photos */
    const char *additional_prompt; /* "" for none */
    bool save_to_identity;
    const char *aspect_ratio; /* one that the model takes */
    const char *resolution;   /* one that the model takes */
    const char *model;
    const apr_array_header_t *reference_image_ids; /* const char *; NULL: all the user has */
} iimg_generation_request_t;

typedef struct iimg_generation_t {
    iimg_generation_job_t *job;
    iimg_identity_t *identity; /* only when it was saved there */
} iimg_generation_t;

/** Photos in the form in which they go to a generator. */
typedef struct iimg_loaded_references_t {
    iimg_generator_reference_t *references;
    int count;
    apr_array_header_t *ids;      /* const char *: of those that were loaded */
    apr_array_header_t *warnings; /* const char *: about those that were not */
} iimg_loaded_references_t;

/**
 * Load photos, as many as can be.
 * @param images iimg_reference_image_t
 * Errors: IIMG_INVALID no_readable_references, IIMG_UNAVAILABLE, IIMG_BUSY.
 */
iimg_error_t *iimg_load_references(iimg_context_t *context, const apr_array_header_t *images,
                                   iimg_loaded_references_t *loaded);

/** Seconds until others may think a job lost whose process says nothing. */
#define IIMG_GENERATION_LEASE 60

/**
 * Ask for a picture: a row first. Whoever holds an idempotency key has it stand for the job.
 * @param room whether this process could run the job now
 * @param job  running, claimed for this process, if it may be run now; else queued
 * Errors: IIMG_NOT_FOUND "Identity not found" (checked first), IIMG_INVALID (no references, none of
 * them readable), IIMG_UNAVAILABLE "No active image generation prompt found", IIMG_LIMITED and
 * IIMG_BUSY as iimg_admit_generation.
 */
iimg_error_t *iimg_request_generation(iimg_context_t *context,
                                      const iimg_generation_request_t *request, bool room,
                                      iimg_generation_job_t **job);

/**
 * What a job that was asked for has come to. If its picture was to be saved to the identity and
 * could not be, that is made good.
 * Errors: what the job failed with; IIMG_CONFLICT generation_canceled; IIMG_BUSY
 * generation_unfinished; IIMG_GONE; IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_answer_generation(iimg_context_t *context, const char *job_id,
                                     iimg_generation_t *generation);

/**
 * Copy a generated picture to its identity, as was to be done when its job ended: own objects, with
 * derivatives; once, and noted with the job.
 * @param data the picture's bytes
 */
iimg_error_t *iimg_save_image_to_identity(iimg_context_t *context, const char *identity_id,
                                          const iimg_generation_job_t *job, const char *data,
                                          apr_size_t length, iimg_identity_t **identity);

/**
 * Within the transaction that inserts a job for the accepted caller: whether the limits of all
 * nodes leave room for one more. Others who ask wait until the transaction ends.
 * @param expected_cost of its picture, a decimal
 * @param now           whether it could be run now; becomes false when it has to wait its turn
 * Errors: IIMG_LIMITED (generations_at_once, user_generations_at_once, user_generations_per_day,
 * generation_budget), with the time after which there is room; IIMG_BUSY generation_queue_full.
 */
iimg_error_t *iimg_admit_generation(iimg_context_t *context, const char *expected_cost, bool *now);

/** A page of all generations, the newest first. @param jobs iimg_generation_job_t */
iimg_error_t *iimg_list_generation_jobs(iimg_context_t *context, iimg_page_t *page,
                                        const iimg_generation_job_filter_t *filter,
                                        apr_array_header_t **jobs);

/** One generation. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_get_generation_job(iimg_context_t *context, const char *id,
                                      iimg_generation_job_t **job);

/**
 * End a generation. One that waits is canceled at once; one that runs when its provider has
 * answered, with the picture that was paid for. Canceling twice is no mistake.
 * @param job as it is then: canceled, or running
 * Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION, IIMG_CONFLICT job_finished.
 */
iimg_error_t *iimg_cancel_generation_job(iimg_context_t *context, const char *id,
                                         iimg_generation_job_t **job);

/**
 * Attach a past result to its identity; If-Match is about the identity. The identity's picture
 * before it is held for a day.
 * @param once it was to be saved when the job ended: that is not done twice
 * Errors: IIMG_NOT_FOUND (of the job, or "Identity not found"), IIMG_CONFLICT (job_no_picture,
 * user_deleted), IIMG_PRECONDITION, IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_save_job_to_identity(iimg_context_t *context, const char *job_id, bool once,
                                        iimg_identity_t **identity);

/** Save pictures to their identities that a process left unsaved which died over it. Logs what
 * fails. */
void iimg_save_left(iimg_context_t *context);

/** Price and usual time of a resolution with a model. */
typedef struct iimg_resolution_option_t {
    const char *value;          /* "4K" */
    const char *price;          /* dollars, a decimal; NULL: unknown */
    const char *median_seconds; /* of recent pictures, a decimal; NULL: there were none */
} iimg_resolution_option_t;

/** A model that requests may choose, and what it takes. */
typedef struct iimg_model_option_t {
    const char *value;                /* its name */
    const iimg_gemini_model_t *takes; /* aspect ratios, reference images */
    apr_array_header_t *resolutions;  /* iimg_resolution_option_t */
} iimg_model_option_t;

/** List the options of a request. @param options iimg_model_option_t, the default model first */
iimg_error_t *iimg_get_generation_options(iimg_context_t *context, apr_array_header_t **options);

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
    const char *prompt_type; /* one of iimg_prompt_types */
    const char *body;
    bool is_active;
    apr_array_header_t *required_context_keys; /* const char * */
} iimg_new_prompt_t;

/**
 * Check for the errors of iimg_create_prompt in advance; members that are NULL are not checked.
 * Errors: IIMG_INVALID.
 */
iimg_error_t *iimg_check_new_prompt(iimg_context_t *context, const iimg_new_prompt_t *wanted);

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
    const char *body;      /* NULL: the version prompt_id */
    const char *prompt_id; /* NULL: the body */
    const char *identity_id;
    const char *additional_prompt; /* "" for none */
} iimg_preview_request_t;

typedef struct iimg_preview_t {
    const char *text;      /* as a generator would get it */
    const char *problem;   /* why it would not be saved, or NULL */
    iimg_prompt_t *prompt; /* id NULL: only a body */
    iimg_identity_t *identity;
} iimg_preview_t;

/**
 * Fill in a prompt as generating does. Errors: IIMG_NOT_FOUND "Identity not found" (checked first),
 * "Prompt not found".
 */
iimg_error_t *iimg_preview_prompt(iimg_context_t *context, const iimg_preview_request_t *request,
                                  iimg_preview_t *preview);

#endif
