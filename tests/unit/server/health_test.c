/* health_test.c - server/health.c: how often a server is checked, and what is logged, by a clock of
 * the test's own. */
#include <apr_thread_cond.h>
#include <apr_time.h>

static apr_time_t health_clock = 1800000000000000;

static apr_status_t health_wait(apr_interval_time_t time)
{
    health_clock += time;
    return APR_TIMEUP;
}

#define apr_time_now()                               health_clock
#define apr_thread_cond_timedwait(cond, mutex, time) health_wait(time)
#include "server/health.c"
#undef apr_time_now
#undef apr_thread_cond_timedwait

#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static server_rec servers[2];
static int checks, decodes, mpm_state, wait_of, timeout_of;
static bool database_fails, worker_fails, mpm_fails;

apr_status_t ap_mpm_query(int code, int *result)
{
    (void)code;
    *result = mpm_state;
    return mpm_fails ? APR_EGENERAL : APR_SUCCESS;
}

const iimg_db_t *iimg_database_hasty_lender(apr_pool_t *pool, server_rec *server, int wait,
                                            int timeout)
{
    (void)pool, (void)server;
    wait_of = wait;
    timeout_of = timeout;
    return NULL;
}

iimg_error_t *iimg_check_readiness(iimg_context_t *of)
{
    iimg_error_t *err;

    checks++;
    if (!database_fails) {
        return NULL;
    }
    err = iimg_error(of->pool, IIMG_UNAVAILABLE, "no");
    err->detail = "the database";
    return err;
}

const char *iimg_image_ready(iimg_context_t *of, const iimg_image_settings_t *settings)
{
    (void)of, (void)settings;
    decodes++;
    return worker_fails ? "the worker" : NULL;
}

static bool ready(int server)
{
    static iimg_services_t services;
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));
    iimg_error_t *err;

    context->services = &services;
    req->r = apr_pcalloc(context->pool, sizeof(*req->r));
    req->r->server = &servers[server];
    req->context = context;
    err = iimg_health_ready(req);
    tap_ok(!err || err->kind == IIMG_NOT_READY, "a server is ready, or not ready");
    return !err;
}

static void after(apr_interval_time_t time)
{
    health_clock += time;
    checks = decodes = 0;
    work_log_clear(context);
}

static void test_freshness(void)
{
    after(0);
    tap_ok(ready(0) && checks == 1 && decodes == 1, "the first request checks all");
    tap_ok(wait_of == 1000 && timeout_of == 2, "the database has a second, and two");
    tap_ok(!work_logged(context, "ready again"), "a server that is ready at first: no line");
    after(999999);
    tap_ok(ready(0) && checks == 0, "within a second nothing is checked");
    after(1);
    tap_ok(ready(0) && checks == 1 && decodes == 0,
           "after a second the database is checked, the worker is not");
    after(3999999);
    tap_ok(ready(0) && checks == 1 && decodes == 0, "within five seconds the worker is not");
    after(1);
    ready(0);
    tap_is_number(checks, 0, "just checked");
    after(1000000);
    tap_ok(ready(0) && decodes == 1, "after five seconds the worker is checked");
    tap_ok(ready(1) && checks == 2, "each server is checked by itself");
    after(5000000);
    tap_ok(ready(0) && decodes == 1, "five seconds after a picture the worker is checked");
    after(4999999);
    tap_ok(ready(0) && checks == 1 && decodes == 0, "a microsecond earlier it is not");
}

static void test_news(void)
{
    const work_line_t *line;

    database_fails = true;
    after(1000000);
    tap_ok(!ready(0), "no database: not ready");
    line = work_logged(context, "IIMG0150");
    tap_ok(line && line->level == IIMG_LOG_ERROR && strstr(line->text, "the database"),
           "no database: an error in the log");
    after(500000);
    tap_ok(!ready(0) && checks == 0, "no database: the last result within a second");
    after(500000);
    tap_ok(!ready(0) && checks == 1 && !work_logged(context, "IIMG0150"),
           "no database again: no second line");
    database_fails = false;
    after(1000000);
    tap_ok(ready(0), "a database again: ready");
    line = work_logged(context, "ready again");
    tap_ok(line && line->level == IIMG_LOG_INFO, "a database again: a line");
    worker_fails = true;
    after(6000000);
    tap_ok(!ready(0) && decodes == 1, "no worker: not ready");
    tap_ok(work_logged(context, "the worker") != NULL, "no worker: a line");
    worker_fails = false;
    after(1000000);
    tap_ok(ready(0) && decodes == 1, "a worker that failed is checked at once");
    health_clock -= apr_time_from_sec(100);
    checks = decodes = 0;
    tap_ok(ready(0) && checks == 1 && decodes == 1, "a clock that was set back: all is checked");
}

static void test_one_at_a_time(void)
{
    health_t *health = health_of(&servers[0]);
    apr_time_t began;

    after(5000000);
    health->checking = true;
    tap_ok(ready(0) && checks == 0, "while another request checks, the last result counts");
    health->ready = false;
    tap_ok(!ready(0) && checks == 0, "also when that was bad");
    health->checked = 0;
    began = health_clock;
    tap_ok(!ready(0) && checks == 0, "the first check is waited for");
    tap_is_number(health_clock - began, 10000000, "the first check is waited for 10 s");
    health->checking = false;
    tap_ok(ready(0) && checks == 1, "a check that has ended is made again");
    health->checked = 0;
    database_fails = true;
    after(0);
    tap_ok(!ready(0) && work_logged(context, "IIMG0150"), "a first check that fails: a line");
    database_fails = false;
}

static void test_stopping(void)
{
    after(5000000);
    mpm_state = AP_MPMQ_STOPPING;
    tap_ok(!ready(0) && checks == 0, "a server that stops is not ready");
    mpm_fails = true;
    tap_ok(ready(0) && checks == 1, "an MPM that does not say so does not stop");
    mpm_fails = false;
    mpm_state = AP_MPMQ_RUNNING;
}

int main(void)
{
    context = work_begin();
    mpm_state = AP_MPMQ_RUNNING;
    servers[0].next = &servers[1];
    tap_is_number(iimg_health_start(context->pool, servers), APR_SUCCESS, "a child starts");
    test_freshness();
    test_news();
    test_one_at_a_time();
    test_stopping();
    work_end(context);
    return tap_done();
}
