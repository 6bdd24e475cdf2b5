/* worker_client.c - asks identityimg-worker, waits within limits, and believes nothing. */
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

#define GRACE       2000         /* milliseconds beyond a deadline that the zygote keeps itself */
#define TRIES       3            /* when a zygote ends under a request, the next one gets it */
#define ANSWER_ROOM (256 * 1024) /* bytes: who has answered is gone before anybody reads */

enum {
    OURS,
    THEIRS
};

typedef struct asking_t {
    iimg_context_t *context;
    const iimg_picture_worker_t *worker;
    const iimg_worker_question_t *question;
    iimg_worker_reply_t *reply;
    iimg_work_request_t request;
    int picture;
    int answer[2], verdict[2]; /* pipes; -1: closed */
    apr_time_t due;            /* until when the next thing must have happened */
    bool meanwhile;            /* question->meanwhile has been called */
    bool started;
    iimg_work_verdict_t last;     /* what became of it; event 0: not known yet */
    bool judged;                  /* that is known, or nobody will tell any more */
    char *tail;                   /* what follows the head */
    apr_size_t read, tail_length; /* bytes of the frame so far; of the tail in all */
} asking_t;

static bool settle(asking_t *a, iimg_worker_outcome_t outcome, const char *why)
{
    a->reply->outcome = outcome;
    a->reply->why = why;
    return true;
}

/* The memory file ------------------------------------------------------------------------------ */

static iimg_error_t *no_memory(iimg_context_t *context, const char *what, int error)
{
    return iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, NULL,
                                  "The server has no memory for the picture at the moment.",
                                  "%s: %s", what, strerror(error));
}

static iimg_error_t *fill(iimg_context_t *context, int file, const iimg_bytes_t *bytes)
{
    int error = iimg_file_write_all(file, bytes->data, bytes->length);

    if (error) {
        return no_memory(context, "write", error);
    }
    error = iimg_file_seal(file);
    return error ? no_memory(context, "F_ADD_SEALS", error) : NULL;
}

static iimg_error_t *find_picture(asking_t *a)
{
    const iimg_bytes_t *bytes = a->question->bytes;

    a->picture = bytes->file;
    a->request.offset = bytes->offset;
    a->request.length = bytes->length;
    if (a->picture >= 0) {
        return NULL;
    }
    a->request.offset = 0;
    a->picture = iimg_file_create_in_memory("identityimg-picture");
    if (a->picture < 0) {
        return no_memory(a->context, "memfd_create", errno);
    }
    return fill(a->context, a->picture, bytes);
}

/* Asking -------------------------------------------------------------------------------------- */

static void close_all(asking_t *a)
{
    for (int i = OURS; i <= THEIRS; i++) {
        iimg_file_close(&a->answer[i]);
        iimg_file_close(&a->verdict[i]);
    }
}

static iimg_error_t *open_pipes(asking_t *a)
{
    a->answer[OURS] = a->answer[THEIRS] = a->verdict[OURS] = a->verdict[THEIRS] = -1;
    if (pipe2(a->answer, O_CLOEXEC) != 0 || pipe2(a->verdict, O_CLOEXEC) != 0) {
        iimg_error_t *err = no_memory(a->context, "pipe2", errno);

        close_all(a);
        return err;
    }
    (void)fcntl(a->answer[OURS], F_SETPIPE_SZ, ANSWER_ROOM); /* else 64 kB have to do */
    return NULL;
}

static int left_ms(const asking_t *a)
{
    apr_time_t left = a->due - apr_time_now();

    return left <= 0 ? 0 : (int)(left / 1000) + 1;
}

