/* loop.c - an event loop for HTTP requests: libcurl's multi socket interface on epoll.
 *
 * A loop belongs to the thread that created it (server/jobs/engine.c has one in each child); only
 * iimg_http_loop_wake may be called by others. libcurl reports its sockets and its next timeout to
 * watch_socket and set_timer; a turn waits for both with epoll_wait, and passes events to libcurl.
 *
 * A request may wait for minutes, so a waiting request must hold little memory: its upload buffer
 * is freed once the body has been sent. A request must never be sent twice, since the provider
 * bills each: every request has a new connection. Handles must not be freed within libcurl's
 * callbacks; end_transfers does so after libcurl has returned.
 */
#include "base/http/loop.h"

#include <errno.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <apr_time.h>
#include "base/fault.h"
#include "base/http/transfer.h"

#define EVENTS        256    /* per call of epoll_wait */
#define UPLOAD_BUFFER 16384L /* libcurl's minimum; each request has one */
#define RECEIVE_BUFFER \
    4096L /* held while a request waits: 16 KB would be a third of its memory \
           */

struct iimg_http_loop_t {
    CURLM *multi;
    int epoll;
    int wake;                  /* eventfd */
    apr_time_t due;            /* libcurl's next timeout; 0: none */
    apr_array_header_t *quiet; /* CURL *, waiting to read: their bodies may have been sent */
};

/* The public name of a transfer. */
struct iimg_http_call_t {
    iimg_transfer_t transfer;
};

static iimg_http_call_t *call_of(iimg_transfer_t *transfer)
{
    return (iimg_http_call_t *)transfer;
}

static apr_status_t loop_destroy(void *data)
{
    iimg_http_loop_t *loop = data;

    if (loop->multi) {
        curl_multi_cleanup(loop->multi);
    }
    if (loop->wake >= 0) {
        close(loop->wake);
    }
    if (loop->epoll >= 0) {
        close(loop->epoll);
    }
    return APR_SUCCESS;
}

/* Callbacks of libcurl ------------------------------------------------------------------------ */

static int watch_socket(CURL *curl, curl_socket_t socket, int what, void *baton, void *known)
{
    iimg_http_loop_t *loop = baton;
    struct epoll_event event = { .data.fd = socket };

    if (what == CURL_POLL_IN) {
        APR_ARRAY_PUSH(loop->quiet, CURL *) = curl;
    }
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, socket, NULL);
        curl_multi_assign(loop->multi, socket, NULL);
        return 0;
    }
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    /* A descriptor that was closed and reused may be unknown to epoll, whatever libcurl says. */
    if (!known || (epoll_ctl(loop->epoll, EPOLL_CTL_MOD, socket, &event) && errno == ENOENT)) {
        if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, socket, &event) && errno == EEXIST) {
            epoll_ctl(loop->epoll, EPOLL_CTL_MOD, socket, &event);
        }
        curl_multi_assign(loop->multi, socket, loop);
    }
    return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *baton)
{
    iimg_http_loop_t *loop = baton;

    (void)multi;
    loop->due = milliseconds < 0 ? 0 : apr_time_now() + apr_time_from_msec(milliseconds);
    return 0;
}

iimg_http_loop_t *iimg_http_loop_create(apr_pool_t *pool)
{
    iimg_http_loop_t *loop = apr_pcalloc(pool, sizeof(*loop));
    struct epoll_event event = { .events = EPOLLIN };

    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->multi = curl_multi_init();
    loop->quiet = apr_array_make(pool, 16, sizeof(CURL *));
    apr_pool_cleanup_register(pool, loop, loop_destroy, apr_pool_cleanup_null);
    event.data.fd = loop->wake;
    if (loop->epoll < 0 || loop->wake < 0 || !loop->multi
        || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event)) {
        return NULL;
    }
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
    return loop;
}

/* Requests ------------------------------------------------------------------------------------ */

