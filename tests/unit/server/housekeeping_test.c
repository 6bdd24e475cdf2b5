/* housekeeping_test.c - server/housekeeping.c: what is cleared away in which order, and how a child
 * that ends waits for it. */
#include <apr_time.h>
#include <stdbool.h>
#include <stdlib.h>

static apr_time_t house_clock = 1800000000000000;

#define apr_time_now()  house_clock
#define apr_sleep(time) (house_clock += (time))
#define _exit(status)   (exited = true)
static bool exited;
#include "server/housekeeping.c"
#undef apr_time_now
#undef apr_sleep
#undef _exit

#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static char calls[4096];
static int left_of_keys, stops, checked, keys_calls;
static apr_interval_time_t sweep_time;
static const char *failing;

static iimg_error_t *call(const char *name)
{
    if (strlen(calls) < 3000) {
        strcat(strcat(calls, *calls ? " " : ""), name);
    }
    return failing && strcmp(failing, name) == 0
               ? iimg_error(context->pool, IIMG_UNAVAILABLE, "%s is away", name)
               : NULL;
}

iimg_error_t *iimg_stored_object_expire(iimg_context_t *of)
{
    (void)of;
    return call("objects");
}

iimg_error_t *iimg_idempotency_key_expire(iimg_context_t *of, int *count)
{
    (void)of;
    keys_calls++;
    *count = left_of_keys-- > 0;
    return call("keys");
}

iimg_error_t *iimg_token_expire(iimg_context_t *of, int *count)
{
    (void)of;
    *count = 0;
    return call("tokens");
}

iimg_error_t *iimg_login_attempt_expire(iimg_context_t *of, int *count)
{
    (void)of;
    *count = 0;
    return call("attempts");
}

int iimg_sweep(iimg_context_t *of, apr_interval_time_t time, int *left)
{
    (void)of;
    *left = 0;
    sweep_time = time;
    return call("sweep") != NULL;
}

void iimg_sweep_stop(void)
{
    stops++;
}

iimg_error_t *iimg_store_check(iimg_context_t *of)
{
    (void)of;
    checked++;
    return NULL;
}

static void keep(const char *fails)
{
    calls[0] = '\0';
    keys_calls = 0;
    failing = fails;
    work_log_clear(context);
    iimg_housekeep(context);
}

int main(void)
{
    static const char *const failures[][2] = {
        { "objects", "objects" },
        { "keys", "objects keys" },
        { "tokens", "objects keys tokens" },
        { "attempts", "objects keys tokens attempts" },
        { "sweep", "objects keys tokens attempts sweep" },
    };
    apr_time_t began;

    context = work_begin();
    keep(NULL);
    tap_is(calls, "objects keys tokens attempts sweep", "all is cleared away in order");
    tap_is_number(sweep_time, 20000000, "the sweep has 20 seconds");
    tap_ok(!busy && !work_logged(context, "IIMG0104"), "no line, and nothing is in progress");
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        keep(failures[i][0]);
        tap_is(calls, failures[i][1], "%s cannot be cleared away: what is left is left",
               failures[i][0]);
        tap_ok((work_logged(context, "IIMG0104") != NULL) == (i < 4), "%s: a warning or none",
               failures[i][0]);
    }
    left_of_keys = 3;
    keep(NULL);
    tap_is(calls, "objects keys keys keys keys tokens attempts sweep",
           "rows are cleared until none is left");
    left_of_keys = 1000;
    keep(NULL);
    tap_is_number(keys_calls, 100, "rows are cleared in 100 rounds at most");
    iimg_housekeep_store(context);
    tap_ok(checked == 1 && !busy, "the store is checked");

    began = house_clock;
    (void)finish(NULL);
    tap_ok(stops == 1 && house_clock == began && !exited, "an idle child ends at once");
    iimg_housekeep_store(context);
    keep(NULL);
    tap_ok(checked == 1 && !*calls && !busy, "a child that ends clears nothing away");
    busy = 1;
    (void)finish(NULL);
    tap_ok(exited, "a busy child ends without it");
    tap_is_number(house_clock - began, 4000000, "a busy child waits for 4 seconds");
    work_end(context);
    return tap_done();
}
