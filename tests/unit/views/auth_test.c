/* auth_test.c - views/auth.c: what logging in takes, how long a login lives, and which cookies are
 * set and cleared. */
#include "views/auth.c"
#include <apr_strings.h>
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_config_t config;
static const char *form;

static struct {
    int logged_in, seconds, cookies, cookie_seconds, cleared, forgotten, sent;
    const char *kind, *email, *password, *cookie, *hash, *own_hash;
    iimg_error_t *error;
} world;

iimg_error_t *iimg_request_form(iimg_request_t *req, iimg_input_t **input)
{
    return iimg_input_parse(req->context->pool, "application/json", form, strlen(form), input);
}

void iimg_authn_attempt(request_rec *r, const char *email, const char *password,
                        iimg_login_attempt_t *attempt)
{
    (void)r;
    *attempt = (iimg_login_attempt_t){ .email = email, .password = password };
}

iimg_error_t *iimg_log_in(iimg_context_t *of, const iimg_login_attempt_t *attempt, const char *kind,
                          int seconds, iimg_new_session_t *session)
{
    (void)of;
    world.logged_in++;
    world.kind = kind;
    world.seconds = seconds;
    world.email = attempt->email;
    world.password = attempt->password;
    memset(session, 0, sizeof(*session));
    session->token = "the token";
    session->user.id = session->user.email = "x";
    return world.error;
}

iimg_error_t *iimg_log_out(iimg_context_t *of, const char *hash)
{
    (void)of;
    world.hash = hash;
    return world.error;
}

iimg_error_t *iimg_list_tokens(iimg_context_t *of, apr_array_header_t **tokens)
{
    *tokens = apr_array_make(of->pool, 1, sizeof(iimg_token_t));
    return world.error;
}

iimg_error_t *iimg_delete_token(iimg_context_t *of, const char *id, const char **hash)
{
    (void)of, (void)id;
    *hash = "sha256:deleted";
    return world.error;
}

void iimg_session_set(request_rec *r, const char *token, int seconds)
{
    (void)r;
    world.cookies++;
    world.cookie = token;
    world.cookie_seconds = seconds;
}

void iimg_session_clear(request_rec *r)
{
    (void)r;
    world.cleared++;
}

const char *iimg_session_hash(request_rec *r)
{
    (void)r;
    return world.own_hash;
}

void iimg_authn_forget_token(request_rec *r)
{
    (void)r;
    world.forgotten++;
}

iimg_json_t *iimg_respond_begin(iimg_request_t *req, apr_size_t reserve)
{
    return iimg_json_create(req->context->pool, reserve);
}

iimg_error_t *iimg_respond_json(iimg_request_t *req, int status, const iimg_json_t *json)
{
    (void)req, (void)json;
    world.sent = status;
    return NULL;
}

iimg_error_t *iimg_respond_no_content(iimg_request_t *req)
{
    (void)req;
    world.sent = 204;
    return NULL;
}

static iimg_request_t *request(const char *body)
{
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));

    memset(&world, 0, sizeof(world));
    form = body;
    config.session_age = 111;
    config.token_age = 222;
    req->r = apr_pcalloc(context->pool, sizeof(*req->r));
    req->context = context;
    req->config = &config;
    return req;
}

static const char *credentials(int email, int password)
{
    return apr_psprintf(
        context->pool, "{\"email\": \"%s\", \"password\": \"%s\"}",
        email ? (char *)memset(apr_pcalloc(context->pool, (size_t)email + 1), 'e', (size_t)email)
              : "",
        password ? (char *)memset(apr_pcalloc(context->pool, (size_t)password + 1), 'p',
                                  (size_t)password)
                 : "");
}

