/* test_scenario.h - test scenarios and the users who play them. */
#ifndef IIMG_MODELS_TEST_SCENARIO_H
#define IIMG_MODELS_TEST_SCENARIO_H

#include "models/page.h"
#include "models/user.h"

/** A scenario that has a user. */
typedef struct iimg_test_scenario_t {
    const char *name; /* the scenario's */
    iimg_user_t user;
} iimg_test_scenario_t;

/**
 * All scenarios that have a user, by name.
 * @param scenarios iimg_test_scenario_t; empty for callers who are not staff
 */
iimg_error_t *iimg_test_scenario_list(iimg_context_t *context, const iimg_caller_t **caller,
                                      apr_array_header_t **scenarios);

/* What staff keep ------------------------------------------------------------------------------ */

/** A scenario, with a user or without. */
typedef struct iimg_scenario_t {
    const char *id;
    const char *name;
    const char *user_id;    /* NULL: nobody plays it */
    const char *user_email; /* NULL with user_id */
    const char *created_at; /* PostgreSQL's text */
    int version;            /* one more with each change */
} iimg_scenario_t;

/** A page of all scenarios; nothing unless the caller is staff. @param scenarios iimg_scenario_t */
iimg_error_t *iimg_scenario_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_caller_t **caller, apr_array_header_t **scenarios);

/** One scenario. @param scenario NULL when there is none such, or the caller is not staff */
iimg_error_t *iimg_scenario_by_id(iimg_context_t *context, const char *id,
                                  const iimg_caller_t **caller, iimg_scenario_t **scenario);

/** Within a transaction: read and lock one scenario. @param scenario NULL when there is none such
 */
iimg_error_t *iimg_scenario_lock(iimg_context_t *context, const char *id,
                                 iimg_scenario_t **scenario);

/**
 * Insert a scenario with name and user_id. @param scenario what is wanted; the row after it
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_scenario_insert(iimg_context_t *context, iimg_scenario_t **scenario);

/**
 * Change name and user_id to what scenario says.
 * @param scenario the row after it; NULL when it is gone
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_scenario_update(iimg_context_t *context, iimg_scenario_t **scenario);

/** Delete a scenario; its user stays. @param found whether it was there */
iimg_error_t *iimg_scenario_delete(iimg_context_t *context, const char *id, bool *found);

#endif
