/* park_configure.c - whether connections can be parked in this httpd, and how many. */
#include "server/jobs/park.h"

#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <ap_mpm.h>
#include <apr_poll.h>
#include <apr_portable.h>
#include <http_config.h>
#include <http_log.h>

APLOG_USE_MODULE(identityimg);

#define FILES_EACH     3   /* the connection, its eventfd, the provider's connection */
#define FILES_OTHER    256 /* logs, libraries, the database, pictures */
#define DEFAULT_FACTOR 2.0 /* AsyncRequestWorkerFactor, if it is not set */
#define NO_LIMIT       100000

bool iimg_park_mpm_can_wait(void)
{
    int can = 0;

    return ap_mpm_query(AP_MPMQ_CAN_WAITIO, &can) == APR_SUCCESS && can;
}

/* Test ---------------------------------------------------------------------------------------- */

/* Whether APR polls the descriptor that a socket reports, and reports that socket. */
static bool poll_follows(apr_pool_t *pool, apr_socket_t *connection, int event)
{
    apr_pollfd_t wanted = { .p = pool,
                            .desc_type = APR_POLL_SOCKET,
                            .reqevents = APR_POLLIN,
                            .desc.s = connection,
                            .client_data = connection };
    const apr_pollfd_t *found = NULL;
    apr_pollset_t *set;
    apr_int32_t count = 0;

    if (apr_pollset_create(&set, 1, pool, APR_POLLSET_THREADSAFE | APR_POLLSET_NOCOPY)
            != APR_SUCCESS
        || apr_pollset_add(set, &wanted) != APR_SUCCESS) {
        return false;
    }
    if (apr_pollset_poll(set, 0, &count, &found) == APR_SUCCESS && count) {
        return false;
    }
    (void)eventfd_write(event, 1);
    return apr_pollset_poll(set, APR_USEC_PER_SEC, &count, &found) == APR_SUCCESS && count == 1
           && found->client_data == connection && apr_pollset_remove(set, &wanted) == APR_SUCCESS;
}

static bool try_socket(apr_pool_t *pool, apr_socket_t *connection, int event)
{
    apr_os_sock_t own, other = event, after = -1;
    bool works;

    if (apr_os_sock_get(&own, connection) != APR_SUCCESS
        || apr_os_sock_put(&connection, &other, NULL) != APR_SUCCESS) {
        return false;
    }
    works = poll_follows(pool, connection, event);
    return apr_os_sock_put(&connection, &own, NULL) == APR_SUCCESS
           && apr_os_sock_get(&after, connection) == APR_SUCCESS && after == own && works;
}

/* @return NULL, or why nothing can be parked, and what to do */
static const char *test_parking(apr_pool_t *temporary)
{
    apr_socket_t *connection;
    bool works = false;
    int event;

    if (!iimg_park_mpm_can_wait()) {
        return "this MPM cannot wait for a connection; use the event MPM of httpd 2.4.63 or later";
    }
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0 || apr_socket_create(&connection, APR_INET, SOCK_STREAM, 0, temporary)) {
        return "there is no file descriptor for a test; raise ulimit -n";
    }
    works = try_socket(temporary, connection, event);
    apr_socket_close(connection);
    close(event);
    return works ? NULL : "APR's pollset ignores a replaced descriptor; set the directive to off";
}

/* Limit --------------------------------------------------------------------------------------- */

/* The MPM does not report its factor. The last directive counts. */
static void find_factor(const ap_directive_t *tree, double *factor)
{
    for (; tree; tree = tree->next) {
        if (strcasecmp(tree->directive, "AsyncRequestWorkerFactor") == 0) {
            *factor = atof(tree->args);
        }
        find_factor(tree->first_child, factor);
    }
}

/* A child accepts ThreadsPerChild + factor x idle threads connections: half of them may park. */
static int limit_of_mpm(void)
{
    double factor = DEFAULT_FACTOR, room;
    int threads = 1;

    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    find_factor(ap_conftree, &factor);
    room = threads * (1 + factor) / 2;
    return room < 1 ? 1 : room > NO_LIMIT ? NO_LIMIT : (int)room;
}

static int limit_of_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY
        || limit.rlim_cur > 1000000) {
        return NO_LIMIT;
    }
    return limit.rlim_cur <= FILES_OTHER + FILES_EACH
               ? 1
               : (int)((limit.rlim_cur - FILES_OTHER) / FILES_EACH);
}

static void set_limit(server_rec *server)
{
    iimg_config_t *config = iimg_config_of(server);
    int wanted = config->max_parked, most = limit_of_files();

    if (wanted > most) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "IIMG0172: IdentityImgMaxParked %d needs %d file descriptors, but ulimit -n "
                     "allows fewer: at most %d requests are parked in a child; raise ulimit -n",
                     wanted, wanted * FILES_EACH + FILES_OTHER, most);
    }
    wanted = wanted ? wanted : limit_of_mpm();
    config->max_parked = wanted < most ? wanted : most;
}

void iimg_park_configure(apr_pool_t *temporary, server_rec *servers)
{
    const char *problem = NULL;
    bool wanted = false, required = false;

    for (server_rec *server = servers; server; server = server->next) {
        const iimg_config_t *config = iimg_config_of(server);

        wanted = wanted || (config->enabled && config->park_requests);
        required = required || (config->enabled && config->park_requests == 1);
    }
    problem = wanted ? test_parking(temporary) : NULL;
    if (problem && required) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, servers,
                     "IIMG0171: IdentityImgParkRequests has no effect: %s", problem);
    }
    for (server_rec *server = servers; server; server = server->next) {
        iimg_config_t *config = iimg_config_of(server);

        config->park_requests = problem ? 0 : config->park_requests;
        if (config->enabled && config->park_requests) {
            set_limit(server);
        }
    }
}
