/* park.c - connections whose requests wait without a thread.
 *
 * Owns the count of parked requests, and for each of them an eventfd that takes the place of the
 * connection's socket in the MPM's pollset. docs/develop/parking.md describes the sequence and
 * which behavior of httpd it relies on.
 *
 * The request's handler calls iimg_park. notify_parked runs in the engine's threads and must touch
 * nothing but the eventfd and `stuck`. All else runs in the worker thread that has the connection.
 * The eventfd is drained before the row is read: a later notification wakes the connection again.
 */
#include "server/jobs/park.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <ap_mpm.h>
#include <apr_allocator.h>
#include <apr_atomic.h>
#include <apr_portable.h>
#include <apr_strings.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>
#include <scoreboard.h>
#include "base/log.h"
#include "server/jobs/watch.h"
#include "server/http/response.h"

#define CLIENT_CLOSED  499                   /* in the access log, as other servers do */
#define MAX_WAKEUP     apr_time_from_sec(20) /* between two wakeups */
#define MIN_TIMEOUT    apr_time_from_sec(4)  /* httpd's Timeout that wakeups can precede */
#define RETRY_INTERVAL APR_USEC_PER_SEC      /* when the row could not be read */

/* A parked request. Allocated from the request's pool. */
typedef struct park_t {
    iimg_request_t req;
    iimg_wait_condition_t condition;
    apr_socket_t *connection;
    int event;           /* eventfd: written to on notifications and wakeups */
    int socket;          /* the connection's own descriptor while `event` replaces it, or -1 */
    apr_uint32_t stuck;  /* atomic */
    iimg_watch_t *watch; /* NULL: ended */
} park_t;

typedef struct slot_t {
    park_t *park; /* NULL: no request of this connection is parked */
    bool inside;  /* process_connection runs within ours */
} slot_t;

static apr_uint32_t parked; /* requests of this child; atomic */

static slot_t *slot_of(conn_rec *c)
{
    slot_t *slot = ap_get_module_config(c->conn_config, &identityimg_module);

    if (!slot) {
        slot = apr_pcalloc(c->pool, sizeof(*slot));
        ap_set_module_config(c->conn_config, &identityimg_module, slot);
    }
    return slot;
}

/* Places -------------------------------------------------------------------------------------- */

/* The socket must tell all: not so for HTTP/2 streams, or with filters that hold back input. */
static bool is_parkable(const iimg_request_t *req)
{
    const request_rec *r = req->r;
    const conn_rec *c = r->connection;

    return req->config->park_requests && c->cs && !c->master && !r->main && !r->prev
           && !c->clogging_input_filters && r->server->timeout >= MIN_TIMEOUT
           && iimg_park_mpm_can_wait();
}

/* A connection keeps up to MaxMemFree for its next request. A parked one returns it at once, such
 * as the buffer that its request came in. */
static void set_max_free(const conn_rec *c, apr_size_t bytes)
{
    apr_allocator_max_free_set(apr_pool_allocator_get(c->pool), bytes);
}

bool iimg_park_reserve(iimg_request_t *req)
{
    if (!is_parkable(req)) {
        return false;
    }
    if (apr_atomic_inc32(&parked) < (apr_uint32_t)req->config->max_parked) {
        set_max_free(req->r->connection, 1); /* 0 means no limit */
        return true;
    }
    apr_atomic_dec32(&parked);
    return false;
}

void iimg_park_release(const iimg_request_t *req)
{
    set_max_free(req->r->connection, ap_max_mem_free);
    apr_atomic_dec32(&parked);
}

/* Descriptors --------------------------------------------------------------------------------- */

static bool set_descriptor(apr_socket_t *connection, int fd)
{
    apr_os_sock_t number = fd;

    return apr_os_sock_put(&connection, &number, NULL) == APR_SUCCESS;
}

/* The MPM polls the descriptor that the socket reports. */
static void replace_socket(park_t *park)
{
    apr_os_sock_t number;

    if (park->socket < 0 && apr_os_sock_get(&number, park->connection) == APR_SUCCESS
        && set_descriptor(park->connection, park->event)) {
        park->socket = number;
    }
}

static void restore_socket(park_t *park)
{
    if (park->socket >= 0) {
        set_descriptor(park->connection, park->socket);
        park->socket = -1;
    }
}

/* Park ---------------------------------------------------------------------------------------- */

static void notify_parked(void *baton, iimg_watch_event_t event)
{
    park_t *park = baton;

    if (event == IIMG_WATCH_STUCK) {
        apr_atomic_set32(&park->stuck, 1);
    }
    (void)eventfd_write(park->event, 1);
}

/* Before the answer, and as a cleanup: httpd may drop the connection. */
static apr_status_t end_park(void *data)
{
    park_t *park = data;

    if (park->watch) {
        slot_of(park->req.r->connection)->park = NULL;
        iimg_watch_remove(park->watch);
        park->watch = NULL;
        restore_socket(park);
        close(park->event);
        iimg_park_release(&park->req);
    }
    return APR_SUCCESS;
}

