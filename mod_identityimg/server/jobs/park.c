/* park.c - connections whose requests wait without a thread. docs/parking.md tells how, and on what
 * it stands. */
#include "server/jobs/park.h"

#include <errno.h>
#include <poll.h>
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
#include "server/jobs/engine.h"
#include "server/http/response.h"

#define CLOSED_REQUEST   499 /* in the log, as others have it: the client has left */
#define LONGEST_BEAT     apr_time_from_sec(20) /* between two looks at the time */
#define SHORTEST_TIMEOUT apr_time_from_sec(4)  /* httpd's, that a beat can be kept within */
#define ASK_AGAIN        APR_USEC_PER_SEC      /* when the row could not be read */

/* A request that waits. It lives in the request's pool. */
typedef struct park_t {
    iimg_request_t req;
    iimg_awaited_t awaited;
    apr_socket_t *connection;
    int event;          /* eventfd: that there is news, or that time has passed */
    int socket;         /* the connection's own descriptor while the other is in its place; -1 */
    apr_uint32_t stuck; /* atomic */
    iimg_engine_watch_t *watch; /* NULL: not listened any more */
} park_t;

/* What a connection has. */
typedef struct slot_t {
    park_t *park; /* NULL: no request of it waits */
    bool inside;  /* process_connection runs within ours */
} slot_t;

static apr_uint32_t parked; /* in this child; atomic */

static slot_t *slot_of(conn_rec *c)
{
    slot_t *slot = ap_get_module_config(c->conn_config, &identityimg_module);

    if (!slot) {
        slot = apr_pcalloc(c->pool, sizeof(*slot));
        ap_set_module_config(c->conn_config, &identityimg_module, slot);
    }
    return slot;
}

/* Places ----------------------------------------------------------------------------------------
 */

/* Of a connection that is a stream of another one, or whose filters hold back input, nothing can be
 * said by its socket. */
static bool is_parkable(const iimg_request_t *req)
{
    const request_rec *r = req->r;
    const conn_rec *c = r->connection;

    return req->config->park_requests && c->cs && !c->master && !r->main && !r->prev
           && !c->clogging_input_filters && r->server->timeout >= SHORTEST_TIMEOUT
           && iimg_park_mpm_can_wait();
}

/* What a connection has freed it keeps for its next request, up to MaxMemFree. One that waits for
 * minutes gives it back at once: the buffer that its request came in, for one. */
static void keep_freed(const conn_rec *c, apr_size_t most)
{
    apr_allocator_max_free_set(apr_pool_allocator_get(c->pool), most);
}

bool iimg_park_enter(iimg_request_t *req)
{
    if (!is_parkable(req)) {
        return false;
    }
    if (apr_atomic_inc32(&parked) < (apr_uint32_t)req->config->max_parked) {
        keep_freed(req->r->connection, 1); /* 0 would be no limit */
        return true;
    }
    apr_atomic_dec32(&parked);
    return false;
}

void iimg_park_leave(const iimg_request_t *req)
{
    keep_freed(req->r->connection, ap_max_mem_free);
    apr_atomic_dec32(&parked);
}

/* The two descriptors -----------------------------------------------------------------------------
 */

static bool put_descriptor(apr_socket_t *connection, int fd)
{
    apr_os_sock_t number = fd;

    return apr_os_sock_put(&connection, &number, NULL) == APR_SUCCESS;
}

/* The MPM polls what the socket says is its descriptor. */
static void lay_aside(park_t *park)
{
    apr_os_sock_t number;

    if (park->socket < 0 && apr_os_sock_get(&number, park->connection) == APR_SUCCESS
        && put_descriptor(park->connection, park->event)) {
        park->socket = number;
    }
}

static void put_back(park_t *park)
{
    if (park->socket >= 0) {
        put_descriptor(park->connection, park->socket);
        park->socket = -1;
    }
}

/* Waiting ----------------------------------------------------------------------------------------
 */

static void take_news(void *baton, iimg_engine_news_t news)
{
    park_t *park = baton;

    if (news == IIMG_NEWS_STUCK) {
        apr_atomic_set32(&park->stuck, 1);
    }
    (void)eventfd_write(park->event, 1);
}

