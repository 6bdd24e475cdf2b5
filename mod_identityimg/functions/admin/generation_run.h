/* generation_run.h - run a job: load its inputs, store its picture or record its error. */
#ifndef IIMG_FUNCTIONS_ADMIN_GENERATION_RUN_H
#define IIMG_FUNCTIONS_ADMIN_GENERATION_RUN_H

#include "functions/admin/admin.h"

/*
 * server/jobs/task.c calls these in order, in one thread at a time for each job:
 *
 *   iimg_generation_run_read(), iimg_generation_run_load()
 *   the generator sets run->result
 *   iimg_generation_run_store(), then iimg_generation_run_save()
 *   or, after an error, iimg_generation_run_fail()
 */

/** A job that this process has claimed. */
typedef struct iimg_generation_run_t {
    iimg_generation_job_t *job;      /* the row in the database */
    iimg_generator_request_t ask;    /* the request to the generator */
    const char *spool;               /* path of the provider's reply; NULL: none */
    apr_array_header_t *warnings;    /* const char *, not in the row yet */
    iimg_generator_result_t *result; /* NULL: none yet */
    bool inspected;                  /* the result is a picture */
    iimg_generation_outcome_t outcome;
    iimg_stored_picture_t stored;
} iimg_generation_run_t;

/**
 * Read a job that this process has claimed.
 * Errors: IIMG_NOT_FOUND when it was deleted, IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_generation_run_read(iimg_context_t *context, const char *id,
                                       iimg_generation_run_t *run);

/**
 * Read identity and photos to complete run->ask. Deleted photos are skipped with a warning.
 * Errors: IIMG_INVALID no_readable_references, IIMG_UNAVAILABLE, IIMG_BUSY.
 */
iimg_error_t *iimg_generation_run_load(iimg_context_t *context, iimg_generation_run_t *run);

/**
 * Store the picture in run->result and finish the job. May be retried after an error.
 * Errors: IIMG_UPSTREAM when it is not a picture, which is final. IIMG_UNAVAILABLE, IIMG_BUSY: the
 * store, the database or the worker is unavailable. IIMG_CONFLICT: the job has already ended.
 */
iimg_error_t *iimg_generation_run_store(iimg_context_t *context, iimg_generation_run_t *run);

/** Finish the job with an error that has a code. May be retried. Errors: IIMG_UNAVAILABLE. */
iimg_error_t *iimg_generation_run_fail(iimg_context_t *context, iimg_generation_run_t *run,
                                       const iimg_error_t *cause, int status);

/**
 * Save the picture to the identity if the job says so, with the rights of the user who requested
 * it. Errors: IIMG_UNAVAILABLE, which may be retried; others are final.
 */
iimg_error_t *iimg_generation_run_save(iimg_context_t *context, iimg_generation_run_t *run);

#endif
