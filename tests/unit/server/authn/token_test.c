/* token_test.c - server/authn/token.c: which tokens let in, how long they are remembered, and which
 * cookies are cleared. */
#include "server/authn/token.c"
#include "server/authn/presented_token.c"
#include "tap.h"
#include "work.h"

#define GOOD  "iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER "iimg_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

static iimg_context_t *context;
static iimg_location_t location;
static const char *cookie, *auth_type;

static struct {
    bool known, was_known, open, open_set;
    iimg_token_owner_t owner;
    iimg_error_t *error, *refused;
    int used, remembered, seconds, forgotten, cleared;
    const char *hash, *kind, *proof, *key_kind;
} world;

bool iimg_credential_cache_key(const server_rec *server, const char *kind, const void *text,
                               size_t length, unsigned char *key)
{
    (void)server, (void)text;
    tap_is_number(length, IIMG_TOKEN_DIGEST_BYTES, "a token is remembered by its whole digest");
    world.key_kind = kind;
    memset(key, 1, IIMG_CREDENTIAL_KEY_BYTES);
    return true;
}

bool iimg_credential_cache_get(apr_pool_t *pool, const unsigned char *key,
                               iimg_credentials_t *credentials)
{
    (void)pool, (void)key;
    *credentials = (iimg_credentials_t){ "known@x", "known" };
    return world.known;
}

void iimg_credential_cache_put(const unsigned char *key, const iimg_credentials_t *credentials,
                               int seconds)
{
    (void)key;
    world.remembered++;
    world.seconds = seconds;
    world.proof = credentials->proof;
}

bool iimg_credential_cache_remove(const unsigned char *key)
{
    (void)key;
    world.forgotten++;
    return world.was_known;
}

void iimg_login_open_set(request_rec *r, bool open)
{
    (void)r;
    world.open = open;
    world.open_set = true;
}

iimg_context_t *iimg_context_of(request_rec *r)
{
    (void)r;
    return context;
}

const iimg_location_t *iimg_location_of(const request_rec *r)
{
    (void)r;
    return &location;
}

const char *iimg_session_token(request_rec *r)
{
    (void)r;
    return cookie;
}

iimg_error_t *iimg_token_use(iimg_context_t *of, const char *hash, const char *kind,
                             iimg_token_owner_t *owner)
{
    (void)of;
    world.used++;
    world.hash = hash;
    world.kind = kind;
    *owner = world.owner;
    return world.error;
}

const char *ap_auth_type(request_rec *r)
{
    (void)r;
    return auth_type;
}

int iimg_authn_refuse(request_rec *r, iimg_error_t *err)
{
    (void)r;
    world.refused = err;
    return HTTP_UNAUTHORIZED;
}

static request_rec *request(const char *header, const char *with_cookie, bool ours)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    memset(&world, 0, sizeof(world));
    world.owner = (iimg_token_owner_t){ "ann@x", "epoch", true, 1000 };
    r->pool = context->pool;
    r->headers_in = apr_table_make(r->pool, 1);
    if (header) {
        apr_table_set(r->headers_in, "Authorization", header);
    }
    cookie = with_cookie;
    auth_type = "IdentityImg";
    location.use = ours ? IIMG_LOCATION_API : IIMG_LOCATION_OFF;
    context->login_proof = context->login_token = NULL;
    return r;
}

