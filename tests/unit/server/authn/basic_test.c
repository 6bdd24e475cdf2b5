/* basic_test.c - server/authn/basic.c: which passwords are verified, remembered and trusted. */
#include "server/authn/basic.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_config_t config;
static iimg_location_t location;
static const char *form_password;
static int form_error;

static struct {
    bool known, known_after_claim, claims, right, active, user_active;
    const char *proof, *stored_hash;
    iimg_error_t *verify_error, *lookup_error, *pending;
    int keyed, verified, remembered, seconds, forgotten, claimed, released, looked_up;
    bool open, open_set;
    char key[128];
    const char *login;
} world;

bool iimg_credential_cache_key(const server_rec *server, const char *kind, const void *text,
                               size_t length, unsigned char *key)
{
    (void)server;
    world.keyed++;
    apr_snprintf(world.key, sizeof(world.key), "%s:%.*s", kind, (int)length, (const char *)text);
    memset(key, 1, IIMG_CREDENTIAL_KEY_BYTES);
    return true;
}

bool iimg_credential_cache_get(apr_pool_t *pool, const unsigned char *key,
                               iimg_credentials_t *credentials)
{
    (void)pool, (void)key;
    *credentials = (iimg_credentials_t){ "ann@x", world.proof };
    return world.known || (world.known_after_claim && world.claimed);
}

void iimg_credential_cache_put(const unsigned char *key, const iimg_credentials_t *credentials,
                               int seconds)
{
    (void)key;
    world.remembered++;
    world.seconds = seconds;
    world.proof = credentials->proof;
    world.login = credentials->login;
}

bool iimg_credential_cache_remove(const unsigned char *key)
{
    (void)key;
    world.forgotten++;
    return true;
}

bool iimg_credential_cache_lock(const unsigned char *key)
{
    (void)key;
    world.claimed++;
    return world.claims;
}

void iimg_credential_cache_unlock(const unsigned char *key)
{
    (void)key;
    world.released++;
}

void iimg_pending_error_set(request_rec *r, iimg_error_t *err)
{
    (void)r;
    world.pending = err;
}

void iimg_login_open_set(request_rec *r, bool open)
{
    (void)r;
    world.open = open;
    world.open_set = true;
}

void iimg_authn_attempt(request_rec *r, const char *email, const char *password,
                        iimg_login_attempt_t *attempt)
{
    (void)r;
    *attempt = (iimg_login_attempt_t){ .email = email, .password = password };
}

iimg_context_t *iimg_context_of(request_rec *r)
{
    (void)r;
    return context;
}

iimg_config_t *iimg_config_of(const server_rec *server)
{
    (void)server;
    return &config;
}

const iimg_location_t *iimg_location_of(const request_rec *r)
{
    (void)r;
    return &location;
}

const char *iimg_login_form(apr_pool_t *pool, const char *login)
{
    (void)pool;
    return login;
}

iimg_error_t *iimg_verify_login(iimg_context_t *of, const iimg_login_attempt_t *attempt,
                                iimg_login_t **login)
{
    world.verified++;
    *login = NULL;
    if (!world.verify_error && world.right && attempt->email
        && strcmp(attempt->email, "ann@x") == 0) {
        *login = apr_pcalloc(of->pool, sizeof(**login));
        (*login)->is_active = world.active;
        (*login)->hash = "verified";
        (*login)->user.email = "Ann@x";
    }
    return world.verify_error;
}

iimg_error_t *iimg_user_password_by_email(iimg_context_t *of, const char *email, const char **hash,
                                          bool *active)
{
    (void)of, (void)email;
    world.looked_up++;
    *hash = world.stored_hash;
    *active = world.user_active;
    return world.lookup_error;
}

int ap_get_basic_auth_components(const request_rec *r, const char **username, const char **password)
{
    (void)r, (void)username;
    *password = form_password;
    return form_error;
}

apr_status_t ap_register_auth_provider(apr_pool_t *pool, const char *group, const char *name,
                                       const char *version, const void *given, int type)
{
    (void)pool, (void)group, (void)name, (void)version, (void)given, (void)type;
    return APR_SUCCESS;
}

