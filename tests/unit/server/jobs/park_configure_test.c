/* park_configure_test.c - server/jobs/park_configure.c: whether requests are parked, and how many,
 * by the MPM's threads and the process' descriptors. */
#include <stdio.h>
#include <sys/resource.h>

static int limit_fails;
static struct rlimit descriptors;

static int read_limit(struct rlimit *to)
{
    *to = descriptors;
    return limit_fails ? -1 : 0;
}

#define getrlimit(resource, to) read_limit(to)
#include "server/jobs/park_configure.c"
#undef getrlimit

#include "tap.h"
#include "work.h"

ap_directive_t *ap_conftree;
module identityimg_module;
static iimg_config_t configs[2];
static server_rec servers[2];
static bool mpm_can, mpm_knows;
static int threads;
static char logged[1024];

apr_status_t ap_mpm_query(int code, int *result)
{
    *result = code == AP_MPMQ_CAN_WAITIO ? mpm_can : threads;
    return mpm_knows ? APR_SUCCESS : APR_EGENERAL;
}

void ap_log_error_(const char *file, int line, int index, int level, apr_status_t status,
                   const server_rec *server, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(logged);

    (void)file, (void)line, (void)index, (void)level, (void)status, (void)server;
    va_start(arguments, format);
    vsnprintf(logged + used, sizeof(logged) - used, format, arguments);
    va_end(arguments);
}

iimg_config_t *iimg_config_of(const server_rec *server)
{
    return &configs[server == &servers[1]];
}

static void configure(iimg_context_t *context, int first, int second)
{
    memset(configs, 0, sizeof(configs));
    logged[0] = '\0';
    for (int i = 0; i < 2; i++) {
        configs[i].enabled = true;
        configs[i].park_requests = i ? second : first;
    }
    servers[0].next = &servers[1];
    servers[0].log.level = servers[1].log.level = APLOG_WARNING;
    (void)context;
}

static void test_whether(iimg_context_t *context)
{
    static const struct {
        bool knows, can;
        int first, second;
        bool enabled;
        int parks_first, parks_second;
        bool logs;
        const char *what;
    } cases[] = {
        { true, true, 1, 0, true, 1, 0, false, "on, and the MPM can" },
        { true, true, IIMG_PARK_IF_POSSIBLE, 1, true, IIMG_PARK_IF_POSSIBLE, 1, false,
          "both, and the MPM can" },
        { true, false, 1, IIMG_PARK_IF_POSSIBLE, true, 0, 0, true, "on, and the MPM cannot" },
        { false, true, 1, 0, true, 0, 0, true, "on, and the MPM does not know" },
        { true, false, IIMG_PARK_IF_POSSIBLE, 0, true, 0, 0, false,
          "if possible, and the MPM cannot" },
        { true, false, 0, 0, true, 0, 0, false, "off, and the MPM cannot" },
        { true, false, 1, 0, false, 1, 0, false, "on at a server that is off" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        configure(context, cases[i].first, cases[i].second);
        configs[0].enabled = cases[i].enabled;
        mpm_knows = cases[i].knows;
        mpm_can = cases[i].can;
        iimg_park_configure(context->pool, servers);
        tap_is_number(configs[0].park_requests, cases[i].parks_first, "%s: the first server",
                      cases[i].what);
        tap_is_number(configs[1].park_requests, cases[i].parks_second, "%s: the second server",
                      cases[i].what);
        tap_ok((strstr(logged, "IIMG0171") != NULL) == cases[i].logs, "%s: %s", cases[i].what,
               cases[i].logs ? "a warning" : "no warning");
        tap_ok((configs[1].max_parked > 0) == (cases[i].parks_second != 0),
               "%s: only a server that parks has a limit", cases[i].what);
    }
}

static ap_directive_t *directive(iimg_context_t *context, const char *name, const char *value)
{
    ap_directive_t *made = apr_pcalloc(context->pool, sizeof(*made));

    made->directive = name;
    made->args = value;
    return made;
}

static void test_how_many(iimg_context_t *context)
{
    static const struct {
        rlim_t limit;
        int threads;
        const char *factor;
        int asked, most;
        bool fails, logs;
        const char *what;
    } cases[] = {
        { RLIM_INFINITY, 25, NULL, 0, 37, false, false, "25 threads, factor 2" },
        { RLIM_INFINITY, 25, "4", 0, 62, false, false, "25 threads, factor 4" },
        { RLIM_INFINITY, 1, "0.5", 0, 1, false, false, "1 thread, factor 0.5" },
        { RLIM_INFINITY, 1, "0", 0, 1, false, false, "1 thread, factor 0: one at least" },
        { RLIM_INFINITY, 1000, "300", 0, 100000, false, false, "more than 100,000" },
        { RLIM_INFINITY, 25, NULL, 100000, 100000, false, false, "100,000 by directive" },
        { RLIM_INFINITY, 25, NULL, 100001, 100000, false, true, "100,001 by directive" },
        { 256 + 3 * 10, 25, NULL, 10, 10, false, false, "286 descriptors for 10" },
        { 256 + 3 * 10, 25, NULL, 11, 10, false, true, "286 descriptors for 11" },
        { 256 + 3 * 10 - 1, 25, NULL, 10, 9, false, true, "285 descriptors for 10" },
        { 256 + 3 * 10, 25, NULL, 0, 10, false, false, "286 descriptors, no directive" },
        { 256 + 6, 25, NULL, 2, 2, false, false, "262 descriptors: two" },
        { 256 + 4, 25, NULL, 1, 1, false, false, "260 descriptors: one" },
        { 256 + 3, 25, NULL, 1, 1, false, false, "259 descriptors: one" },
        { 10, 25, NULL, 1, 1, false, false, "10 descriptors: one all the same" },
        { 1000000, 25, NULL, 100000, 100000, false, false, "a million descriptors for 100,000" },
        { 1000001, 25, NULL, 100000, 100000, false, false, "more than a million descriptors" },
        { 1000000, 25, NULL, 400000, 333248, false, true, "a million descriptors" },
        { 10, 25, NULL, 50, 50, true, false, "an unknown limit" },
    };

    mpm_knows = mpm_can = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        configure(context, 1, 0);
        descriptors.rlim_cur = cases[i].limit;
        limit_fails = cases[i].fails;
        threads = cases[i].threads;
        ap_conftree = cases[i].factor
                          ? directive(context, "asyncREQUESTworkerfactor", cases[i].factor)
                          : NULL;
        configs[0].max_parked = cases[i].asked;
        iimg_park_configure(context->pool, servers);
        tap_is_number(configs[0].max_parked, cases[i].most, "%s", cases[i].what);
        tap_ok((strstr(logged, "IIMG0172") != NULL) == cases[i].logs, "%s: %s", cases[i].what,
               cases[i].logs ? "a warning" : "no warning");
    }
    configure(context, 1, 0);
    limit_fails = 1;
    threads = 10;
    ap_conftree = directive(context, "IfModule", "");
    ap_conftree->first_child = directive(context, "AsyncRequestWorkerFactor", "1");
    ap_conftree->next = directive(context, "AsyncRequestWorkerFactor", "3");
    ap_conftree->next->next = directive(context, "AsyncRequestWorkerFactorX", "9");
    iimg_park_configure(context->pool, servers);
    tap_is_number(configs[0].max_parked, 20, "the last factor of all sections counts");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    threads = 25;
    descriptors.rlim_cur = RLIM_INFINITY;
    test_whether(context);
    test_how_many(context);
    work_end(context);
    return tap_done();
}
