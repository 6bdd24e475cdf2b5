/* breaker_test.c - leaving alone what fails, and trying it again. */
#include <apr_strings.h>
#include "services/generator/breaker.h"
#include "tap.h"
#include "work.h"

static apr_time_t now;

static int ask(iimg_breaker_t *breaker, const char *name)
{
    return iimg_breaker_ask(breaker, name, now);
}

static int tell(iimg_breaker_t *breaker, const char *name, iimg_breaker_news_t news)
{
    return iimg_breaker_tell(breaker, name, news, now);
}

static void pass(int seconds)
{
    now += apr_time_from_sec(seconds);
}

static void test_failures(iimg_breaker_t *b)
{
    tap_is_number(ask(b, "m"), 0, "what nobody knows may be called");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 0, "one failure is none");
    tell(b, "m", IIMG_BREAKER_FAILED);
    tell(b, "m", IIMG_BREAKER_WELL);
    tell(b, "m", IIMG_BREAKER_FAILED);
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 0, "a success between begins anew");
    tap_is_number(tell(b, "m", IIMG_BREAKER_UNKNOWN), 0, "what says nothing counts for nothing");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 15, "the third in a row opens it");
    tap_is_number(ask(b, "m"), 15, "then it is left alone");
    tap_is_number(ask(b, "other"), 0, "but nothing else is");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 0, "a call from before changes nothing");
    pass(10);
    tap_is_number(ask(b, "m"), 5, "until the time is over");
}

static void test_probe(iimg_breaker_t *b)
{
    pass(5);
    tap_is_number(ask(b, "m"), 0, "then one is let through");
    tap_ok(ask(b, "m") > 0, "and no other meanwhile");
    tap_is_number(tell(b, "m", IIMG_BREAKER_FAILED), 30, "its failure opens it for twice as long");
    pass(30);
    tap_is_number(ask(b, "m"), 0, "the next probe");
    tap_is_number(tell(b, "m", IIMG_BREAKER_UNKNOWN), 0, "that came to nothing");
    tap_is_number(ask(b, "m"), 0, "is followed by another");
    pass(700);
    tap_is_number(ask(b, "m"), 0, "one that never came back too");
    for (int i = 0, last = 30; i < 6; i++) {
        int pause = tell(b, "m", IIMG_BREAKER_FAILED);

        tap_is_number(pause, last * 2 < 240 ? last * 2 : 240, "breaks double up to four minutes");
        last = pause;
        pass(pause);
        ask(b, "m");
    }
    tap_is_number(tell(b, "m", IIMG_BREAKER_WELL), 0, "a good probe closes it");
    tap_ok(ask(b, "m") == 0 && ask(b, "m") == 0, "for everybody");
    tap_is_number(tell(b, "m", IIMG_BREAKER_HOPELESS), 15, "what is hopeless opens it at once");
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
            tap_ok(ask(b, name) == 0, "the %d-th name is one too many: it is never left alone", i);
            break;
        }
    }
    tap_ok(ask(b, "name 0") > 0, "the first ones are remembered");
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
