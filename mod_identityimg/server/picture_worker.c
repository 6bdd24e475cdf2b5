/* picture_worker.c - runs identityimg-worker as a child of httpd's parent.
 *
 * Owns the worker's process and a socket pair. Everything but iimg_picture_worker_share runs in
 * httpd's parent, which has one thread: post_config starts the worker, and httpd calls watch_worker
 * when it ends. The parent keeps both ends open, so that requests queue in the socket while the
 * worker restarts. A restart of httpd leaves the old worker to the old children; it must be
 * registered again, or httpd would log it as an unknown child. Children must not start workers. */
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

#define RETAINED   "identityimg-workers"
#define MAX_OLD    32                    /* workers of earlier configurations */
#define STABLE_AGE apr_time_from_sec(10) /* a worker of this age resets the delay */
#define MIN_DELAY  250                   /* milliseconds */
#define MAX_DELAY  30000

/* Workers of earlier configurations. httpd retains this when it reloads the module. */
typedef struct retained_t {
    pid_t old[MAX_OLD];
    int count;
} retained_t;

/* The worker of this configuration. */
static struct {
    apr_pool_t *pool; /* pconf */
    server_rec *server;
    retained_t *retained;
    apr_proc_t process;
    iimg_worker_start_t start;
    pid_t parent; /* httpd's */
    int ends[2];
    int failures; /* consecutive early ends */
    apr_time_t began;
} worker;

enum {
    OURS,
    ITS
};

static void watch_worker(int reason, void *data, int status);

static bool is_ending(void)
{
    int state;

    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) != APR_SUCCESS || state == AP_MPMQ_STOPPING;
}

static const char *launch(void)
{
    pid_t pid = iimg_picture_worker_start(&worker.start);

    if (pid < 0) {
        return apr_psprintf(worker.pool, "cannot start identityimg-worker: %s", strerror(errno));
    }
    memset(&worker.process, 0, sizeof(worker.process));
    worker.process.pid = pid;
    worker.began = apr_time_now() + apr_time_from_msec(worker.start.delay);
    apr_proc_other_child_register(&worker.process, watch_worker, &worker, NULL, worker.pool);
    return NULL;
}

static int choose_delay(void)
{
    int delay = MIN_DELAY;

    worker.failures = apr_time_now() - worker.began < STABLE_AGE ? worker.failures + 1 : 0;
    for (int i = 2; i < worker.failures && delay < MAX_DELAY; i++) {
        delay *= 2;
    }
    return worker.failures < 2 ? 0 : delay < MAX_DELAY ? delay : MAX_DELAY;
}

/* httpd reports exit statuses and signals in one number. The worker exits with 0 to 2 and ignores
 * signals 1 and 2; 126 and 127 come from exec and the loader. */
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

static void restart(int status)
{
    const char *problem;
    apr_pool_t *pool;

    apr_pool_create(&pool, worker.pool);
    worker.start.delay = choose_delay();
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, worker.server,
                 "IIMG0134: identityimg-worker (pid %ld) ended %s; restarting in %d ms",
                 (long)worker.process.pid, describe_end(pool, status), worker.start.delay);
    apr_pool_destroy(pool);
    problem = launch();
    if (problem) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, worker.server, "IIMG0134: %s", problem);
    }
}

static void watch_worker(int reason, void *data, int status)
{
    if (reason == APR_OC_REASON_DEATH || reason == APR_OC_REASON_LOST) {
        apr_proc_other_child_unregister(data);
        if (!is_ending()) {
            restart(status);
        }
    }
}

/* Of an old worker. */
static void forget_worker(int reason, void *data, int status)
{
    (void)status;
    if (reason == APR_OC_REASON_DEATH || reason == APR_OC_REASON_LOST) {
        apr_proc_other_child_unregister(data);
    }
}

/* The configuration ends. Old children keep the old worker running through their end. */
static apr_status_t retain_worker(void *unused)
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

static void register_old_workers(apr_pool_t *pconf)
{
    retained_t *retained = worker.retained;
    int left = 0;

    for (int i = 0; i < retained->count; i++) {
        apr_proc_t *process;

        if (waitpid(retained->old[i], NULL, WNOHANG) != 0) {
            continue; /* it has ended, or is not our child */
        }
        process = apr_pcalloc(pconf, sizeof(*process));
        process->pid = retained->old[i];
        apr_proc_other_child_register(process, forget_worker, process, NULL, pconf);
        retained->old[left++] = retained->old[i];
    }
    retained->count = left;
}

static void set_sockets(server_rec *servers)
{
    for (server_rec *server = servers; server; server = server->next) {
        iimg_config_of(server)->services.pictures.worker.socket = worker.ends[OURS];
    }
}

/* The worker's directives are the same in all servers, but checked only in those that are enabled.
 */
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
    worker.failures = 0;
    worker.retained = ap_retained_data_get(RETAINED);
    if (!worker.retained) {
        worker.retained = ap_retained_data_create(RETAINED, sizeof(*worker.retained));
    }
    register_old_workers(pconf);
    if (!iimg_picture_worker_pair(worker.ends)) {
        return apr_psprintf(pconf,
                            "cannot create a socket for identityimg-worker: %s; raise ulimit -n",
                            strerror(errno));
    }
    set_sockets(servers);
    worker.start = (iimg_worker_start_t){
        .program = config->worker_program,
        .socket = worker.ends[ITS],
        .workers = config->workers,
        .user = geteuid() == 0 ? (long)ap_unixd_config.user_id : -1,
        .group = geteuid() == 0 ? (long)ap_unixd_config.group_id : -1,
    };
    apr_pool_cleanup_register(pconf, NULL, retain_worker, apr_pool_cleanup_null);
    return launch();
}

void iimg_picture_worker_share(void)
{
    if (getpid() != worker.parent) { /* with httpd -X there is only one process */
        close(worker.ends[ITS]);
    }
}
