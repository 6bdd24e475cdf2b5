/* test_scenario.h - test scenarios and the users who play them. */
#ifndef IIMG_TEST_SCENARIO_H
#define IIMG_TEST_SCENARIO_H

#include "models/user.h"

/** A scenario that has a user. */
typedef struct iimg_test_scenario_t {
    const char *name;           /* the scenario's */
    iimg_user_t user;
} iimg_test_scenario_t;

/**
 * All scenarios that have a user, by name.
 * @param scenarios iimg_test_scenario_t; empty for callers who are not staff
 */
iimg_error_t *iimg_test_scenario_list(iimg_context_t *context, const iimg_caller_t **caller,
                                      apr_array_header_t **scenarios);

#endif
