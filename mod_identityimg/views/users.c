/* users.c - read the caller's own row, and list the caller's identities. */
#include "views/views.h"

#include "functions/public/public.h"
#include "serializers/serializers.h"
#include "server/http/response.h"
#include "views/shared.h"

iimg_error_t *iimg_view_user_me(iimg_request_t *req)
{
    iimg_json_t *out;
    iimg_user_t *user;
    iimg_error_t *err = iimg_get_me(req->context, &user);

    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 512);
    iimg_user_serialize(out, user);
    return iimg_respond_json(req, HTTP_OK, out);
}

iimg_error_t *iimg_view_user_me_identities(iimg_request_t *req)
{
    apr_array_header_t *identities;
    iimg_error_t *err = iimg_list_my_identities(req->context, &identities);

    if (err) {
        return err;
    }
    return iimg_answer_identities(req, identities);
}
