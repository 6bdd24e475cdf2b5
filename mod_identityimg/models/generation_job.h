/* generation_job.h - generations: rows of generation_jobs. A row first, a provider call second. */
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

/** The states of a job, in the order in which they come; NULL at the end. */
extern const char *const iimg_generation_job_states[];

typedef struct iimg_generation_job_t {
    const char *id;
    const char *state;         /* queued, running, succeeded, failed, canceled */
    const char *identity_id;   /* NULL: deleted since */
    const char *identity_name; /* its name now; NULL: deleted since */
    const char *user_id;       /* whose references; NULL: deleted since */
    const char *requested_by;  /* NULL: deleted since */
    const char *prompt_id;
    const char *prompt_version; /* number as text; NULL: unknown */
    const char *prompt_used;
    const char *additional_prompt; /* "" when none */
    bool save_to_identity;
    const char *generator;       /* "gemini" */
    const char *model;           /* that is asked: of an alias its successor */
    const char *requested_model; /* that the request named */
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
    int error_status;          /* HTTP status that the error is answered with; 0: unknown */
    int error_retry_after;     /* seconds, 0: none */
    const char *usage;         /* JSON text or NULL */
    const char *cost;          /* decimal text or NULL */
    const char *expected_cost; /* to be inserted: decimal text */
    int attempts;
    const char *created_at; /* PostgreSQL's text */
    const char *started_at;
    const char *finished_at;
    const char *version;        /* counts changes that clients can see, as text */
    const char *queue_position; /* from "1"; NULL: does not wait */
    bool cancel_requested;      /* it is canceled, or will be at its next step */
    const char *saved_at;       /* when it was saved to its identity; NULL: not yet */
} iimg_generation_job_t;

/**
 * Insert a queued job from the members that the client chose; job gets its id and times.
 */
iimg_error_t *iimg_generation_job_insert(iimg_context_t *context, iimg_generation_job_t **job);

/**
 * Take a queued job for this process.
 * @param lease seconds until others may think it lost
 * @param job   NULL when it was not queued any more
 */
iimg_error_t *iimg_generation_job_claim(iimg_context_t *context, const char *id, const char *owner,
                                        int lease, iimg_generation_job_t **job);

/** Who takes jobs that wait, and those of processes that have died. */
typedef struct iimg_generation_taker_t {
    const char *owner; /* "<node>/<process>" */
    const char *node;  /* the first part of owner */
    int lease;         /* seconds until others may think a job lost */
    int most;          /* jobs to take now */
    int at_once;       /* jobs that all nodes may run; 0: any number */
} iimg_generation_taker_t;

/**
 * Within a transaction that holds iimg_generation_load_lock if there is a limit: take the jobs that
 * have waited longest. A job of another node is left for a while longer, since that node may have
 * its picture.
 * @param ids const char *
 */
iimg_error_t *iimg_generation_job_take(iimg_context_t *context,
                                       const iimg_generation_taker_t *taker,
                                       apr_array_header_t **ids);

/** Renew the leases of all jobs that this owner runs. */
iimg_error_t *iimg_generation_job_renew(iimg_context_t *context, const char *owner, int lease);

/** Let others take an owner's jobs at once; its process is gone, or going. @param count how many */
iimg_error_t *iimg_generation_job_release(iimg_context_t *context, const char *owner, int *count);

/** Those of this owner's jobs that are to be canceled. @param ids const char * */
iimg_error_t *iimg_generation_job_to_cancel(iimg_context_t *context, const char *owner,
                                            apr_array_header_t **ids);

/** What somebody who waits wants to know of a job. */
typedef struct iimg_generation_job_news_t {
    const char *id;
    int version;
    bool ended; /* or not there any more */
} iimg_generation_job_news_t;

/** @param ids const char * @param news iimg_generation_job_news_t, of those that exist */
iimg_error_t *iimg_generation_job_news(iimg_context_t *context, const apr_array_header_t *ids,
                                       apr_array_header_t **news);

/** Note that a job's picture is saved to its identity. @param first false: that was noted before */
iimg_error_t *iimg_generation_job_saved(iimg_context_t *context, const char *id, bool *first);

/**
 * Jobs that ended some minutes ago, and whose picture should have been saved to the identity and
 * was not.
 * @param ids const char *
 */
iimg_error_t *iimg_generation_job_unsaved(iimg_context_t *context, apr_array_header_t **ids);

/** Add a warning to a job, whatever its state. */
iimg_error_t *iimg_generation_job_warn(iimg_context_t *context, const char *id,
                                       const char *warning);

/** One job, whoever asks. @param job NULL when there is none such */
iimg_error_t *iimg_generation_job_by_id(iimg_context_t *context, const char *id,
                                        iimg_generation_job_t **job);

/** What a provider's answer changes in a job. */
typedef struct iimg_generation_outcome_t {
    const char *image, *media_type; /* success */
    int width, height;
    const char *error_code, *error_detail; /* failure */
    const char *error_billed;              /* "t", "f", NULL: unknown */
    int error_status, error_retry_after;   /* what it is answered with; 0: none */
    const char *usage;                     /* JSON text or NULL */
    const char *cost;                      /* US dollars as decimal text; NULL: unknown */
    const apr_array_header_t *warnings;    /* const char * */
} iimg_generation_outcome_t;

/**
 * End a job: succeeded when there is an image, else failed; canceled when that was asked for
 * meanwhile, with the image all the same. Only its owner can fail it; an image is taken from
 * whoever has one, as long as there is none.
 * @param job the row after it; NULL when it has ended, or is another's
 */
iimg_error_t *iimg_generation_job_finish(iimg_context_t *context, const char *id, const char *owner,
                                         const iimg_generation_outcome_t *outcome,
                                         iimg_generation_job_t **job);

/* What staff see and end ----------------------------------------------------------------------- */

/** Which jobs of all are wanted; NULL: any. */
typedef struct iimg_generation_job_filter_t {
    const char *identity_id;
    const char *user_id; /* whose references */
    const char *prompt_id;
    const char *state;
    const char *requested_by;
} iimg_generation_job_filter_t;

/** A page of jobs, the newest first, for staff. @param jobs iimg_generation_job_t */
iimg_error_t *iimg_generation_job_list(iimg_context_t *context, iimg_page_t *page,
                                       const iimg_generation_job_filter_t *filter,
                                       const iimg_caller_t **caller, apr_array_header_t **jobs);

/** One job, for staff. @param job NULL when there is none such */
iimg_error_t *iimg_generation_job_for_staff(iimg_context_t *context, const char *id,
                                            const iimg_caller_t **caller,
                                            iimg_generation_job_t **job);

/** Lock a job until the transaction ends. @param job NULL when there is none such */
iimg_error_t *iimg_generation_job_lock(iimg_context_t *context, const char *id,
                                       iimg_generation_job_t **job);

/**
 * End a job that waits, or ask who runs it to end it.
 * @param job the row after it; NULL when it had ended already
 */
iimg_error_t *iimg_generation_job_cancel(iimg_context_t *context, const char *id,
                                         iimg_generation_job_t **job);

/**
 * How long the last pictures of a generator took, for staff.
 * @param models      const char *
 * @param resolutions const char *, one for each model
 * @param seconds     const char *, one for each pair: a decimal, or NULL when there were none
 */
iimg_error_t *iimg_generation_job_medians(iimg_context_t *context,
                                          const iimg_generator_t *generator,
                                          const apr_array_header_t *models,
                                          const apr_array_header_t *resolutions,
                                          const iimg_caller_t **caller,
                                          apr_array_header_t **seconds);

#endif
