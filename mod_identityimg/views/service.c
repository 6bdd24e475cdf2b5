/* service.c - what the service says of itself, to anyone: its description, its health. */
#include "views/views.h"

#include "openapi.h"
#include "server/health.h"
#include "server/response.h"

iimg_error_t *iimg_view_schema(iimg_request_t *req)
{
    const iimg_document_t document = {
        .type = "application/json", .digest = iimg_openapi_digest,
        .data = iimg_openapi, .length = (apr_size_t)(iimg_openapi_end - iimg_openapi),
    };

    return iimg_respond_document(req, &document);
}

static iimg_error_t *answer_ok(iimg_request_t *req)
{
    iimg_json_t *out = iimg_respond_begin(req, 32);

    iimg_json_object_open(out);
    iimg_json_member(out, "status", "ok");
    iimg_json_object_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

iimg_error_t *iimg_view_health_live(iimg_request_t *req)
{
    return answer_ok(req);
}

iimg_error_t *iimg_view_health_ready(iimg_request_t *req)
{
    iimg_error_t *err = iimg_health_ready(req);

    return err ? err : answer_ok(req);
}
