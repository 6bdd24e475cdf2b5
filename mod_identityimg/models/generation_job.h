/* generation_job.h - generations: rows of generation_jobs. */
#ifndef IIMG_MODELS_GENERATION_JOB_H
#define IIMG_MODELS_GENERATION_JOB_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"
#include "models/page.h"
#include "models/user.h"
#include "services/generator/generator.h"

/*
 * A job's row exists before the provider is called. A process owns a running job and holds its
 * lease:
 *
 *     iimg_generation_job_insert                queued
 *     iimg_generation_job_take (or _claim)      running, owned by this process, with a lease
 *     iimg_generation_job_renew                 while it runs, for all jobs of the process
 *     iimg_generation_job_finish                succeeded, failed or canceled
 *
 * The jobs of a dead process are taken again when their leases have expired.
 */

/** The states of a job, in their order; NULL at the end. */
extern const char *const iimg_generation_job_states[];

typedef struct iimg_generation_job_t {
    const char *id;
    const char *state;         /* queued, running, succeeded, failed, canceled */
    const char *identity_id;   /* NULL: deleted since */
    const char *identity_name; /* its current name; NULL: deleted since */
    const char *user_id;       /* the owner of the references; NULL: deleted since */
    const char *requested_by;  /* NULL: deleted since */
    const char *prompt_id;
    const char *prompt_version; /* number as text; NULL: unknown */
    const char *prompt_used;
    const char *additional_prompt; /* "" when none */
    bool save_to_identity;
    const char *generator;       /* "gemini" */
    const char *model;           /* that is called: for a retired one its successor */
    const char *requested_model; /* as in the request */
    const char *aspect_ratio;
    const char *resolution;
    apr_array_header_t *reference_image_ids; /* const char * */
    const char *image;                       /* key of the result, or NULL */
    const char *media_type;
    const char *width, *height;   /* pixels of the result as text, or NULL */
    apr_array_header_t *warnings; /* const char *, sentences */
    const char *error_code;       /* NULL: no error */
    const char *error_detail;
    const char *error_billed;  /* "t", "f", NULL: unknown */
    int error_status;          /* HTTP status of the error's response; 0: unknown */
    int error_retry_after;     /* seconds, 0: none */
    const char *usage;         /* JSON text or NULL */
    const char *cost;          /* decimal text or NULL */
    const char *expected_cost; /* for insert only: decimal text */
    int attempts;
    const char *created_at; /* PostgreSQL's text */
    const char *started_at;
    const char *finished_at;
    const char *version;        /* counts changes that clients see, as text */
    const char *queue_position; /* from "1"; NULL: not queued */
    bool cancel_requested;      /* it is canceled, now or at its next step */
    const char *saved_at;       /* when it was saved to its identity; NULL: not yet */
} iimg_generation_job_t;

/** Insert a queued job. @param job the values to insert; set to the new row */
iimg_error_t *iimg_generation_job_insert(iimg_context_t *context, iimg_generation_job_t **job);

/**
 * Take a certain queued job.
 * @param lease seconds until other processes may take it
 * @param job   NULL if it is not queued any more
 */
iimg_error_t *iimg_generation_job_claim(iimg_context_t *context, const char *id, const char *owner,
                                        int lease, iimg_generation_job_t **job);

/** A process that takes queued jobs, and jobs of dead processes. */
typedef struct iimg_generation_taker_t {
    const char *owner; /* "<node>/<process>" */
    const char *node;  /* the first part of owner */
    int lease;         /* seconds until other processes may take a job */
    int most;          /* most jobs to take now */
    int at_once;       /* most running jobs of all nodes; 0: no limit */
} iimg_generation_taker_t;

/**
 * Take the oldest jobs. With a limit, this must be within a transaction with
 * iimg_generation_load_lock. A job of another node is taken a minute later, since that node may
 * have received its picture.
 * @param ids const char *
 */
iimg_error_t *iimg_generation_job_take(iimg_context_t *context,
                                       const iimg_generation_taker_t *taker,
                                       apr_array_header_t **ids);

/** Renew the leases of all running jobs of an owner. */
iimg_error_t *iimg_generation_job_renew(iimg_context_t *context, const char *owner, int lease);

/** End the leases of an owner whose process has ended or is ending. @param count how many */
iimg_error_t *iimg_generation_job_release(iimg_context_t *context, const char *owner, int *count);

