/* attempt_test.c - server/authn/attempt.c: the address and limits by which failures count. */
#include "server/authn/attempt.c"
#include "tap.h"
#include "work.h"

static iimg_config_t config;

iimg_config_t *iimg_config_of(const server_rec *server)
{
    (void)server;
    return &config;
}

int main(void)
{
    iimg_context_t *context = work_begin();
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
        request_rec r = { .pool = context->pool };
        iimg_login_attempt_t attempt;

        r.useragent_ip = (char *)rows[i][0];
        iimg_authn_attempt(&r, "ann@x", "pw", &attempt);
        tap_is(attempt.address, rows[i][1], "failures of %s are counted for %s", rows[i][0],
               rows[i][1]);
        tap_ok(attempt.max_failures == 7 && attempt.window == 900
                   && strcmp(attempt.email, "ann@x") == 0 && strcmp(attempt.password, "pw") == 0,
               "failures of %s are counted by the directives", rows[i][0]);
    }
    work_end(context);
    return tap_done();
}
