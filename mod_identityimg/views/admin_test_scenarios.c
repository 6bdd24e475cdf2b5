/* admin_test_scenarios.c - test scenarios and who plays them, for staff. */
#include "views/views.h"

#include "functions/admin/admin.h"
#include "functions/shared/version.h"
#include "serializers/serializers.h"
#include "server/http/idempotency.h"
#include "server/http/response.h"
#include "views/page.h"
#include "views/shared.h"

#define MAX_SCENARIO_NAME 255 /* characters */

static iimg_error_t *answer_one(iimg_request_t *req, int status, const iimg_scenario_t *scenario)
{
    iimg_json_t *out;

    if (iimg_respond_unchanged(req, apr_itoa(req->context->pool, scenario->version), false)) {
        return NULL;
    }
    out = iimg_respond_begin(req, 512);
    iimg_scenario_serialize(out, scenario);
    return iimg_respond_json(req, status, out);
}

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    (void)signer;
    iimg_scenario_serialize(out, row);
}

static iimg_error_t *read_change(const iimg_input_t *input, iimg_scenario_change_t *change)
{
    iimg_error_t *err = iimg_input_given(input, "name", MAX_SCENARIO_NAME, 0, &change->name);

    return iimg_error_join(
        err, iimg_input_given_uuid(input, "user_id", IIMG_MAY_BE_NULL, &change->user_id));
}

iimg_error_t *iimg_view_admin_test_scenario_list(iimg_request_t *req)
{
    apr_array_header_t *scenarios;
    iimg_input_t *query;
    iimg_page_t page;
    iimg_error_t *err = iimg_read_page(req, &page, &query);

    if (err) {
        return iimg_refuse_list(req, err);
    }
    err = iimg_list_test_scenarios(req->context, &page, &scenarios);
    return err ? err : iimg_answer_page(req, &page, scenarios, write_row);
}

static iimg_error_t *answer_created(iimg_request_t *req, int status,
                                    const iimg_scenario_t *scenario)
{
    iimg_set_location(req, scenario->id);
    return answer_one(req, status, scenario);
}

/* The row that the request made when it came first, as it is now. */
static iimg_error_t *replay_create(iimg_request_t *req, const iimg_replay_t *replay)
{
    iimg_scenario_t *scenario;
    iimg_error_t *err = iimg_get_test_scenario(req->context, replay->id, &scenario);

    return err ? iimg_replay_error(req, err) : answer_created(req, replay->status, scenario);
}

iimg_error_t *iimg_view_admin_test_scenario_create(iimg_request_t *req)
{
    static const char *const required[] = { "name", NULL };
    iimg_scenario_change_t wanted;
    iimg_scenario_t *scenario;
    iimg_input_t *input;
    const iimg_replay_t *replay;
    iimg_error_t *err = iimg_request_input_once(req, IIMG_ROW_SECONDS, IIMG_PATIENCE, &input,
                                                &replay);

    if (!err && replay) {
        return replay_create(req, replay);
    }
    if (!err) {
        err = iimg_error_join(iimg_input_require(input, required), read_change(input, &wanted));
    }
    if (!err) {
        err = iimg_create_test_scenario(req->context, &wanted, &scenario);
    }
    return err ? err : answer_created(req, HTTP_CREATED, scenario);
}

iimg_error_t *iimg_view_admin_test_scenario_retrieve(iimg_request_t *req)
{
    iimg_scenario_t *scenario;
    iimg_error_t *err = iimg_get_test_scenario(req->context, req->id, &scenario);

    return err ? err : answer_one(req, HTTP_OK, scenario);
}

iimg_error_t *iimg_view_admin_test_scenario_update(iimg_request_t *req)
{
    iimg_scenario_change_t wanted;
    iimg_scenario_t *scenario;
    iimg_input_t *input;
    iimg_error_t *err = iimg_get_test_scenario(req->context, req->id, &scenario);

    if (!err) {
        err = iimg_check_version(req->context, scenario->version);
    }
    if (!err) {
        err = iimg_request_input(req, &input);
    }
    if (!err) {
        err = read_change(input, &wanted);
    }
    if (!err) {
        err = iimg_update_test_scenario(req->context, req->id, &wanted, &scenario);
    }
    return err ? err : answer_one(req, HTTP_OK, scenario);
}

iimg_error_t *iimg_view_admin_test_scenario_destroy(iimg_request_t *req)
{
    iimg_error_t *err = iimg_delete_test_scenario(req->context, req->id);

    return err ? err : iimg_respond_no_content(req);
}