static void drop_handle(iimg_http_loop_t *loop, iimg_transfer_t *transfer)
{
    CURL *curl = transfer->curl;

    curl_multi_remove_handle(loop->multi, curl);
    apr_array_clear(loop->quiet); /* the handle may be in there */
    curl_easy_cleanup(curl);
    transfer->curl = NULL;
}

iimg_http_call_t *iimg_http_loop_send(iimg_http_loop_t *loop, apr_pool_t *pool,
                                      const iimg_http_request_t *request, iimg_http_ended_fn ended,
                                      void *baton)
{
    iimg_transfer_t *transfer = iimg_transfer_create(pool, pool, request);
    CURL *curl = curl_easy_init();

    if (!curl || !iimg_transfer_prepare(transfer, curl)) {
        curl_easy_cleanup(curl);
        return NULL;
    }
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
    /* On a reused connection libcurl resends a request without a response. These requests cost
     * money and may have arrived. */
    curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    transfer->ended = ended;
    transfer->baton = baton;
    if (curl_multi_add_handle(loop->multi, curl) != CURLM_OK) {
        curl_easy_cleanup(curl);
        return NULL;
    }
    return call_of(transfer);
}

void iimg_http_loop_abort(iimg_http_loop_t *loop, iimg_http_call_t *call)
{
    drop_handle(loop, &call->transfer);
}

static void end_transfers(iimg_http_loop_t *loop)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(loop->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            iimg_transfer_t *transfer = iimg_transfer_of(message->easy_handle);

            iimg_transfer_finish(transfer, message->data.result);
            (void)IIMG_FAULT("http.answered");
            drop_handle(loop, transfer);
            transfer->ended(transfer->baton, transfer->response);
        }
    }
}

/* Memory of waiting requests ------------------------------------------------------------------ */

/* libcurl keeps the upload buffer until the transfer ends. In 7.88, setting the size frees it; in
 * other versions it has no effect. */
static void drop_upload_buffer(CURL *curl)
{
    curl_off_t sent = 0, whole = iimg_transfer_of(curl)->upload;

    curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (whole > 0 && sent == whole) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
    }
}

/* Must run after libcurl has returned: its callbacks use the buffers. */
static void drop_upload_buffers(iimg_http_loop_t *loop)
{
    for (int i = 0; i < loop->quiet->nelts; i++) {
        drop_upload_buffer(APR_ARRAY_IDX(loop->quiet, i, CURL *));
    }
    apr_array_clear(loop->quiet);
}

static void call_libcurl(iimg_http_loop_t *loop, curl_socket_t socket, int what)
{
    int running;

    curl_multi_socket_action(loop->multi, socket, what, &running);
    drop_upload_buffers(loop);
}

/* Turns --------------------------------------------------------------------------------------- */

/* @return milliseconds, rounded up, so that no turn ends too early and repeats */
static int wait_time(const iimg_http_loop_t *loop, apr_interval_time_t patience)
{
    apr_interval_time_t left = loop->due ? loop->due - apr_time_now() : patience;

    left = left < patience ? left : patience;
    return left > 0 ? (int)apr_time_as_msec(left + 999) : 0;
}

static void process_event(iimg_http_loop_t *loop, const struct epoll_event *event)
{
    int what = (event->events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0)
               | (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
               | (event->events & EPOLLERR ? CURL_CSELECT_ERR : 0);
    eventfd_t count;

    if (event->data.fd == loop->wake) {
        (void)eventfd_read(loop->wake, &count);
        return;
    }
    call_libcurl(loop, event->data.fd, what);
}

void iimg_http_loop_turn(iimg_http_loop_t *loop, apr_interval_time_t patience)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop->epoll, events, EVENTS, wait_time(loop, patience));

    for (int i = 0; i < count; i++) {
        process_event(loop, &events[i]);
    }
    if (loop->due && loop->due <= apr_time_now()) {
        loop->due = 0;
        call_libcurl(loop, CURL_SOCKET_TIMEOUT, 0);
    }
    end_transfers(loop);
}

void iimg_http_loop_wake(iimg_http_loop_t *loop)
{
    (void)eventfd_write(loop->wake, 1);
}
