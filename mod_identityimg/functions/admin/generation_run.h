/* generation_run.h - a job that this process runs: what goes in, what came of it. For
 * server/engine*. */
#ifndef IIMG_FUNCTIONS_ADMIN_GENERATION_RUN_H
#define IIMG_FUNCTIONS_ADMIN_GENERATION_RUN_H

#include "functions/admin/admin.h"

/** A claimed job, in one thread at a time. */
typedef struct iimg_generation_run_t {
    iimg_generation_job_t *job;   /* as the database has it */
    iimg_generator_request_t ask; /* what the generator is asked for */
    const char *spool;            /* path under which a provider's answer is kept; NULL: none is */
    apr_array_header_t *warnings; /* const char *: that the row does not have yet */
    iimg_generator_result_t *result; /* NULL: none yet */
    bool looked;                     /* the result is a picture */
    iimg_generation_outcome_t outcome;
    iimg_stored_picture_t stored;
} iimg_generation_run_t;

/**
 * Read a job that this process has claimed.
 * Errors: IIMG_NOT_FOUND when it is not there any more, IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_generation_run_read(iimg_context_t *context, const char *id,
                                       iimg_generation_run_t *run);

/**
 * Read identity and photos: run->ask is complete then. Photos that have been deleted since are left
 * out, with a warning.
 * Errors: IIMG_INVALID no_readable_references, IIMG_UNAVAILABLE, IIMG_BUSY.
 */
iimg_error_t *iimg_generation_run_load(iimg_context_t *context, iimg_generation_run_t *run);

/**
 * Store the picture in run->result and end the job with it. May be called again after an error.
 * Errors: IIMG_UPSTREAM when it is no picture: nothing will mend that. IIMG_UNAVAILABLE, IIMG_BUSY:
 * the store, the database or the worker is away. IIMG_CONFLICT: the job has ended otherwise.
 */
iimg_error_t *iimg_generation_run_keep(iimg_context_t *context, iimg_generation_run_t *run);

/** End the job with an error that has a code. May be called again. Errors: IIMG_UNAVAILABLE. */
iimg_error_t *iimg_generation_run_fail(iimg_context_t *context, iimg_generation_run_t *run,
                                       const iimg_error_t *cause, int status);

/**
 * Save the picture to the identity, in the name of who asked for it, when that was asked for.
 * Errors: IIMG_UNAVAILABLE: may be called again; others are final.
 */
iimg_error_t *iimg_generation_run_save(iimg_context_t *context, iimg_generation_run_t *run);

#endif
