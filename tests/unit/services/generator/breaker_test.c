/* breaker_test.c - the circuit breaker opens, lets a probe through, and closes. */
#include <apr_strings.h>
#include "services/generator/breaker.h"
#include "tap.h"
#include "work.h"

static apr_time_t now;

static int ask(iimg_breaker_t *breaker, const char *name)
{
    return iimg_breaker_ask(breaker, name, now);
}

static int tell(iimg_breaker_t *breaker, const char *name, iimg_breaker_result_t news)
{
    return iimg_breaker_report(breaker, name, news, now);
}

static void pass(int seconds)
{
    now += apr_time_from_sec(seconds);
}

static void test_failures(iimg_breaker_t *b)
{
    tap_is_number(ask(b, "m"), 0, "an unknown service may be called");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 0, "one failure does not open it");
    tell(b, "m", IIMG_BREAKER_FAILED);
    tell(b, "m", IIMG_BREAKER_WELL);
    tell(b, "m", IIMG_BREAKER_FAILED);
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 0, "a success resets the count of failures");
    tap_is_number(tell(b, "m", IIMG_BREAKER_UNKNOWN), 0,
                  "a call that shows nothing does not count");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 15,
                  "the third failure in a row opens it for 15 s");
    tap_is_number(ask(b, "m"), 15, "an open breaker allows no calls");
    tap_is_number(ask(b, "other"), 0, "another service may still be called");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 0,
                  "a failure of an earlier call does not change an open breaker");
    pass(10);
    tap_is_number(ask(b, "m"), 5, "an open breaker tells the remaining seconds");
}

static void test_probe(iimg_breaker_t *b)
{
    pass(5);
    tap_is_number(ask(b, "m"), 0, "after the pause one probe is let through");
    tap_ok(ask(b, "m") > 0, "no second call is let through during a probe");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 30,
                  "a failed probe opens it for twice as long");
    pass(30);
    tap_is_number(ask(b, "m"), 0, "after the longer pause a probe is let through");
    tap_is_number(tell(b, "m", IIMG_BREAKER_UNKNOWN), 0,
                  "a probe that shows nothing does not open it again");
    tap_is_number(ask(b, "m"), 0, "after a probe that shows nothing another one is let through");
    pass(700);
    tap_is_number(ask(b, "m"), 0, "after a lost probe another one is let through");
    for (int i = 0, last = 30; i < 6; i++) {
        int pause = tell(b, "m", IIMG_BREAKER_FAILED);

        tap_is_number(pause, last * 2 < 240 ? last * 2 : 240, "pauses double up to four minutes");
        last = pause;
        pass(pause);
        ask(b, "m");
    }
    tap_is_number(tell(b, "m", IIMG_BREAKER_WELL), 0, "a successful probe closes it");
    tap_ok(ask(b, "m") == 0 && ask(b, "m") == 0, "a closed breaker allows all calls");
    tap_is_number(tell(b, "m", IIMG_BREAKER_HOPELESS), 15, "a hopeless failure opens it at once");
    pass(15);
    ask(b, "m");
    tell(b, "m", IIMG_BREAKER_WELL);
}

static void test_names(apr_pool_t *pool, iimg_breaker_t *b)
{
    for (int i = 0; i < 100; i++) {
        const char *name = apr_psprintf(pool, "name %d", i);

        tell(b, name, IIMG_BREAKER_HOPELESS);
        if (i > 20) {
            tap_ok(ask(b, name) == 0, "service %d exceeds the table and is never stopped", i);
            break;
        }
    }
    tap_ok(ask(b, "name 0") > 0, "services in the table stay open");
}

int main(void)
{
    iimg_context_t *context = work_begin();
    iimg_breaker_t *breaker = iimg_breaker_create(context->pool, 3);

    now = apr_time_from_sec(1000000);
    test_failures(breaker);
    test_probe(breaker);
    test_names(context->pool, breaker);
    work_end(context);
    return tap_done();
}
