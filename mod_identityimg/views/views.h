/* views.h - views of routes: read the input, call a function, send the result. */
#ifndef IIMG_VIEWS_VIEWS_H
#define IIMG_VIEWS_VIEWS_H

#include "server/http/request.h"

/** Each sends the response. On error it sends nothing; routes.c sends the error it returns. */
iimg_error_t *iimg_view_reference_image_list(iimg_request_t *req);
iimg_error_t *iimg_view_reference_image_create(iimg_request_t *req);
iimg_error_t *iimg_view_reference_image_retrieve(iimg_request_t *req);
iimg_error_t *iimg_view_reference_image_update(iimg_request_t *req);
iimg_error_t *iimg_view_reference_image_destroy(iimg_request_t *req);
iimg_error_t *iimg_view_reference_image_upload(iimg_request_t *req);

iimg_error_t *iimg_view_auth_login(iimg_request_t *req);
iimg_error_t *iimg_view_auth_logout(iimg_request_t *req);
iimg_error_t *iimg_view_auth_token_list(iimg_request_t *req);
iimg_error_t *iimg_view_auth_token_destroy(iimg_request_t *req);

iimg_error_t *iimg_view_user_me(iimg_request_t *req);
iimg_error_t *iimg_view_user_me_identities(iimg_request_t *req);

iimg_error_t *iimg_view_test_user_list(iimg_request_t *req);
iimg_error_t *iimg_view_test_user_identities(iimg_request_t *req);

iimg_error_t *iimg_view_identity_upload(iimg_request_t *req);
iimg_error_t *iimg_view_identity_delete_image(iimg_request_t *req);
iimg_error_t *iimg_view_identity_restore_image(iimg_request_t *req);

iimg_error_t *iimg_view_image_generation_users(iimg_request_t *req);
iimg_error_t *iimg_view_image_generation_options(iimg_request_t *req);
iimg_error_t *iimg_view_image_generation_generate(iimg_request_t *req);

iimg_error_t *iimg_view_generation_job_list(iimg_request_t *req);
iimg_error_t *iimg_view_generation_job_retrieve(iimg_request_t *req);
iimg_error_t *iimg_view_generation_job_cancel(iimg_request_t *req);
iimg_error_t *iimg_view_generation_job_save(iimg_request_t *req);

iimg_error_t *iimg_view_prompt_list(iimg_request_t *req);
iimg_error_t *iimg_view_prompt_create(iimg_request_t *req);
iimg_error_t *iimg_view_prompt_retrieve(iimg_request_t *req);
iimg_error_t *iimg_view_prompt_update(iimg_request_t *req);
iimg_error_t *iimg_view_prompt_preview(iimg_request_t *req);

iimg_error_t *iimg_view_core_enums(iimg_request_t *req);

iimg_error_t *iimg_view_schema(iimg_request_t *req);
iimg_error_t *iimg_view_health_live(iimg_request_t *req);
iimg_error_t *iimg_view_health_ready(iimg_request_t *req);

/* Resources that staff list, read, create, change and delete: req->resource is the route's. */
iimg_error_t *iimg_view_resource_list(iimg_request_t *req);
iimg_error_t *iimg_view_resource_create(iimg_request_t *req);
iimg_error_t *iimg_view_resource_retrieve(iimg_request_t *req);
iimg_error_t *iimg_view_resource_update(iimg_request_t *req);
iimg_error_t *iimg_view_resource_destroy(iimg_request_t *req);

#endif
