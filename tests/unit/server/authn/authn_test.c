/* authn_test.c - server/authn/authn.c: renewed credentials, and requests that another handler
 * answers. */
#include "server/authn/authn.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_location_t location;

static struct {
    iimg_error_t *refused, *first, *second;
    int token, basic, identified;
    bool open, renews;
    iimg_role_t role;
} world;

apr_status_t iimg_credential_cache_start(apr_pool_t *pool)
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

int iimg_authn_refuse(request_rec *r, iimg_error_t *err)
{
    (void)r;
    world.refused = err;
    return err->kind == IIMG_UNAUTHENTICATED ? 401 : 500;
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

int main(void)
{
    context = work_begin();
    tap_is_number(iimg_authn_start(context->pool), APR_ENOMEM, "a child without a memory");
    test_renew();
    test_fixup();
    test_fixup_errors();
    work_end(context);
    return tap_done();
}