static request_rec *request(bool ours)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    memset(&world, 0, sizeof(world));
    world.claims = world.right = world.active = world.user_active = true;
    world.proof = world.stored_hash = "hash";
    r->pool = context->pool;
    r->headers_in = apr_table_make(r->pool, 1);
    context->login_proof = NULL;
    location.use = ours ? IIMG_LOCATION_API : IIMG_LOCATION_OFF;
    return r;
}

static const char *letters(size_t count)
{
    return memset(apr_pcalloc(context->pool, count + 1), 'x', count);
}

static void test_form(void)
{
    static const struct {
        const char *header;
        bool proxy, denied;
        const char *what;
    } headers[] = {
        { "Basic YTpiAGM=", false, true, "a NUL in the password" },
        { "Basic YTpiAA==", false, true, "a NUL at the password's end" },
        { "basic  \tYTpiAGM=", false, true, "a NUL, and blanks before it" },
        { "Basic YTpiYw==", false, false, "no NUL" },
        { "Basix YTpiAGM=", false, false, "another scheme" },
        { "Basic YTpiAGM=", true, false, "a NUL in the header that does not count" },
    };

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        request_rec *r = request(true);

        r->proxyreq = headers[i].proxy ? PROXYREQ_PROXY : PROXYREQ_NONE;
        apr_table_set(r->headers_in, "Authorization", headers[i].header);
        tap_is_number(check_password(r, "ann@x", "b"),
                      headers[i].denied ? AUTH_DENIED : AUTH_GRANTED, "%s", headers[i].what);
    }
    {
        request_rec *r = request(true);

        r->proxyreq = PROXYREQ_PROXY;
        apr_table_set(r->headers_in, "Proxy-Authorization", "Basic YTpiAGM=");
        tap_is_number(check_password(r, "ann@x", "b"), AUTH_DENIED, "a NUL in a proxy's header");
    }
    tap_is_number(check_password(request(true), "ann@x", letters(4096)), AUTH_GRANTED,
                  "a password of 4096 bytes");
    tap_is_number(check_password(request(true), "ann@x", letters(4097)), AUTH_DENIED,
                  "a password of 4097 bytes");
    tap_is_number(world.keyed + world.verified, 0, "a password that is too long is not hashed");
    check_password(request(true), letters(254), "p");
    tap_is_number(world.verified, 1, "an email of 254 characters is looked up");
    tap_is_number(check_password(request(true), letters(255), "p"), AUTH_DENIED,
                  "an email of 255 characters");
    tap_is_number(check_password(request(true), "\xff", "p"), AUTH_DENIED,
                  "an email that is no UTF-8");
}

static void test_key(void)
{
    check_password(request(true), "ANN@x", "PassWord");
    tap_is(world.key, "basic:ann@x\nPassWord",
           "a password is remembered under the email in lower case");
}

static void test_new(void)
{
    static const struct {
        const char *what;
        bool ours, right, active, claims, fails;
        authn_status status;
        int remembered;
        bool open;
    } cases[] = {
        { "a right password", true, true, true, true, false, AUTH_GRANTED, 1, true },
        { "a wrong password", true, false, true, true, false, AUTH_DENIED, 0, false },
        { "an inactive user", true, true, false, true, false, AUTH_GRANTED, 0, true },
        { "a right password elsewhere", false, true, true, true, false, AUTH_GRANTED, 1, false },
        { "an inactive user elsewhere", false, true, false, true, false, AUTH_DENIED, 0, false },
        { "no claim", true, true, true, false, false, AUTH_GENERAL_ERROR, 0, false },
        { "an error", true, true, true, true, true, AUTH_GENERAL_ERROR, 0, false },
    };

    config.basic_cache = 60;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request(cases[i].ours);

        world.right = cases[i].right;
        world.active = cases[i].active;
        world.claims = cases[i].claims;
        world.verify_error = cases[i].fails ? iimg_error(context->pool, IIMG_LIMITED, "no") : NULL;
        tap_is_number(check_password(r, "ann@x", "p"), cases[i].status, "%s: the status",
                      cases[i].what);
        tap_is_number(world.remembered, cases[i].remembered, "%s: remembered", cases[i].what);
        tap_ok(world.open == cases[i].open, "%s: left to our handler or not", cases[i].what);
        tap_is_number(world.verified, cases[i].claims, "%s: verified once", cases[i].what);
        tap_is_number(world.released, cases[i].claims, "%s: released if claimed", cases[i].what);
        tap_ok((world.pending != NULL) == (cases[i].status == AUTH_GENERAL_ERROR),
               "%s: an error for the error path, or none", cases[i].what);
        if (cases[i].remembered) {
            tap_is_number(world.seconds, 60, "%s: remembered for the directive's time",
                          cases[i].what);
            tap_is(world.proof, "verified", "%s: remembered with the hash", cases[i].what);
            tap_is(world.login, "Ann@x", "%s: remembered with the email", cases[i].what);
        }
    }
}

