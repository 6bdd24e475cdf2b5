/* worker_client.c - sends pictures to identityimg-worker and reads its replies.
 *
 * Owns one call: a memory file with the picture, a pipe for the answer, a pipe for verdicts, and
 * their timeouts. services/pictures/image.c calls it, in any thread of a child; each call belongs
 * to one thread and blocks it. The zygote is trusted and writes the verdicts. The answer comes from
 * the picture's own process, which an attacker may control. Therefore this file never allocates by
 * a length that it has not checked, never reads beyond one frame, and uses no member of the answer
 * unchecked.
 *
 * If the zygote exits before the picture has a verdict, the request is sent again to its successor.
 */
#include "services/pictures/worker_client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <apr_strings.h>
#include <apr_time.h>
#include "base/file.h"

#define GRACE    2000 /* milliseconds for the zygote beyond its own deadline */
#define ATTEMPTS 3    /* most zygotes that get a request */
#define ANSWER_ROOM \
    (256 * 1024) /* bytes of the pipe: most answers fit, so their process can exit */

enum {
    OURS,
    THEIRS
};

struct iimg_worker_call_t {
    iimg_context_t *context;
    const iimg_picture_worker_t *worker;
    const iimg_worker_question_t *question;
    iimg_worker_reply_t *reply;
    iimg_work_request_t request;
    int picture;               /* descriptor for the worker */
    int answer[2], verdict[2]; /* pipes; -1: closed */
    apr_time_t due;            /* timeout of the next event */
    bool sent;                 /* the current attempt's request is sent */
    bool started;              /* its turn has come */
    iimg_work_verdict_t last;  /* the last verdict; event 0: none yet */
    bool judged;               /* no further verdict will come */
    char *tail;                /* the frame after its head */
    apr_size_t read;           /* bytes of the frame so far */
    apr_size_t tail_length;
};

static bool set_outcome(iimg_worker_call_t *call, iimg_worker_outcome_t outcome, const char *why)
{
    call->reply->outcome = outcome;
    call->reply->why = why;
    return true;
}

/* The memory file ----------------------------------------------------------------------------- */

static iimg_error_t *make_memory_error(iimg_context_t *context, const char *what, int error)
{
    return iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, NULL,
                                  "The server is out of memory. Try again later.", "%s: %s", what,
                                  strerror(error));
}

static iimg_error_t *write_picture(iimg_context_t *context, int file, const iimg_bytes_t *bytes)
{
    int error = iimg_file_write_all(file, bytes->data, bytes->length);

    if (error) {
        return make_memory_error(context, "write", error);
    }
    error = iimg_file_seal(file);
    return error ? make_memory_error(context, "F_ADD_SEALS", error) : NULL;
}

static iimg_error_t *share_picture(iimg_worker_call_t *call)
{
    const iimg_bytes_t *bytes = call->question->bytes;

    call->picture = bytes->file;
    call->request.offset = bytes->offset;
    call->request.length = bytes->length;
    if (call->picture >= 0) {
        return NULL;
    }
    call->request.offset = 0;
    call->picture = iimg_file_create_in_memory("identityimg-picture");
    if (call->picture < 0) {
        return make_memory_error(call->context, "memfd_create", errno);
    }
    return write_picture(call->context, call->picture, bytes);
}

/* Sending ------------------------------------------------------------------------------------- */

static void close_all(iimg_worker_call_t *call)
{
    for (int i = OURS; i <= THEIRS; i++) {
        iimg_file_close(&call->answer[i]);
        iimg_file_close(&call->verdict[i]);
    }
}

static iimg_error_t *open_pipes(iimg_worker_call_t *call)
{
    call->answer[OURS] = call->answer[THEIRS] = call->verdict[OURS] = call->verdict[THEIRS] = -1;
    if (pipe2(call->answer, O_CLOEXEC) != 0 || pipe2(call->verdict, O_CLOEXEC) != 0) {
        iimg_error_t *err = make_memory_error(call->context, "pipe2", errno);

        close_all(call);
        return err;
    }
    (void)fcntl(call->answer[OURS], F_SETPIPE_SZ, ANSWER_ROOM); /* optional: the default is 64 kB */
    return NULL;
}

