/* picture_worker_test.c - server/picture_worker.c: when a worker that has ended is started again,
 * and how its end is described. */
#include <apr_time.h>

static apr_time_t worker_clock = 1800000000000000;

#define apr_time_now() worker_clock
#include "server/picture_worker.c"
#undef apr_time_now

#include "tap.h"
#include "work.h"

module identityimg_module;
unixd_config_rec ap_unixd_config;
static iimg_config_t configs[2];
static server_rec servers[2];
static int starts, registered, unregistered, delay, mpm_state = AP_MPMQ_RUNNING;
static pid_t next_pid = 100;
static char logged[1024];
static retained_t kept;

apr_status_t ap_mpm_query(int code, int *result)
{
    (void)code;
    *result = mpm_state;
    return APR_SUCCESS;
}

void ap_log_error_(const char *file, int line, int index, int level, apr_status_t status,
                   const server_rec *server, const char *format, ...)
{
    va_list arguments;

    (void)file, (void)line, (void)index, (void)level, (void)status, (void)server;
    va_start(arguments, format);
    vsnprintf(logged, sizeof(logged), format, arguments);
    va_end(arguments);
}

void *ap_retained_data_get(const char *name)
{
    (void)name;
    return &kept;
}

void *ap_retained_data_create(const char *name, apr_size_t size)
{
    (void)name, (void)size;
    return &kept;
}

iimg_config_t *iimg_config_of(const server_rec *server)
{
    return &configs[server == &servers[1]];
}

pid_t iimg_picture_worker_start(const iimg_worker_start_t *start)
{
    starts++;
    delay = start->delay;
    return next_pid;
}

bool iimg_picture_worker_pair(int ends[2])
{
    ends[0] = ends[1] = -1;
    return true;
}

void apr_proc_other_child_register(apr_proc_t *process,
                                   void (*maintenance)(int reason, void *, int status), void *data,
                                   apr_file_t *write, apr_pool_t *pool)
{
    (void)process, (void)maintenance, (void)data, (void)write, (void)pool;
    registered++;
}

void apr_proc_other_child_unregister(void *data)
{
    (void)data;
    unregistered++;
}

static int end_after(apr_interval_time_t life, int status)
{
    worker_clock = worker.began + life;
    starts = 0;
    watch_worker(APR_OC_REASON_DEATH, &worker, status);
    return starts ? delay : -1;
}

static void test_delays(void)
{
    static const int delays[] = { 0, 250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000 };

    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        tap_is_number(end_after(apr_time_from_sec(10) - 1, 9), delays[i],
                      "fall %zu within 10 s: its delay", i + 1);
    }
    tap_is_number(end_after(apr_time_from_sec(10), 9), 0, "an end after 10 s: no delay");
    tap_is_number(end_after(1, 9), 0, "a fall after a long life is the first one");
    tap_is_number(end_after(1, 9), 250, "a second fall: its delay");
    tap_ok(worker.began == worker_clock + 250000, "a life begins after the delay");
}

static void test_reasons(void)
{
    int before;

    starts = 0;
    watch_worker(APR_OC_REASON_RUNNING, &worker, 0);
    tap_is_number(starts, 0, "a worker that runs is not started");
    watch_worker(APR_OC_REASON_LOST, &worker, 0);
    tap_is_number(starts, 1, "a lost worker is started");
    mpm_state = AP_MPMQ_STOPPING;
    before = unregistered;
    watch_worker(APR_OC_REASON_DEATH, &worker, 0);
    tap_ok(starts == 1 && unregistered == before + 1,
           "a worker of a server that stops is not started");
    mpm_state = AP_MPMQ_RUNNING;
}

static void test_ends(apr_pool_t *pool)
{
    static const struct {
        int status;
        const char *text;
    } cases[] = {
        { 0, "with status 0" },
        { 2, "with status 2" },
        { 3, "by signal 3 (" },
        { 64, "by signal 64 (" },
        { 65, "with status 65" },
        { 126, "with status 126: /w cannot" },
        { 127, "with status 127: /w cannot" },
        { 128, "with status 128" },
    };

    worker.start.program = "/w";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = describe_end(pool, cases[i].status);

        tap_ok(strncmp(text, cases[i].text, strlen(cases[i].text)) == 0, "status %d: %s",
               cases[i].status, text);
    }
}

static void test_start(apr_pool_t *pool)
{
    pid_t child;

    ap_unixd_config.user_id = 1234;
    ap_unixd_config.group_id = 5678;
    configs[1].enabled = true;
    configs[1].worker_program = "/program";
    configs[1].workers = 3;
    servers[0].next = &servers[1];
    starts = 0;
    tap_ok(!iimg_picture_worker_begin(pool, servers) && starts == 1, "a worker is started");
    tap_ok(strcmp(worker.start.program, "/program") == 0 && worker.start.workers == 3,
           "a worker is started as an enabled server says");
    tap_ok(worker.start.user == (geteuid() == 0 ? 1234 : -1)
               && worker.start.group == (geteuid() == 0 ? 5678 : -1),
           "root starts a worker as httpd's user");
    tap_ok(worker.failures == 0 && worker.start.delay == 0, "a new configuration has no falls");
    tap_ok(configs[0].services.pictures.worker.socket == -1
               && configs[1].services.pictures.worker.socket == -1,
           "all servers have its socket");
    kept.count = 31;
    (void)retain_worker(NULL);
    tap_ok(kept.count == 32 && kept.old[31] == 100, "an old worker is remembered");
    (void)retain_worker(NULL);
    tap_is_number(kept.count, 32, "32 old workers are remembered at most");
    kept.count = 0;
    worker.process.pid = 0;
    (void)retain_worker(NULL);
    tap_is_number(kept.count, 0, "a worker that was not started is not remembered");
    next_pid = -1;
    tap_ok(iimg_picture_worker_begin(pool, servers) != NULL, "a worker that cannot be started");
    child = fork();
    if (child == 0) {
        pause();
    }
    registered = 0;
    kept.old[0] = child;
    kept.count = 1;
    register_old_workers(pool);
    tap_ok(kept.count == 1 && kept.old[0] == child && registered == 1,
           "an old worker that runs is expected");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    registered = 0;
    kept.old[0] = getpid(); /* no child */
    kept.count = 1;
    register_old_workers(pool);
    tap_ok(kept.count == 0 && registered == 0, "an old worker that has ended is not expected");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    worker.pool = context->pool;
    servers[0].log.level = APLOG_ERR;
    worker.server = servers;
    worker.began = worker_clock;
    test_delays();
    test_reasons();
    test_ends(context->pool);
    test_start(context->pool);
    work_end(context);
    return tap_done();
}
