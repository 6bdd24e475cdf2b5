/* admin_test_scenarios.c - test scenarios, for staff. */
#include "serializers/serializers.h"
#include "views/resource.h"
#include "views/shared.h"

#define MAX_SCENARIO_NAME 255 /* characters */

static iimg_error_t *read_change(iimg_request_t *req, const iimg_input_t *input,
                                 iimg_row_change_t *change)
{
    iimg_scenario_change_t *scenario = &change->test_scenario;
    iimg_error_t *err = iimg_input_given(input, "name", MAX_SCENARIO_NAME, 0, &scenario->name);

    (void)req;
    return iimg_error_join(
        err, iimg_input_given_uuid(input, "user_id", IIMG_MAY_BE_NULL, &scenario->user_id));
}

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    (void)signer;
    iimg_scenario_serialize(out, row);
}

const iimg_resource_view_t iimg_admin_test_scenarios = {
    .path = "admin/test-scenarios/",
    .rows = &iimg_test_scenario_resource,
    .required = (const char *const[]){ "name", NULL },
    .seconds = IIMG_ROW_SECONDS,
    .read_new = read_change,
    .read_change = read_change,
    .write = write_row,
};
