/* admin.h - functions for staff. resource.h has those that all kinds of rows have in common. */
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

/** A user to generate pictures for. */
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

/** The identities of a test scenario's user. Errors: IIMG_NOT_FOUND when no scenario has this user.
 */
iimg_error_t *iimg_list_test_user_identities(iimg_context_t *context, const char *user_id,
                                             apr_array_header_t **identities);

/** A request for a picture. */
typedef struct iimg_generation_request_t {
    const char *identity_id;
    const char *user_id;           /* owner of the photos */
    const char *additional_prompt; /* "" for none */
    bool save_to_identity;
    const char *aspect_ratio; /* one of the model's */
    const char *resolution;   /* one of the model's */
    const char *model;
    const apr_array_header_t *reference_image_ids; /* const char *; NULL: all photos */
} iimg_generation_request_t;

typedef struct iimg_generation_t {
    iimg_generation_job_t *job;
    iimg_identity_t *identity; /* NULL unless the picture was saved to it */
} iimg_generation_t;

/** Photos in the form that is sent to a generator. */
typedef struct iimg_loaded_references_t {
    iimg_generator_reference_t *references;
    int count;
    apr_array_header_t *ids;      /* const char *, of the loaded photos */
    apr_array_header_t *warnings; /* const char *, one for each photo that was skipped */
} iimg_loaded_references_t;

/**
 * Load photos. A photo that cannot be read is skipped with a warning.
 * @param images iimg_reference_image_t
 * Errors: IIMG_INVALID no_readable_references, IIMG_UNAVAILABLE, IIMG_BUSY.
 */
iimg_error_t *iimg_load_references(iimg_context_t *context, const apr_array_header_t *images,
                                   iimg_loaded_references_t *loaded);

/** Seconds that a process may run a job without renewing its lease. */
#define IIMG_GENERATION_LEASE 60

/**
 * Request a picture: insert a job. The idempotency key of the request then refers to the job.
 * @param room whether this process has a free slot
 * @param job  running and claimed for this process if it may run now; else queued
 * Errors: IIMG_NOT_FOUND "Identity not found" (checked first), IIMG_INVALID (no references, none of
 * them readable), IIMG_UNAVAILABLE "No active image generation prompt found", IIMG_LIMITED and
 * IIMG_BUSY as iimg_admit_generation.
 */
iimg_error_t *iimg_request_generation(iimg_context_t *context,
                                      const iimg_generation_request_t *request, bool room,
                                      iimg_generation_job_t **job);

/**
 * Read the outcome of a job. If its picture should have been saved to the identity and was not,
 * save it now. Errors: the error of the job; IIMG_CONFLICT generation_canceled; IIMG_BUSY
 * generation_unfinished; IIMG_GONE; IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_answer_generation(iimg_context_t *context, const char *job_id,
                                     iimg_generation_t *generation);

/**
 * Copy a generated picture to its identity, with derivatives, when its job ends. The job records
 * it, so that it happens once.
 * @param data the picture's bytes
 */
iimg_error_t *iimg_save_image_to_identity(iimg_context_t *context, const char *identity_id,
                                          const iimg_generation_job_t *job, const char *data,
                                          apr_size_t length, iimg_identity_t **identity);

/**
 * Within the transaction that inserts a job for the accepted caller: check the limits, which all
 * nodes share. Other requests wait until the transaction ends.
 * @param expected_cost of the picture, a decimal
 * @param now           whether this process has a free slot; set to false when the job must queue
 * Errors: IIMG_LIMITED (generations_at_once, user_generations_at_once, user_generations_per_day,
 * generation_budget), with the time until there is room; IIMG_BUSY generation_queue_full.
 */
iimg_error_t *iimg_admit_generation(iimg_context_t *context, const char *expected_cost, bool *now);

/** A page of all generations, the newest first. @param jobs iimg_generation_job_t */
iimg_error_t *iimg_list_generation_jobs(iimg_context_t *context, iimg_page_t *page,
                                        const iimg_generation_job_filter_t *filter,
                                        apr_array_header_t **jobs);