/** List an owner's running jobs that are to be canceled. @param ids const char * */
iimg_error_t *iimg_generation_job_to_cancel(iimg_context_t *context, const char *owner,
                                            apr_array_header_t **ids);

/** The progress of a job, for waiting requests. */
typedef struct iimg_generation_job_news_t {
    const char *id;
    int version;
    bool ended; /* finished, and saved if requested */
} iimg_generation_job_news_t;

/** Read the progress of jobs. @param ids const char * @param news iimg_generation_job_news_t */
iimg_error_t *iimg_generation_job_news(iimg_context_t *context, const apr_array_header_t *ids,
                                       apr_array_header_t **news);

/** Record that a job's picture is saved to its identity. @param first false: it was before */
iimg_error_t *iimg_generation_job_saved(iimg_context_t *context, const char *id, bool *first);

/**
 * List jobs that finished some minutes ago and whose picture is still not saved to the identity, as
 * requested.
 * @param ids const char *
 */
iimg_error_t *iimg_generation_job_unsaved(iimg_context_t *context, apr_array_header_t **ids);

/** Add a warning to a job of any state. */
iimg_error_t *iimg_generation_job_warn(iimg_context_t *context, const char *id,
                                       const char *warning);

/** One job, for any caller. @param job NULL if there is none such */
iimg_error_t *iimg_generation_job_by_id(iimg_context_t *context, const char *id,
                                        iimg_generation_job_t **job);

/** The outcome of a job. */
typedef struct iimg_generation_outcome_t {
    const char *image, *media_type; /* success */
    int width, height;
    const char *error_code, *error_detail; /* failure */
    const char *error_billed;              /* "t", "f", NULL: unknown */
    int error_status, error_retry_after;   /* of the error's response; 0: none */
    const char *usage;                     /* JSON text or NULL */
    const char *cost;                      /* US dollars as decimal text; NULL: unknown */
    const apr_array_header_t *warnings;    /* const char * */
} iimg_generation_outcome_t;

/**
 * Finish a job: succeeded if there is an image, else failed. If it was to be canceled, it is
 * canceled and keeps the image. Only the owner can fail a job. Any process can finish it with an
 * image, as long as it has none.
 * @param job the updated row; NULL if the job is finished or has another owner
 */
iimg_error_t *iimg_generation_job_finish(iimg_context_t *context, const char *id, const char *owner,
                                         const iimg_generation_outcome_t *outcome,
                                         iimg_generation_job_t **job);

/* For staff ------------------------------------------------------------------------------------ */

/** Members that are NULL match all jobs. */
typedef struct iimg_generation_job_filter_t {
    const char *identity_id;
    const char *user_id; /* the owner of the references */
    const char *prompt_id;
    const char *state;
    const char *requested_by;
} iimg_generation_job_filter_t;

/** A page of jobs, newest first. @param jobs iimg_generation_job_t */
iimg_error_t *iimg_generation_job_list(iimg_context_t *context, iimg_page_t *page,
                                       const iimg_generation_job_filter_t *filter,
                                       const iimg_caller_t **caller, apr_array_header_t **jobs);

/** One job. @param job NULL if there is none such, or the caller is not staff */
iimg_error_t *iimg_generation_job_for_staff(iimg_context_t *context, const char *id,
                                            const iimg_caller_t **caller,
                                            iimg_generation_job_t **job);

/** Lock a job until the transaction ends. @param job NULL if there is none such */
iimg_error_t *iimg_generation_job_lock(iimg_context_t *context, const char *id,
                                       iimg_generation_job_t **job);

/**
 * Cancel a queued job, or request that its owner cancels a running one.
 * @param job the updated row; NULL if it is finished
 */
iimg_error_t *iimg_generation_job_cancel(iimg_context_t *context, const char *id,
                                         iimg_generation_job_t **job);

/**
 * Read the median duration of a generator's last pictures.
 * @param models      const char *
 * @param resolutions const char *, one for each model
 * @param seconds     const char *, one for each pair: a decimal, or NULL if there were none
 */
iimg_error_t *iimg_generation_job_medians(iimg_context_t *context,
                                          const iimg_generator_t *generator,
                                          const apr_array_header_t *models,
                                          const apr_array_header_t *resolutions,
                                          const iimg_caller_t **caller,
                                          apr_array_header_t **seconds);

#endif