static ssize_t send_once(asking_t *a)
{
    const int files[IIMG_WORK_DESCRIPTORS] = {
        [IIMG_WORK_PICTURE] = a->picture,
        [IIMG_WORK_ANSWER] = a->answer[THEIRS],
        [IIMG_WORK_VERDICT] = a->verdict[THEIRS],
    };
    union {
        char room[CMSG_SPACE(sizeof(files))];
        struct cmsghdr align;
    } control = { { 0 } };
    struct iovec data = { &a->request, sizeof(a->request) };
    struct msghdr message = { .msg_iov = &data,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(files));
    memcpy(CMSG_DATA(header), files, sizeof(files));
    return sendmsg(a->worker->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* @return whether it was sent; else the outcome is settled */
static bool send_request(asking_t *a)
{
    struct pollfd room = { a->worker->socket, POLLOUT, 0 };

    while (send_once(a) < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ETOOMANYREFS) {
            settle(a, IIMG_WORKER_AWAY,
                   apr_psprintf(a->context->pool, "sendmsg: %s", strerror(errno)));
            return false;
        }
        if (left_ms(a) == 0) {
            settle(a, IIMG_WORKER_BUSY, "no room for the request");
            return false;
        }
        poll(&room, 1, left_ms(a) < 50 ? left_ms(a) : 50);
    }
    iimg_file_close(&a->answer[THEIRS]);
    iimg_file_close(&a->verdict[THEIRS]);
    return true;
}

/* The answer ---------------------------------------------------------------------------------- */

/* Whether the head can be true, so far as its lengths go. Only then memory is given to the rest. */
static bool measure(asking_t *a)
{
    const iimg_work_answer_t *answer = &a->reply->answer;
    bool done = answer->status == IIMG_WORK_DONE;
    bool derives = done && a->request.kind == IIMG_WORK_DERIVE;

    if (answer->protocol != IIMG_WORK_PROTOCOL || answer->status < IIMG_WORK_DONE
        || answer->status > IIMG_WORK_FAILED
        || answer->piece_count != (done ? a->question->pieces : 0)
        || answer->step_count > (derives ? IIMG_EDIT_MAX_STEPS : 0)
        || answer->insert_length > (derives ? IIMG_EDIT_MAX_INSERT : 0)) {
        return false;
    }
    a->tail_length = answer->step_count * sizeof(iimg_edit_step_t);
    for (uint32_t i = 0; i < answer->piece_count; i++) {
        if (answer->lengths[i] == 0 || answer->lengths[i] > a->question->max_piece) {
            return false;
        }
        a->tail_length += answer->lengths[i];
    }
    a->tail = apr_palloc(a->context->pool, a->tail_length ? a->tail_length : 1);
    return a->tail != NULL;
}

static bool is_complete(const asking_t *a)
{
    return a->tail && a->read == sizeof(iimg_work_answer_t) + a->tail_length;
}

/* Where the next bytes go, and how many there may be. */
static char *next_room(asking_t *a, char *beyond, apr_size_t *room)
{
    apr_size_t head = sizeof(iimg_work_answer_t);

    if (a->read < head) {
        *room = head - a->read;
        return (char *)&a->reply->answer + a->read;
    }
    if (!is_complete(a)) {
        *room = a->tail_length - (a->read - head);
        return a->tail + (a->read - head);
    }
    *room = 1; /* there must be nothing */
    return beyond;
}

/* @return whether the outcome is settled */
static bool read_answer(asking_t *a)
{
    char beyond;
    apr_size_t room;
    char *to = next_room(a, &beyond, &room);
    ssize_t n = read(a->answer[OURS], to, room);

    if (n < 0) {
        return errno != EINTR && settle(a, IIMG_WORKER_AWAY, "the answer cannot be read");
    }
    if (n == 0) {
        iimg_file_close(&a->answer[OURS]);
        return is_complete(a) && settle(a, IIMG_WORKER_ANSWERED, NULL);
    }
    if (is_complete(a)) {
        return settle(a, IIMG_WORKER_LIED, "there is more than one answer");
    }
    a->read += (apr_size_t)n;
    return a->read == sizeof(iimg_work_answer_t) && !measure(a)
           && settle(a, IIMG_WORKER_LIED, "its head makes no sense");
}

/* Verdicts ------------------------------------------------------------------------------------ */

/* Its process has ended by itself: then there must be an answer. */
static bool judge_end(asking_t *a, int status)
{
    if (status > IIMG_WORK_UNLOCKED && status < 80) {
        return settle(a, IIMG_WORKER_AWAY,
                      apr_psprintf(a->context->pool, "it could not be locked in (step %d)",
                                   status - IIMG_WORK_UNLOCKED));
    }
    if (status != 0) {
        return settle(a, IIMG_WORKER_KILLED,
                      apr_psprintf(a->context->pool, "it ended with status %d", status));
    }
    return settle(a, IIMG_WORKER_LIED, "it ended with half an answer");
}

/* There is no whole answer, nor will there be one: why? */
static bool judge(asking_t *a)
{
    switch (a->last.event) {
    case 0:
        return settle(a, IIMG_WORKER_AWAY, NULL); /* the zygote is gone */
    case IIMG_WORK_KILLED:
        return settle(a, IIMG_WORKER_KILLED,
                      apr_psprintf(a->context->pool, "signal %d (%s)", (int)a->last.detail,
                                   strsignal(a->last.detail)));
    case IIMG_WORK_LATE:
        return settle(a, IIMG_WORKER_LATE, "its time was over");
    case IIMG_WORK_BUSY:
        return settle(a, IIMG_WORKER_BUSY, "its turn did not come");
    case IIMG_WORK_ENDED:
        return judge_end(a, a->last.detail);
    default:
        return settle(a, IIMG_WORKER_AWAY, "it is of another version");
    }
}

static void read_verdict(asking_t *a)
{
    iimg_work_verdict_t verdict;
    ssize_t n = read(a->verdict[OURS], &verdict, sizeof(verdict));

    if (n < 0 && errno == EINTR) {
        return;
    }
    a->reply->reached |= n == (ssize_t)sizeof(verdict);
    if (n == (ssize_t)sizeof(verdict) && verdict.event == IIMG_WORK_STARTED) {
        a->started = true;
        a->due = apr_time_now() + apr_time_from_msec(a->worker->deadline + GRACE);
        return;
    }
    if (n == (ssize_t)sizeof(verdict)) {
        a->last = verdict;
    }
    a->judged = true;
    iimg_file_close(&a->verdict[OURS]);
}

/* Until the answer is whole, or it is known that there is none: then both pipes have ended. Who
 * has answered may die in peace, so that a verdict counts only when the answer has been read to
 * its end. */
static void await(asking_t *a)
{
    bool settled = false;

    while (!settled) {
        struct pollfd polls[] = { { a->answer[OURS], POLLIN, 0 }, { a->verdict[OURS], POLLIN, 0 } };
        int n = poll(polls, 2, left_ms(a));

        if (n == 0 && left_ms(a) == 0) {
            settle(a, IIMG_WORKER_AWAY,
                   a->started ? "nobody ended it in time" : "it takes no requests");
            return;
        }
        if (n > 0 && polls[0].revents) {
            settled = read_answer(a);
        }
        else if (n > 0) {
            read_verdict(a);
        }
        if (!settled && a->judged && a->answer[OURS] < 0) {
            settled = judge(a);
        }
    }
}

/* However long it takes: what the worker has to say waits in the pipes. */
static void do_meanwhile(asking_t *a)
{
    if (a->question->meanwhile && !a->meanwhile) {
        a->meanwhile = true;
        a->question->meanwhile(a->question->baton);
    }
}

static iimg_error_t *attempt(asking_t *a)
{
    iimg_error_t *err = open_pipes(a);

    if (err) {
        return err;
    }
    a->started = a->judged = false;
    memset(&a->last, 0, sizeof(a->last));
    a->tail = NULL;
    a->read = 0;
    if (send_request(a)) {
        do_meanwhile(a);
        await(a);
    }
    close_all(a);
    return NULL;
}

/* What the answer's parts are, now that it is whole. */
static void take_apart(asking_t *a)
{
    iimg_worker_reply_t *reply = a->reply;
    iimg_work_answer_t *answer = &reply->answer;
    const char *at = a->tail + answer->step_count * sizeof(iimg_edit_step_t);

    answer->said[sizeof(answer->said) - 1] = '\0';
    for (char *p = answer->said; *p; p++) {
        *p = *p >= ' ' && *p <= '~' ? *p : ' ';
    }
    reply->edit.steps = (iimg_edit_step_t *)a->tail;
    reply->edit.count = (int)answer->step_count;
    reply->edit.insert_length = (int)answer->insert_length;
    memcpy(reply->edit.inserts, answer->inserts, sizeof(answer->inserts));
    for (uint32_t i = 0; i < answer->piece_count; i++) {
        reply->pieces[i] = at;
        at += answer->lengths[i];
    }
}

iimg_error_t *iimg_picture_worker_ask(iimg_context_t *context, const iimg_picture_worker_t *worker,
                                      const iimg_worker_question_t *question,
                                      iimg_worker_reply_t *reply)
{
    asking_t a = { .context = context,
                   .worker = worker,
                   .question = question,
                   .reply = reply,
                   .request = question->request };
    iimg_error_t *err = find_picture(&a);

    memset(reply, 0, sizeof(*reply));
    a.request.protocol = IIMG_WORK_PROTOCOL;
    a.request.wait = (uint32_t)worker->wait;
    a.request.deadline = (uint32_t)worker->deadline;
    reply->outcome = IIMG_WORKER_AWAY;
    for (int i = 0; i < TRIES && !err && reply->outcome == IIMG_WORKER_AWAY && !reply->why; i++) {
        a.due = apr_time_now() + apr_time_from_msec(worker->wait + GRACE);
        err = attempt(&a);
    }
    if (question->bytes->file < 0) { /* a copy for the worker alone */
        iimg_file_close(&a.picture);
    }
    if (!err && reply->outcome == IIMG_WORKER_ANSWERED) {
        take_apart(&a);
    }
    return err;
}