/** Read one generation. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_get_generation_job(iimg_context_t *context, const char *id,
                                      iimg_generation_job_t **job);

/**
 * Cancel a generation: a queued one at once, a running one when the provider replies; then the paid
 * picture is stored. Canceling twice is not an error.
 * @param job its present state: canceled or running
 * Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION, IIMG_CONFLICT job_finished.
 */
iimg_error_t *iimg_cancel_generation_job(iimg_context_t *context, const char *id,
                                         iimg_generation_job_t **job);

/**
 * Copy a finished job's picture to its identity, to which If-Match refers. The previous picture of
 * the identity is held for a day.
 * @param once do nothing if the job has saved its picture before
 * Errors: IIMG_NOT_FOUND (of the job, or "Identity not found"), IIMG_CONFLICT (job_no_picture,
 * user_deleted), IIMG_PRECONDITION, IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_save_job_to_identity(iimg_context_t *context, const char *job_id, bool once,
                                        iimg_identity_t **identity);

/** Save pictures to their identities for processes that died before they could. Failures are
 * logged. */
void iimg_save_unsaved_jobs(iimg_context_t *context);

/** Price and usual time of a resolution with a model. */
typedef struct iimg_resolution_option_t {
    const char *value;          /* "4K" */
    const char *price;          /* dollars, a decimal; NULL: unknown */
    const char *median_seconds; /* of recent pictures, a decimal; NULL: unknown */
} iimg_resolution_option_t;

/** A model that requests may choose. */
typedef struct iimg_model_option_t {
    const char *value;                /* its name */
    const iimg_gemini_model_t *takes; /* aspect ratios, reference images */
    apr_array_header_t *resolutions;  /* iimg_resolution_option_t */
} iimg_model_option_t;

/** List the options of a request. @param options iimg_model_option_t, the default model first */
iimg_error_t *iimg_get_generation_options(iimg_context_t *context, apr_array_header_t **options);

/* Prompts ------------------------------------------------------------------------------------- */

/**
 * List all versions by type, the newest first.
 * @param prompt_type NULL: of all types
 * @param prompts     iimg_prompt_t
 */
iimg_error_t *iimg_list_prompts(iimg_context_t *context, const char *prompt_type,
                                apr_array_header_t **prompts);

/** Read one version. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_get_prompt(iimg_context_t *context, const char *id, iimg_prompt_t **prompt);

/** Members of a new version. */
typedef struct iimg_new_prompt_t {
    const char *prompt_type; /* one of iimg_prompt_types */
    const char *body;
    bool is_active;
    apr_array_header_t *required_context_keys; /* const char * */
} iimg_new_prompt_t;

/**
 * Check for the errors of iimg_create_prompt in advance. Members that are NULL are not checked.
 * Errors: IIMG_INVALID.
 */
iimg_error_t *iimg_check_new_prompt(iimg_context_t *context, const iimg_new_prompt_t *wanted);

/**
 * Create the next version of a type. Concurrent creates get numbers without gaps.
 * Errors: IIMG_INVALID, for image_generation only: missing or unknown placeholders, unknown context
 * keys.
 */
iimg_error_t *iimg_create_prompt(iimg_context_t *context, const iimg_new_prompt_t *wanted,
                                 iimg_prompt_t **prompt);

/** Activate or deactivate a version. Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION. */
iimg_error_t *iimg_update_prompt(iimg_context_t *context, const char *id, bool is_active,
                                 iimg_prompt_t **prompt);

/** A request for a preview: of a stored version, or of a body. */
typedef struct iimg_preview_request_t {
    const char *body;      /* NULL: that of prompt_id */
    const char *prompt_id; /* NULL: body is set */
    const char *identity_id;
    const char *additional_prompt; /* "" for none */
} iimg_preview_request_t;

typedef struct iimg_preview_t {
    const char *text;      /* as sent to a generator */
    const char *problem;   /* why it could not be saved, or NULL */
    iimg_prompt_t *prompt; /* id NULL: a body that is not stored */
    iimg_identity_t *identity;
} iimg_preview_t;

/**
 * Fill in a prompt in the way a generation does. Errors: IIMG_NOT_FOUND "Identity not found"
 * (checked first), "Prompt not found".
 */
iimg_error_t *iimg_preview_prompt(iimg_context_t *context, const iimg_preview_request_t *request,
                                  iimg_preview_t *preview);

#endif
