/* auth.c - log in, log out, and list and delete the caller's tokens. */
#include "views/views.h"

#include <string.h>
#include "functions/public/public.h"
#include "serializers/serializers.h"
#include "server/authn/attempt.h"
#include "server/http/response.h"
#include "server/authn/session.h"
#include "server/authn/token.h"

#define MAX_EMAIL    254  /* characters */
#define MAX_PASSWORD 1024 /* characters */

typedef struct credentials_t {
    const char *email;
    const char *password;
    bool token; /* send a bearer token in place of a cookie */
} credentials_t;

static iimg_error_t *refuse(const iimg_request_t *req, const char *field, const char *sentence)
{
    return iimg_error_invalid_field(req->context->pool, field, NULL, "%s", sentence);
}

static iimg_error_t *require(const iimg_request_t *req, const char *field, const char *text)
{
    if (!text) {
        return refuse(req, field, "This field is required.");
    }
    return *text ? NULL : refuse(req, field, "This field may not be blank.");
}

static iimg_error_t *read_email(iimg_request_t *req, const iimg_input_t *input,
                                credentials_t *credentials)
{
    iimg_error_t *err = iimg_input_text(input, "email", MAX_EMAIL, &credentials->email);

    if (err) {
        return err;
    }
    return require(req, "email", credentials->email);
}

static iimg_error_t *read_password(iimg_request_t *req, const iimg_input_t *input,
                                   credentials_t *credentials)
{
    iimg_error_t *err = iimg_input_secret(input, "password", MAX_PASSWORD, &credentials->password);

    if (err) {
        return err;
    }
    return require(req, "password", credentials->password);
}

static iimg_error_t *read_credentials(iimg_request_t *req, credentials_t *credentials)
{
    iimg_input_t *input;
    iimg_error_t *err = iimg_request_form(req, &input);

    if (err) {
        return err;
    }
    err = read_email(req, input, credentials);
    err = iimg_error_join(err, read_password(req, input, credentials));
    return iimg_error_join(err, iimg_input_bool(input, "token", &credentials->token));
}

/* Sends the token either in the body or in a cookie, not both. */
static iimg_error_t *answer_session(iimg_request_t *req, const iimg_new_session_t *session,
                                    bool token)
{
    iimg_json_t *out = iimg_respond_begin(req, 512);

    if (token) {
        iimg_bearer_serialize(out, session);
        return iimg_respond_json(req, HTTP_OK, out);
    }
    iimg_session_set(req->r, session->token, req->config->session_age);
    iimg_user_serialize(out, &session->user);
    return iimg_respond_json(req, HTTP_OK, out);
}

iimg_error_t *iimg_view_auth_login(iimg_request_t *req)
{
    credentials_t credentials = { .token = false };
    iimg_login_attempt_t attempt;
    iimg_new_session_t session;
    iimg_error_t *err = read_credentials(req, &credentials);

    if (err) {
        return err;
    }
    iimg_authn_attempt(req->r, credentials.email, credentials.password, &attempt);
    err = iimg_log_in(
        req->context, &attempt, credentials.token ? IIMG_TOKEN_BEARER : IIMG_TOKEN_SESSION,
        credentials.token ? req->config->token_age : req->config->session_age, &session);
    if (err) {
        return err;
    }
    return answer_session(req, &session, credentials.token);
}

iimg_error_t *iimg_view_auth_logout(iimg_request_t *req)
{
    iimg_error_t *err = iimg_log_out(req->context, iimg_session_hash(req->r));

    if (err) {
        return err;
    }
    iimg_authn_forget_token(req->r);
    iimg_session_clear(req->r);
    return iimg_respond_no_content(req);
}

iimg_error_t *iimg_view_auth_token_list(iimg_request_t *req)
{
    apr_array_header_t *tokens;
    iimg_json_t *out;
    iimg_error_t *err = iimg_list_tokens(req->context, &tokens);

    if (err) {
        return err;
    }
    out = iimg_respond_begin(req, 2048);
    iimg_json_array_open(out);
    for (int i = 0; i < tokens->nelts; i++) {
        iimg_token_serialize(out, &APR_ARRAY_IDX(tokens, i, iimg_token_t));
    }
    iimg_json_array_close(out);
    return iimg_respond_json(req, HTTP_OK, out);
}

iimg_error_t *iimg_view_auth_token_destroy(iimg_request_t *req)
{
    const char *hash, *session = iimg_session_hash(req->r);
    iimg_error_t *err = iimg_delete_token(req->context, req->id, &hash);

    if (err) {
        return err;
    }
    if (session && strcmp(session, hash) == 0) {
        iimg_session_clear(req->r);
    }
    return iimg_respond_no_content(req);
}