/* When the request is over; also when httpd drops the connection. */
static apr_status_t stop_waiting(void *data)
{
    park_t *park = data;

    if (park->watch) {
        slot_of(park->req.r->connection)->park = NULL;
        iimg_engine_unwatch(park->watch);
        park->watch = NULL;
        put_back(park);
        close(park->event);
        iimg_park_leave(&park->req);
    }
    return APR_SUCCESS;
}

/* httpd gives up on whom it has not heard of for its Timeout: it hears more often. */
static void set_alarm(const park_t *park, bool known)
{
    apr_interval_time_t beat = park->req.r->server->timeout / 2;
    apr_time_t due = apr_time_now()
                     + (known ? (beat < LONGEST_BEAT ? beat : LONGEST_BEAT) : ASK_AGAIN);

    iimg_engine_watch_due(park->watch, due < park->awaited.deadline ? due : park->awaited.deadline);
}

bool iimg_park(iimg_request_t *req, const iimg_awaited_t *awaited)
{
    request_rec *r = req->r;
    park_t *park = apr_pcalloc(r->pool, sizeof(*park));

    park->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (park->event < 0) {
        iimg_log(req->context, IIMG_LOG_WARNING,
                 "IIMG0170: a request that waits has no descriptor");
        return false;
    }
    park->req = *req;
    park->req.place = IIMG_PLACE_NONE; /* it is the parking's now */
    park->awaited = *awaited;
    park->awaited.job_id = apr_pstrdup(r->pool, awaited->job_id);
    park->connection = ap_get_conn_socket(r->connection);
    park->socket = -1;
    park->watch = iimg_engine_watch(r->pool, r->server, awaited->job_id, awaited->version,
                                    take_news, park);
    apr_pool_pre_cleanup_register(r->pool, park, stop_waiting);
    slot_of(r->connection)->park = park;
    (void)eventfd_write(park->event, 1); /* what happened meanwhile is no news: look once more */
    return true;
}

/* @return what process_connection answers: the connection waits in the MPM */
static int wait_in_mpm(conn_rec *c)
{
    c->cs->state = CONN_STATE_ASYNC_WAITIO;
    c->cs->sense = CONN_SENSE_WANT_READ;
    return OK;
}

/* Answering ---------------------------------------------------------------------------------------
 */

/* Who has only closed his side still reads: it is known after the answer was sent, if at all. */
static bool has_left(const apr_socket_t *connection)
{
    struct pollfd it = { .events = 0 };
    apr_os_sock_t number;

    if (apr_os_sock_get(&number, (apr_socket_t *)connection) != APR_SUCCESS) {
        return false;
    }
    it.fd = number;
    return poll(&it, 1, 0) > 0 && (it.revents & (POLLERR | POLLHUP));
}

static int answer(conn_rec *c, park_t *park)
{
    iimg_request_t *req = &park->req;
    request_rec *r = req->r;
    iimg_error_t *err;
    int status = OK;

    stop_waiting(park);
    ap_update_child_status(c->sbh, SERVER_BUSY_WRITE, r);
    if (has_left(park->connection)) {
        c->aborted = 1;
        r->status = CLOSED_REQUEST;
    }
    else {
        err = park->awaited.answer(req, park->awaited.job_id);
        status = err ? iimg_respond_error(r, req->context, err) : OK;
    }
    if (c->aborted) {
        r->status = CLOSED_REQUEST;
    }
    ap_die(status, r);
    ap_process_request_after_handler(r);
    return OK;
}

/* The eventfd is emptied before anything is looked at: what comes later wakes again. */
static int look(conn_rec *c, park_t *park)
{
    eventfd_t count;
    bool known;

    (void)eventfd_read(park->event, &count);
    if (apr_atomic_read32(&park->stuck) || apr_time_now() >= park->awaited.deadline
        || iimg_await_is_over(&park->req, &park->awaited, &known)) {
        return answer(c, park);
    }
    set_alarm(park, known);
    return wait_in_mpm(c);
}

/* Hooks ------------------------------------------------------------------------------------------
 */

/* Goes around all others, to see what a handler of ours has left behind. */
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
        return look(c, slot->park);
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
        lay_aside(slot->park);
    }
}

void iimg_park_resume(conn_rec *c, request_rec *r)
{
    slot_t *slot = c->master || !c->cs ? NULL : slot_of(c);

    (void)r;
    if (slot && slot->park) {
        put_back(slot->park);
    }
}