static void test_lengths(void)
{
    static const struct {
        int email, password;
        const char *field;
    } cases[] = {
        { 254, 1024, NULL }, { 255, 1024, "email" }, { 254, 1025, "password" },
        { 1, 1, NULL },      { 0, 1, "email" },      { 1, 0, "password" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_error_t *err = iimg_view_auth_login(
            request(credentials(cases[i].email, cases[i].password)));

        tap_is(err ? err->field : NULL, cases[i].field,
               "an email of %d, a password of %d characters", cases[i].email, cases[i].password);
        tap_is_number(world.logged_in, !cases[i].field, "only good credentials are compared");
    }
    {
        iimg_error_t *err = iimg_view_auth_login(request("{}"));

        tap_ok(err && strcmp(err->field, "email") == 0 && err->more
                   && strcmp(err->more->field, "password") == 0
                   && strcmp(err->message, "This field is required.") == 0,
               "both are required");
        err = iimg_view_auth_login(request("{\"email\": \" \", \"password\": \"p\"}"));
        tap_is(err ? err->message : NULL, "This field may not be blank.", "an email of blanks");
    }
}

static void test_ages(void)
{
    (void)iimg_view_auth_login(request("{\"email\": \" e \", \"password\": \" p \"}"));
    tap_is(world.kind, "session", "a login is a session");
    tap_is_number(world.seconds, 111, "a session has its age");
    tap_is_number(world.cookie_seconds, 111, "a cookie has the session's age");
    tap_is(world.cookie, "the token", "a cookie has the token");
    tap_ok(strcmp(world.email, "e") == 0 && strcmp(world.password, " p ") == 0,
           "an email is trimmed, a password is not");
    tap_is_number(world.sent, 200, "a session is answered");
    (void)iimg_view_auth_login(
        request("{\"email\": \"e\", \"password\": \"p\", \"token\": false}"));
    tap_is_number(world.cookies, 1, "no token is a cookie");
    (void)iimg_view_auth_login(request("{\"email\": \"e\", \"password\": \"p\", \"token\": true}"));
    tap_is(world.kind, "bearer", "a login with a token is a bearer's");
    tap_is_number(world.seconds, 222, "a token has its age");
    tap_is_number(world.cookies, 0, "a token is no cookie");
    {
        iimg_request_t *req = request("{\"email\": \"e\", \"password\": \"p\"}");

        world.error = iimg_error(context->pool, IIMG_UNAUTHENTICATED, "No.");
        tap_ok(iimg_view_auth_login(req) == world.error && !world.cookies && !world.sent,
               "a wrong password has no cookie");
    }
}

static void test_ends(void)
{
    iimg_request_t *req = request("{}");

    world.own_hash = "sha256:own";
    tap_ok(!iimg_view_auth_logout(req) && world.cleared == 1 && world.forgotten == 1
               && world.sent == 204 && strcmp(world.hash, "sha256:own") == 0,
           "logging out ends the session, forgets it and clears the cookie");
    req = request("{}");
    world.error = iimg_error(context->pool, IIMG_UNAVAILABLE, "No.");
    tap_ok(iimg_view_auth_logout(req) && !world.cleared && !world.forgotten,
           "a session that cannot be ended stays");
    for (int i = 0; i < 4; i++) {
        static const char *const hashes[] = { "sha256:deleted", "sha256:other", NULL,
                                              "sha256:deleted" };

        req = request("{}");
        world.own_hash = hashes[i];
        world.error = i == 3 ? iimg_error(context->pool, IIMG_NOT_FOUND, "No.") : NULL;
        tap_ok((iimg_view_auth_token_destroy(req) != NULL) == (i == 3),
               "ending a token, own session %s", hashes[i] ? hashes[i] : "(none)");
        tap_is_number(world.cleared, i == 0, "ending a token: its own cookie alone is cleared");
    }
    req = request("{}");
    tap_ok(!iimg_view_auth_token_list(req) && world.sent == 200, "tokens are listed");
}

int main(void)
{
    context = work_begin();
    test_lengths();
    test_ages();
    test_ends();
    work_end(context);
    return tap_done();
}