static void test_found(void)
{
    static const struct {
        const char *header, *cookie, *kind, *code, *what;
    } cases[] = {
        { "Bearer " GOOD, NULL, "bearer", NULL, "a header" },
        { "bearer   " GOOD, NULL, "bearer", NULL, "a header with blanks" },
        { NULL, GOOD, "session", NULL, "a cookie" },
        { "Basic YTpi", GOOD, "session", NULL, "a cookie and a password" },
        { "Bearer " GOOD, OTHER, "bearer", NULL, "a header and a cookie" },
        { "Bearer", GOOD, NULL, "invalid_token", "an empty header and a cookie" },
        { "Bearerx " GOOD, NULL, NULL, "not_authenticated", "a longer scheme" },
        { "Bearer " GOOD "A", NULL, NULL, "invalid_token", "a longer token" },
        { "Bearer\t" GOOD, NULL, NULL, "not_authenticated", "a tab" },
        { NULL, "", NULL, "invalid_token", "an empty cookie" },
        { NULL, NULL, NULL, "not_authenticated", "nothing" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request(cases[i].header, cases[i].cookie, true);

        tap_is_number(iimg_authn_check_token(r), cases[i].code ? HTTP_UNAUTHORIZED : OK, "%s",
                      cases[i].what);
        tap_is(world.refused ? world.refused->code : NULL, cases[i].code, "%s: its code",
               cases[i].what);
        tap_is(world.kind, cases[i].kind, "%s: the kind that is looked up", cases[i].what);
        tap_is(cases[i].kind ? world.key_kind : NULL, cases[i].kind,
               "%s: the kind that is remembered", cases[i].what);
        tap_is(r->user, cases[i].kind ? "ann@x" : NULL, "%s: the login", cases[i].what);
        tap_is(world.hash,
               cases[i].kind ? "sha256:12f23d6b2cfa321bfe58397894c294f7a18e5e6dc794a2fafd744430da9"
                               "aaf78"
                             : NULL,
               "%s: the hash that is looked up", cases[i].what);
        tap_is(context->login_token, world.hash, "%s: the token of the login", cases[i].what);
        tap_is(context->login_proof, cases[i].kind ? "epoch" : NULL, "%s: its proof",
               cases[i].what);
        tap_is(r->ap_auth_type, cases[i].kind ? "IdentityImg" : NULL, "%s: its type",
               cases[i].what);
    }
}

static void test_types(void)
{
    request_rec *r = request("Bearer " GOOD, NULL, true);

    auth_type = "Basic";
    tap_is_number(iimg_authn_check_token(r), DECLINED, "another AuthType is not ours");
    auth_type = NULL;
    tap_is_number(iimg_authn_check_token(r), DECLINED, "no AuthType is not ours");
    auth_type = "identityIMG";
    tap_is_number(iimg_authn_check_token(r), OK, "AuthType in other case is ours");
}

static void test_owner(void)
{
    static const struct {
        const char *what, *email;
        bool active, ours, fails, lets_in, remembered, open;
        const char *code;
    } cases[] = {
        { "an active user", "ann@x", true, true, false, true, true, true, NULL },
        { "an active user elsewhere", "ann@x", true, false, false, true, true, false, NULL },
        { "an inactive user", "ann@x", false, true, false, true, false, true, NULL },
        { "an inactive user elsewhere", "ann@x", false, false, false, false, false, false,
          "user_inactive" },
        { "no such token", NULL, true, true, false, false, false, false, "invalid_token" },
        { "no database", "ann@x", true, true, true, false, false, false, "away" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request("Bearer " GOOD, NULL, cases[i].ours);
        int status;

        world.owner.email = cases[i].email;
        world.owner.is_active = cases[i].active;
        if (cases[i].fails) {
            world.error = iimg_error(context->pool, IIMG_UNAVAILABLE, "away");
            world.error->code = "away";
        }
        status = iimg_authn_check_token(r);
        tap_is_number(status, cases[i].lets_in ? OK : HTTP_UNAUTHORIZED, "%s: the status",
                      cases[i].what);
        tap_is_number(world.remembered, cases[i].remembered, "%s: remembered", cases[i].what);
        tap_ok(world.open == cases[i].open && world.open_set == cases[i].lets_in,
               "%s: left to our handler or not", cases[i].what);
        if (cases[i].code && !cases[i].lets_in) {
            tap_ok(world.refused && world.refused->code
                       && (strcmp(world.refused->code, cases[i].code) == 0
                           || !strcmp(cases[i].code, "user_inactive")),
                   "%s: its code", cases[i].what);
        }
    }
}

static void test_seconds(void)
{
    static const int rows[][2] = { { 0, 0 }, { 59, 59 }, { 60, 60 }, { 61, 60 }, { 9999, 60 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        request_rec *r = request("Bearer " GOOD, NULL, true);

        world.owner.seconds = rows[i][0];
        iimg_authn_check_token(r);
        tap_is_number(world.seconds, rows[i][1], "a token with %d s left is remembered for %d s",
                      rows[i][0], rows[i][1]);
    }
}

static void test_known(void)
{
    request_rec *r = request("Bearer " GOOD, NULL, true);

    world.known = true;
    tap_is_number(iimg_authn_check_token(r), OK, "a known token lets in");
    tap_ok(!world.used && world.open, "a known token asks no database, and is left to our handler");
    tap_is(context->login_proof, "known", "a known token has its proof");
    r = request("Bearer " GOOD, NULL, false);
    world.known = true;
    iimg_authn_check_token(r);
    tap_is_number(world.used, 1, "a known token elsewhere is looked up");
}

static void test_renew(void)
{
    request_rec *r = request("Bearer " GOOD, NULL, true);

    tap_ok(!iimg_authn_renew_token(r) && !world.used,
           "a token that was not remembered is not looked up again");
    world.was_known = true;
    tap_ok(iimg_authn_renew_token(r) && world.used == 1 && world.open,
           "a token that was remembered is looked up again");
    world.owner.email = NULL;
    tap_ok(!iimg_authn_renew_token(r), "a token that has ended is not renewed");
    tap_ok(!iimg_authn_renew_token(request(NULL, NULL, true)), "no token is not renewed");
    world.forgotten = 0;
    iimg_authn_forget_token(request("Bearer " GOOD, NULL, true));
    tap_is_number(world.forgotten, 1, "a token that ends is forgotten");
    iimg_authn_forget_token(request("Bearer x", NULL, true));
    tap_is_number(world.forgotten, 0, "a text of no token's form is not forgotten");
}

int main(void)
{
    context = work_begin();
    test_found();
    test_types();
    test_owner();
    test_seconds();
    test_known();
    test_renew();
    work_end(context);
    return tap_done();
}