static int remaining_ms(const iimg_worker_call_t *call)
{
    apr_time_t left = call->due - apr_time_now();

    return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

static ssize_t send_once(iimg_worker_call_t *call)
{
    const int files[IIMG_WORK_DESCRIPTORS] = {
        [IIMG_WORK_PICTURE] = call->picture,
        [IIMG_WORK_ANSWER] = call->answer[THEIRS],
        [IIMG_WORK_VERDICT] = call->verdict[THEIRS],
    };
    union {
        char room[CMSG_SPACE(sizeof(files))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec data = { &call->request, sizeof(call->request) };
    struct msghdr message = { .msg_iov = &data,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(files));
    memcpy(CMSG_DATA(header), files, sizeof(files));
    return sendmsg(call->worker->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* @return whether the request was sent; else the outcome is set */
static bool send_request(iimg_worker_call_t *call)
{
    struct pollfd room = { call->worker->socket, POLLOUT, 0 };

    while (send_once(call) < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ETOOMANYREFS) {
            set_outcome(call, IIMG_WORKER_DOWN,
                        apr_psprintf(call->context->pool, "sendmsg: %s", strerror(errno)));
            return false;
        }
        if (remaining_ms(call) == 0) {
            set_outcome(call, IIMG_WORKER_BUSY, "the queue of requests is full");
            return false;
        }
        poll(&room, 1, remaining_ms(call) < 50 ? remaining_ms(call) : 50);
    }
    iimg_file_close(&call->answer[THEIRS]);
    iimg_file_close(&call->verdict[THEIRS]);
    return true;
}

/* The answer ---------------------------------------------------------------------------------- */

/* @return whether the lengths in the head are allowed; only then memory is allocated for the rest
 */
static bool check_head(iimg_worker_call_t *call)
{
    const iimg_work_answer_t *answer = &call->reply->answer;
    bool done = answer->status == IIMG_WORK_DONE;
    bool derives = done && call->request.kind == IIMG_WORK_DERIVE;

    if (answer->protocol != IIMG_WORK_PROTOCOL || answer->status < IIMG_WORK_DONE
        || answer->status > IIMG_WORK_FAILED
        || answer->piece_count != (done ? call->question->pieces : 0)
        || answer->step_count > (derives ? IIMG_EDIT_MAX_STEPS : 0)
        || answer->insert_length > (derives ? IIMG_EDIT_MAX_INSERT : 0)) {
        return false;
    }
    call->tail_length = answer->step_count * sizeof(iimg_edit_step_t);
    for (uint32_t i = 0; i < answer->piece_count; i++) {
        if (answer->lengths[i] == 0 || answer->lengths[i] > call->question->max_piece) {
            return false;
        }
        call->tail_length += answer->lengths[i];
    }
    call->tail = apr_palloc(call->context->pool, call->tail_length ? call->tail_length : 1);
    return call->tail != NULL;
}

static bool is_complete(const iimg_worker_call_t *call)
{
    return call->tail && call->read == sizeof(iimg_work_answer_t) + call->tail_length;
}

/* @return where to read the next bytes to, at most *room */
static char *next_buffer(iimg_worker_call_t *call, char *beyond, apr_size_t *room)
{
    apr_size_t head = sizeof(iimg_work_answer_t);

    if (call->read < head) {
        *room = head - call->read;
        return (char *)&call->reply->answer + call->read;
    }
    if (!is_complete(call)) {
        *room = call->tail_length - (call->read - head);
        return call->tail + (call->read - head);
    }
    *room = 1; /* only the end may follow */
    return beyond;
}

/* @return whether the outcome is set */
static bool read_answer(iimg_worker_call_t *call)
{
    char beyond;
    apr_size_t room;
    char *to = next_buffer(call, &beyond, &room);
    ssize_t n = read(call->answer[OURS], to, room);

    if (n < 0) {
        return errno != EINTR
               && set_outcome(call, IIMG_WORKER_DOWN,
                              apr_psprintf(call->context->pool, "read: %s", strerror(errno)));
    }
    if (n == 0) {
        iimg_file_close(&call->answer[OURS]);
        return is_complete(call) && set_outcome(call, IIMG_WORKER_ANSWERED, NULL);
    }
    if (is_complete(call)) {
        return set_outcome(call, IIMG_WORKER_INVALID, "there is more than one answer");
    }
    call->read += (apr_size_t)n;
    return call->read == sizeof(iimg_work_answer_t) && !check_head(call)
           && set_outcome(call, IIMG_WORKER_INVALID, "its head makes no sense");
}

/* Verdicts ------------------------------------------------------------------------------------ */

/* The process exited: then it must have answered completely. */
static bool judge_exit(iimg_worker_call_t *call, int status)
{
    if (status > IIMG_WORK_UNLOCKED && status < 80) {
        return set_outcome(call, IIMG_WORKER_DOWN,
                           apr_psprintf(call->context->pool,
                                        "its process could not be sandboxed (step %d)",
                                        status - IIMG_WORK_UNLOCKED));
    }
    if (status != 0) {
        return set_outcome(call, IIMG_WORKER_KILLED,
                           apr_psprintf(call->context->pool, "exit status %d", status));
    }
    return set_outcome(call, IIMG_WORKER_INVALID, "it ended with half an answer");
}

/* Both pipes have ended without a complete answer: derive the outcome from the verdict. */
static bool judge_verdict(iimg_worker_call_t *call)
{
    switch (call->last.event) {
    case 0:
        return set_outcome(call, IIMG_WORKER_DOWN, NULL); /* the zygote exited */
    case IIMG_WORK_KILLED:
        return set_outcome(call, IIMG_WORKER_KILLED,
                           apr_psprintf(call->context->pool, "signal %d (%s)",
                                        (int)call->last.detail, strsignal(call->last.detail)));
    case IIMG_WORK_LATE:
        return set_outcome(call, IIMG_WORKER_LATE, "deadline exceeded");
    case IIMG_WORK_BUSY:
        return set_outcome(call, IIMG_WORKER_BUSY, "no turn in time");
    case IIMG_WORK_ENDED:
        return judge_exit(call, call->last.detail);
    default:
        return set_outcome(call, IIMG_WORKER_DOWN, "it has another protocol version");
    }
}

static void read_verdict(iimg_worker_call_t *call)
{
    iimg_work_verdict_t verdict;
    ssize_t n = read(call->verdict[OURS], &verdict, sizeof(verdict));

    if (n < 0 && errno == EINTR) {
        return;
    }
    call->reply->reached |= n == (ssize_t)sizeof(verdict);
    if (n == (ssize_t)sizeof(verdict) && verdict.event == IIMG_WORK_STARTED) {
        call->started = true;
        call->due = apr_time_now() + apr_time_from_msec(call->worker->deadline + GRACE);
        return;
    }
    if (n == (ssize_t)sizeof(verdict)) {
        call->last = verdict;
    }
    call->judged = true;
    iimg_file_close(&call->verdict[OURS]);
}

/* Read until the answer is complete, or both pipes have ended without one. The process may exit, or
 * be killed, right after its answer: a verdict counts only when the answer has been read to its
 * end. */
static void wait_for_outcome(iimg_worker_call_t *call)
{
    bool done = false;

    while (!done) {
        struct pollfd polls[] = { { call->answer[OURS], POLLIN, 0 },
                                  { call->verdict[OURS], POLLIN, 0 } };
        int n = poll(polls, 2, remaining_ms(call));

        if (n == 0 && remaining_ms(call) == 0) {
            set_outcome(call, IIMG_WORKER_DOWN,
                        call->started ? "no verdict after the deadline" : "it takes no requests");
            return;
        }
        if (n > 0 && polls[0].revents) {
            done = read_answer(call);
        }
        else if (n > 0) {
            read_verdict(call);
        }
        if (!done && call->judged && call->answer[OURS] < 0) {
            done = judge_verdict(call);
        }
    }
}

static iimg_error_t *begin_attempt(iimg_worker_call_t *call)
{
    iimg_error_t *err;

    call->due = apr_time_now() + apr_time_from_msec(call->worker->wait + GRACE);
    err = open_pipes(call);
    if (err) {
        return err;
    }
    call->started = call->judged = false;
    memset(&call->last, 0, sizeof(call->last));
    call->tail = NULL;
    call->read = 0;
    call->sent = send_request(call);
    if (!call->sent) {
        close_all(call);
    }
    return NULL;
}

static void finish_attempt(iimg_worker_call_t *call)
{
    if (call->sent) {
        wait_for_outcome(call);
        close_all(call);
    }
}

/* Frees a copy of the picture that no other call needs. */
static void release_picture(iimg_worker_call_t *call)
{
    if (call->question->bytes->file < 0) {
        iimg_file_close(&call->picture);
    }
}

/* Set the reply's members from a complete answer. */
static void unpack_answer(iimg_worker_call_t *call)
{
    iimg_worker_reply_t *reply = call->reply;
    iimg_work_answer_t *answer = &reply->answer;
    const char *at = call->tail + answer->step_count * sizeof(iimg_edit_step_t);

    answer->said[sizeof(answer->said) - 1] = '\0';
    for (char *p = answer->said; *p; p++) {
        *p = *p >= ' ' && *p <= '~' ? *p : ' ';
    }
    reply->edit.steps = (iimg_edit_step_t *)call->tail;
    reply->edit.count = (int)answer->step_count;
    reply->edit.insert_length = (int)answer->insert_length;
    memcpy(reply->edit.inserts, answer->inserts, sizeof(answer->inserts));
    for (uint32_t i = 0; i < answer->piece_count; i++) {
        reply->pieces[i] = at;
        at += answer->lengths[i];
    }
}

/* Calls --------------------------------------------------------------------------------------- */

iimg_error_t *iimg_picture_worker_send(iimg_context_t *context, const iimg_picture_worker_t *worker,
                                       const iimg_worker_question_t *question,
                                       iimg_worker_reply_t *reply, iimg_worker_call_t **call)
{
    iimg_worker_call_t *created = apr_pcalloc(context->pool, sizeof(*created));
    iimg_error_t *err;

    memset(reply, 0, sizeof(*reply));
    reply->outcome = IIMG_WORKER_DOWN;
    created->context = context;
    created->worker = worker;
    created->question = question;
    created->reply = reply;
    created->request = question->request;
    created->request.protocol = IIMG_WORK_PROTOCOL;
    created->request.wait = (uint32_t)worker->wait;
    created->request.deadline = (uint32_t)worker->deadline;
    err = share_picture(created);
    if (!err) {
        err = begin_attempt(created);
    }
    if (err) {
        release_picture(created);
        return err;
    }
    *call = created;
    return NULL;
}

bool iimg_picture_worker_is_sent(const iimg_worker_call_t *call)
{
    return call->sent;
}

iimg_error_t *iimg_picture_worker_wait(iimg_worker_call_t *call)
{
    iimg_worker_reply_t *reply = call->reply;
    iimg_error_t *err = NULL;

    finish_attempt(call);
    for (int i = 1; i < ATTEMPTS && reply->outcome == IIMG_WORKER_DOWN && !reply->why; i++) {
        err = begin_attempt(call);
        if (err) {
            break;
        }
        finish_attempt(call);
    }
    release_picture(call);
    if (!err && reply->outcome == IIMG_WORKER_ANSWERED) {
        unpack_answer(call);
    }
    return err;
}

iimg_error_t *iimg_picture_worker_ask(iimg_context_t *context, const iimg_picture_worker_t *worker,
                                      const iimg_worker_question_t *question,
                                      iimg_worker_reply_t *reply)
{
    iimg_worker_call_t *call;
    iimg_error_t *err = iimg_picture_worker_send(context, worker, question, reply, &call);

    if (err) {
        return err;
    }
    return iimg_picture_worker_wait(call);
}
