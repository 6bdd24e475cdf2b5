/* picture_worker.c - identityimg-worker as a child of httpd's parent. */
#include "server/picture_worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>
#include <ap_mpm.h>
#include <http_core.h>
#include <http_log.h>
#include <unixd.h>
#include "server/config/config.h"
#include "services/pictures/worker_client.h"

APLOG_USE_MODULE(identityimg);

#define RETAINED  "identityimg-workers"
#define MAX_OLD   32                    /* older ones are not told from strangers any more */
#define LONG_LIFE apr_time_from_sec(10) /* who lived so long did not fall at once */
#define MAX_DELAY 30000                 /* milliseconds */

/* Workers of configurations that are gone; the module itself is loaded anew at each restart. */
typedef struct retained_t {
    pid_t old[MAX_OLD];
    int count;
} retained_t;

/* The worker of this configuration. File-scope, as httpd's parent and each child have just one. */
static struct {
    apr_pool_t *pool; /* pconf */
    server_rec *server;
    retained_t *retained;
    apr_proc_t process;
    iimg_worker_start_t start;
    pid_t parent; /* httpd's */
    int ends[2];
    int falls; /* at once after being started, in a row */
    apr_time_t began;
} worker;

enum {
    OURS,
    ITS
};

static void watch(int reason, void *data, int status);

static bool is_ending(void)
{
    int state;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS || state == AP_MPMQ_STOPPING;
}

static const char *launch(void)
{
    pid_t pid = iimg_picture_worker_start(&worker.start);

    if (pid < 0) {
        return apr_psprintf(worker.pool, "identityimg-worker cannot be started: %s",
                            strerror(errno));
    }
    memset(&worker.process, 0, sizeof(worker.process));
    worker.process.pid = pid;
    worker.began = apr_time_now() + apr_time_from_msec(worker.start.delay);
    apr_proc_other_child_register(&worker.process, watch, &worker, NULL, worker.pool);
    return NULL;
}

static int choose_delay(void)
{
    int delay = 250;

    worker.falls = apr_time_now() - worker.began < LONG_LIFE ? worker.falls + 1 : 0;
    for (int i = 2; i < worker.falls && delay < MAX_DELAY; i++) {
        delay *= 2;
    }
    return worker.falls < 2 ? 0 : delay < MAX_DELAY ? delay : MAX_DELAY;
}

/* How the worker ended. httpd reports an exit status and a signal's number alike. The worker's own
 * statuses are 0 to 2, and of these signals it ignores both; 126 and 127 come from exec and the
 * loader. */
static const char *describe_end(apr_pool_t *pool, int status)
{
    if (status == 126 || status == 127) {
        return apr_psprintf(pool,
                            "with status %d: %s cannot be loaded; run ldd on it as httpd's User",
                            status, worker.start.program);
    }
    return status > 2 && status < NSIG
               ? apr_psprintf(pool, "by signal %d (%s)", status, strsignal(status))
               : apr_psprintf(pool, "with status %d", status);
}

/* Requests that come meanwhile wait in the socket, which the parent holds at both ends. */
static void start_again(int status)
{
    const char *problem;
    apr_pool_t *pool;

    apr_pool_create(&pool, worker.pool);
    worker.start.delay = choose_delay();
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, worker.server,
                 "IIMG0134: identityimg-worker (pid %ld) "
                 "ended %s; it is started again in %d ms",
                 (long)worker.process.pid, describe_end(pool, status), worker.start.delay);
    apr_pool_destroy(pool);
    problem = launch();
    if (problem) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, worker.server, "IIMG0134: %s", problem);
    }
}

/* httpd's parent tells what became of its other children. */
static void watch(int reason, void *data, int status)
{
    if (reason == APR_OC_REASON_DEATH || reason == APR_OC_REASON_LOST) {
        apr_proc_other_child_unregister(data);
        if (!is_ending()) {
            start_again(status);
        }
    }
}

/* An old worker whose time has come. */
static void bury(int reason, void *data, int status)
{
    (void)status;
    if (reason == APR_OC_REASON_DEATH || reason == APR_OC_REASON_LOST) {
        apr_proc_other_child_unregister(data);
    }
}

/* The end of a configuration. The old children still hold our end, so that the old worker lives;
 * who does not know it would log that a long lost child came home. */
static apr_status_t leave_behind(void *unused)
{
    retained_t *retained = worker.retained;

    (void)unused;
    close(worker.ends[OURS]);
    close(worker.ends[ITS]);
    if (retained->count < MAX_OLD && worker.process.pid > 0) {
        retained->old[retained->count++] = worker.process.pid;
    }
    return APR_SUCCESS;
}

static void expect_old_ones(apr_pool_t *pconf)
{
    retained_t *retained = worker.retained;
    int left = 0;

    for (int i = 0; i < retained->count; i++) {
        apr_proc_t *process;

        if (waitpid(retained->old[i], NULL, WNOHANG) != 0) {
            continue; /* it has ended, or is no child of ours */
        }
        process = apr_pcalloc(pconf, sizeof(*process));
        process->pid = retained->old[i];
        apr_proc_other_child_register(process, bury, process, NULL, pconf);
        retained->old[left++] = retained->old[i];
    }
    retained->count = left;
}

static void tell_all(server_rec *servers)
{
    for (server_rec *server = servers; server; server = server->next) {
        iimg_config_of(server)->services.pictures.worker.socket = worker.ends[OURS];
    }
}

/* The worker's directives are the same in all servers; only those that use them have been
 * checked. */
static const iimg_config_t *find_config(server_rec *servers)
{
    while (!iimg_config_of(servers)->enabled) {
        servers = servers->next;
    }
    return iimg_config_of(servers);
}

const char *iimg_picture_worker_begin(apr_pool_t *pconf, server_rec *servers)
{
    const iimg_config_t *config = find_config(servers);

    worker.pool = pconf;
    worker.server = servers;
    worker.parent = getpid();
    worker.falls = 0;
    worker.retained = ap_retained_data_get(RETAINED);
    if (!worker.retained) {
        worker.retained = ap_retained_data_create(RETAINED, sizeof(*worker.retained));
    }
    expect_old_ones(pconf);
    if (!iimg_picture_worker_pair(worker.ends)) {
        return apr_psprintf(pconf, "identityimg-worker has no socket: %s", strerror(errno));
    }
    tell_all(servers);
    worker.start = (iimg_worker_start_t){
        .program = config->worker_program,
        .socket = worker.ends[ITS],
        .workers = config->workers,
        .user = geteuid() == 0 ? (long)ap_unixd_config.user_id : -1,
        .group = geteuid() == 0 ? (long)ap_unixd_config.group_id : -1,
    };
    apr_pool_cleanup_register(pconf, NULL, leave_behind, apr_pool_cleanup_null);
    return launch();
}

void iimg_picture_worker_share(void)
{
    if (getpid() != worker.parent) { /* with httpd -X there is but one process */
        close(worker.ends[ITS]);
    }
}
