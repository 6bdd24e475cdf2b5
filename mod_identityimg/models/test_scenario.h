/* test_scenario.h - test scenarios and their users: rows of test_scenarios. */
#ifndef IIMG_MODELS_TEST_SCENARIO_H
#define IIMG_MODELS_TEST_SCENARIO_H

#include "models/page.h"
#include "models/user.h"

/** A scenario with a user. */
typedef struct iimg_test_scenario_t {
    const char *name; /* of the scenario */
    iimg_user_t user;
} iimg_test_scenario_t;

/**
 * All scenarios with a user, by name.
 * @param scenarios iimg_test_scenario_t; empty unless the caller is staff
 */
iimg_error_t *iimg_test_scenario_list(iimg_context_t *context, const iimg_caller_t **caller,
                                      apr_array_header_t **scenarios);

/* For staff ------------------------------------------------------------------------------------ */

/** A scenario with or without a user. */
typedef struct iimg_scenario_t {
    const char *id;
    const char *name;
    const char *user_id;    /* NULL: no user */
    const char *user_email; /* NULL if user_id is */
    const char *created_at; /* PostgreSQL's text */
    int version;            /* counts changes */
} iimg_scenario_t;

/** A page of all scenarios; empty unless the caller is staff. @param scenarios iimg_scenario_t */
iimg_error_t *iimg_scenario_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_caller_t **caller, apr_array_header_t **scenarios);

/** One scenario. @param scenario NULL if there is none such, or the caller is not staff */
iimg_error_t *iimg_scenario_by_id(iimg_context_t *context, const char *id,
                                  const iimg_caller_t **caller, iimg_scenario_t **scenario);

/** Lock one scenario until the transaction ends. @param scenario NULL if there is none such */
iimg_error_t *iimg_scenario_lock(iimg_context_t *context, const char *id,
                                 iimg_scenario_t **scenario);

/**
 * Insert a scenario with name and user_id.
 * @param scenario the values to insert; set to the new row
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_scenario_insert(iimg_context_t *context, iimg_scenario_t **scenario);

/**
 * Update name and user_id.
 * @param scenario the new values; set to the updated row, NULL if it is deleted
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_scenario_update(iimg_context_t *context, iimg_scenario_t **scenario);

/** Delete a scenario, but not its user. @param found whether it existed */
iimg_error_t *iimg_scenario_delete(iimg_context_t *context, const char *id, bool *found);

#endif
