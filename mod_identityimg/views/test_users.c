/* test_users.c - list the users of test scenarios, and their identities. */
#include "views/views.h"

#include "functions/admin/admin.h"
#include "serializers/serializers.h"
#include "server/http/response.h"
#include "views/shared.h"

iimg_error_t *iimg_view_test_user_list(iimg_request_t *req)
{
    iimg_json_t *out;
    apr_array_header_t *scenarios;
    iimg_error_t *err = iimg_list_test_users(req->context, &scenarios);

    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 4096);
    iimg_json_array_open(out);
    for (int i = 0; i < scenarios->nelts; i++) {
        iimg_user_serialize(out, &APR_ARRAY_IDX(scenarios, i, iimg_test_scenario_t).user);
    }
    iimg_json_array_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

iimg_error_t *iimg_view_test_user_identities(iimg_request_t *req)
{
    apr_array_header_t *identities;
    iimg_error_t *err = iimg_list_test_user_identities(req->context, req->id, &identities);

    if (err) {
        return err;
    }
    return iimg_answer_identities(req, identities);
}