/* httpd drops a connection after its Timeout without an event: wake up earlier. */
static void set_wakeup(const park_t *park, bool known)
{
    apr_interval_time_t half = park->req.r->server->timeout / 2;
    apr_interval_time_t interval = half < MAX_WAKEUP ? half : MAX_WAKEUP;
    apr_time_t due = apr_time_now() + (known ? interval : RETRY_INTERVAL);

    iimg_watch_set_due(park->watch,
                       due < park->condition.deadline ? due : park->condition.deadline);
}

bool iimg_park(iimg_request_t *req, const iimg_wait_condition_t *condition)
{
    request_rec *r = req->r;
    park_t *park = apr_pcalloc(r->pool, sizeof(*park));

    park->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (park->event < 0) {
        iimg_log(req->context, IIMG_LOG_WARNING,
                 "IIMG0170: cannot park a request: eventfd: %s; raise ulimit -n", strerror(errno));
        return false;
    }
    park->req = *req;
    park->req.place = IIMG_PLACE_NONE; /* end_park releases it */
    park->condition = *condition;
    park->condition.job_id = apr_pstrdup(r->pool, condition->job_id);
    park->connection = ap_get_conn_socket(r->connection);
    park->socket = -1;
    park->watch = iimg_watch_add(r->pool, r->server, condition->job_id, condition->version,
                                 notify_parked, park);
    apr_pool_pre_cleanup_register(r->pool, park, end_park);
    slot_of(r->connection)->park = park;
    (void)eventfd_write(park->event, 1); /* earlier changes are not notified: read the row once */
    return true;
}

/* @return process_connection's result: the MPM polls the connection */
static int wait_in_mpm(conn_rec *c)
{
    c->cs->state = CONN_STATE_ASYNC_WAITIO;
    c->cs->sense = CONN_SENSE_WANT_READ;
    return OK;
}

/* Answer -------------------------------------------------------------------------------------- */

/* A client that has closed only its sending side still reads: no POLLHUP then. */
static bool is_closed(apr_socket_t *connection)
{
    struct pollfd polled = { .events = 0 };
    apr_os_sock_t number;

    if (apr_os_sock_get(&number, connection) != APR_SUCCESS) {
        return false;
    }
    polled.fd = number;
    return poll(&polled, 1, 0) > 0 && (polled.revents & (POLLERR | POLLHUP));
}

static int answer(conn_rec *c, park_t *park)
{
    iimg_request_t *req = &park->req;
    request_rec *r = req->r;
    iimg_error_t *err;
    int status = OK;

    end_park(park);
    ap_update_child_status(c->sbh, SERVER_BUSY_WRITE, r);
    if (is_closed(park->connection)) {
        c->aborted = 1;
        r->status = CLIENT_CLOSED;
    }
    else {
        err = park->condition.answer(req, park->condition.job_id);
        status = err ? iimg_respond_error(r, req->context, err) : OK;
    }
    if (c->aborted) {
        r->status = CLIENT_CLOSED;
    }
    ap_die(status, r);
    ap_process_request_after_handler(r);
    return OK;
}

static int answer_or_wait(conn_rec *c, park_t *park)
{
    eventfd_t count;
    bool known;

    (void)eventfd_read(park->event, &count);
    if (apr_atomic_read32(&park->stuck) || apr_time_now() >= park->condition.deadline
        || iimg_wait_condition_is_met(&park->req, &park->condition, &known)) {
        return answer(c, park);
    }
    set_wakeup(park, known);
    return wait_in_mpm(c);
}

/* Hooks --------------------------------------------------------------------------------------- */

/* Calls all other hooks itself, then checks whether our handler has parked a request. */
int iimg_park_process(conn_rec *c)
{
    slot_t *slot;
    int rc;

    if (c->master || !c->cs || !iimg_park_mpm_can_wait()) {
        return DECLINED;
    }
    slot = slot_of(c);
    if (slot->inside) {
        return DECLINED;
    }
    if (slot->park) {
        return answer_or_wait(c, slot->park);
    }
    slot->inside = true;
    rc = ap_run_process_connection(c);
    slot->inside = false;
    return slot->park && c->cs->state == CONN_STATE_SUSPENDED ? wait_in_mpm(c) : rc;
}

void iimg_park_suspend(conn_rec *c, request_rec *r)
{
    slot_t *slot = c->master || !c->cs ? NULL : slot_of(c);

    (void)r;
    if (slot && slot->park && c->cs->state == CONN_STATE_ASYNC_WAITIO) {
        replace_socket(slot->park);
    }
}

void iimg_park_resume(conn_rec *c, request_rec *r)
{
    slot_t *slot = c->master || !c->cs ? NULL : slot_of(c);

    (void)r;
    if (slot && slot->park) {
        restore_socket(slot->park);
    }
}