static void test_known(void)
{
    request_rec *r = request(true);

    world.known = true;
    tap_is_number(check_password(r, "ann@x", "p"), AUTH_GRANTED, "a known password");
    tap_ok(!world.verified && !world.claimed && !world.looked_up,
           "a known password needs no query");
    tap_is(context->login_proof, "hash", "a known password leaves its proof");
    tap_ok(world.open, "a known password is left to our handler");

    r = request(true);
    world.known_after_claim = true;
    tap_is_number(check_password(r, "ann@x", "p"), AUTH_GRANTED, "verified by another thread");
    tap_ok(!world.verified && world.released == 1, "verified by another thread: not again");

    r = request(false);
    world.known_after_claim = true;
    check_password(r, "ann@x", "p");
    tap_is_number(world.verified, 1, "verified by another thread, elsewhere: verified again");
}

/* Where our handler does not answer, the hash is compared here. */
static void test_recheck(void)
{
    static const struct {
        const char *what, *hash;
        bool active, fails;
        int verified;
        authn_status status;
    } cases[] = {
        { "the same hash", "hash", true, false, 0, AUTH_GRANTED },
        { "another hash", "hasj", true, false, 1, AUTH_GRANTED },
        { "no user", NULL, true, false, 1, AUTH_GRANTED },
        { "an inactive user", "hash", false, false, 1, AUTH_GRANTED },
        { "no database", "hash", true, true, 0, AUTH_GENERAL_ERROR },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request(false);

        world.known = true;
        world.stored_hash = cases[i].hash;
        world.user_active = cases[i].active;
        world.lookup_error = cases[i].fails ? iimg_error(context->pool, IIMG_UNAVAILABLE, "no")
                                            : NULL;
        tap_is_number(check_password(r, "ann@x", "p"), cases[i].status, "%s: the status",
                      cases[i].what);
        tap_is_number(world.verified, cases[i].verified, "%s: verified again", cases[i].what);
        tap_is_number(world.forgotten, cases[i].verified, "%s: forgotten", cases[i].what);
    }
}

static void test_renew(void)
{
    request_rec *r = request(true);

    r->user = (char *)"ann@x";
    form_password = "p";
    context->login_proof = "old";
    tap_ok(iimg_authn_renew_basic(r), "a right password is renewed");
    tap_ok(world.forgotten == 1 && world.verified == 1 && world.open,
           "a renewed password is forgotten and verified");
    tap_is(context->login_proof, NULL, "a renewed password has no old proof");
    r = request(true);
    r->user = (char *)"ann@x";
    world.right = false;
    tap_ok(!iimg_authn_renew_basic(r), "a wrong password is not renewed");
    form_error = HTTP_UNAUTHORIZED;
    r = request(true);
    r->user = (char *)"ann@x";
    tap_ok(!iimg_authn_renew_basic(r) && !world.verified, "no password is not renewed");
}

int main(void)
{
    context = work_begin();
    test_form();
    test_key();
    test_new();
    test_known();
    test_recheck();
    test_renew();
    work_end(context);
    return tap_done();
}
