/* authn_test.c - server/authn/authn.c: refusals, logins that another handler answers, and the
 * addresses that failures are counted for. */
#include "server/authn/authn.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_config_t config;
static iimg_location_t location;

static struct {
    iimg_error_t *pending, *first, *second;
    int challenged, cleared, token, basic, identified;
    bool open, renews;
    iimg_role_t role;
} world;

apr_status_t iimg_credentials_start(apr_pool_t *pool)
{
    (void)pool;
    return APR_ENOMEM;
}

bool iimg_authn_renew_token(request_rec *r)
{
    (void)r;
    world.token++;
    return world.renews;
}

bool iimg_authn_renew_basic(request_rec *r)
{
    (void)r;
    world.basic++;
    return world.renews;
}

void iimg_pending_error_set(request_rec *r, iimg_error_t *err)
{
    (void)r;
    world.pending = err;
}

void iimg_challenge_set(request_rec *r)
{
    (void)r;
    world.challenged++;
}

void iimg_authn_clear_dead(request_rec *r, const iimg_error_t *err)
{
    (void)r, (void)err;
    world.cleared++;
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

bool iimg_login_is_open(request_rec *r)
{
    (void)r;
    return world.open;
}

void iimg_login_open_set(request_rec *r, bool open)
{
    (void)r;
    world.open = open;
}

iimg_error_t *iimg_identify_caller(iimg_context_t *of, iimg_role_t role)
{
    (void)of;
    world.role = role;
    return world.identified++ ? world.second : world.first;
}

static iimg_error_t *error_of(iimg_error_kind_t kind)
{
    return iimg_error(context->pool, kind, "no");
}

static request_rec *request(void)
{
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    memset(&world, 0, sizeof(world));
    r->pool = context->pool;
    r->user = (char *)"ann@x";
    r->useragent_ip = (char *)"192.0.2.1";
    context->login_proof = "proof";
    context->login_token = NULL;
    location.use = IIMG_LOCATION_API;
    world.open = true;
    return r;
}

static void test_refuse(void)
{
    iimg_error_t *err = error_of(IIMG_UNAUTHENTICATED);

    tap_is_number(iimg_authn_refuse(request(), err), 401, "wrong credentials: 401");
    tap_ok(world.pending == err && world.challenged == 1 && world.cleared == 1,
           "wrong credentials: an error, a challenge, and a look at the cookie");
    err = error_of(IIMG_UNAVAILABLE);
    tap_is_number(iimg_authn_refuse(request(), err), 500, "no database: 500 for httpd");
    tap_ok(world.pending == err && !world.challenged && !world.cleared,
           "no database: an error and no challenge");
}

static void test_renew(void)
{
    request_rec *r = request();

    world.renews = true;
    tap_ok(iimg_authn_renew(r) && world.basic == 1 && !world.token, "a password is renewed");
    context->login_token = "hash";
    tap_ok(iimg_authn_renew(r) && world.basic == 1 && world.token == 1, "a token is renewed");
    r->user = NULL;
    tap_ok(!iimg_authn_renew(r), "no login is not renewed");
    r->user = (char *)"ann@x";
    context->login_proof = NULL;
    tap_ok(!iimg_authn_renew(r) && world.token == 1, "a login without a proof is not renewed");
}

static void test_fixup(void)
{
    static const struct {
        const char *what;
        iimg_location_use_t use;
        const char *user, *handler;
        bool open;
        int status, identified;
    } cases[] = {
        { "another handler", IIMG_LOCATION_API, "ann@x", "default-handler", true, OK, 1 },
        { "no handler", IIMG_LOCATION_API, "ann@x", NULL, true, OK, 1 },
        { "our handler", IIMG_LOCATION_API, "ann@x", "identityimg", true, DECLINED, 0 },
        { "a login that is not open", IIMG_LOCATION_API, "ann@x", NULL, false, DECLINED, 0 },
        { "no login", IIMG_LOCATION_API, NULL, NULL, true, DECLINED, 0 },
        { "a Location that is off", IIMG_LOCATION_OFF, "ann@x", NULL, true, DECLINED, 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        request_rec *r = request();

        r->user = (char *)cases[i].user;
        r->handler = cases[i].handler;
        world.open = cases[i].open;
        location.use = cases[i].use;
        tap_is_number(iimg_authn_fixup(r), cases[i].status, "%s: the status", cases[i].what);
        tap_is_number(world.identified, cases[i].identified, "%s: the login is looked up",
                      cases[i].what);
        tap_ok(world.open == (cases[i].open && !cases[i].identified),
               "%s: a login that was looked up is not open any more", cases[i].what);
    }
}

static void test_fixup_errors(void)
{
    for (int i = 0; i < 4; i++) {
        static const char *const whats[] = { "renewed and right", "renewed and wrong",
                                             "not renewed", "another error" };
        request_rec *r = request();

        world.renews = i != 2;
        world.first = error_of(i == 3 ? IIMG_UNAVAILABLE : IIMG_UNAUTHENTICATED);
        world.second = i == 1 ? error_of(IIMG_UNAUTHENTICATED) : NULL;
        tap_is_number(iimg_authn_fixup(r),
                      i == 0   ? OK
                      : i == 3 ? 500
                               : 401,
                      "a login that does not hold, %s: the status", whats[i]);
        tap_is_number(world.identified, i < 2 ? 2 : 1,
                      "a login that does not hold, %s: looked up so often", whats[i]);
        tap_ok(world.open == (i != 0), "a login that does not hold, %s: open unless right",
               whats[i]);
    }
    tap_is_number(world.role, IIMG_USER, "another handler's users need no rights");
}

static void test_addresses(void)
{
    static const char *const rows[][2] = {
        { "192.0.2.1", "192.0.2.1" },
        { "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64" },
        { "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64" },
        { "2001:db8:1:3:3:4:5:6", "2001:db8:1:3::/64" },
        { "fe80::1:2%eth0", "fe80::/64" },
        { "::1", "::/64" },
        { "nonsense", "nonsense" },
    };

    config.login_failures = 7;
    config.login_window = 900;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        request_rec *r = request();
        iimg_login_attempt_t attempt;

        r->useragent_ip = (char *)rows[i][0];
        iimg_authn_attempt(r, "ann@x", "pw", &attempt);
        tap_is(attempt.address, rows[i][1], "failures of %s are counted for %s", rows[i][0],
               rows[i][1]);
        tap_ok(attempt.max_failures == 7 && attempt.window == 900
                   && strcmp(attempt.email, "ann@x") == 0 && strcmp(attempt.password, "pw") == 0,
               "failures of %s are counted by the directives", rows[i][0]);
    }
}

int main(void)
{
    context = work_begin();
    tap_is_number(iimg_authn_start(context->pool), APR_ENOMEM, "a child without a memory");
    test_refuse();
    test_renew();
    test_fixup();
    test_fixup_errors();
    test_addresses();
    work_end(context);
    return tap_done();
}
