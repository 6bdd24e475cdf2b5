/* zygote.c - queue requests, fork a process for each, enforce deadlines, send verdicts.
 *
 * main.c calls iimg_zygote_run with libvips initialized. The zygote has one thread and stays so: a
 * forked process must find all threads of its libraries. It owns the receiving end of the socket
 * pair that all children of httpd share, the queue, and the processes of running pictures.
 *
 * A request brings three descriptors: the picture, a pipe for the answer and a pipe for verdicts
 * (services/pictures/protocol.h). The zygote never reads the picture: bytes of a client must only
 * be parsed behind the sandbox. Verdicts come from the zygote alone, so a compromised process
 * cannot forge one. The zygote must not block on anything but poll(): a slow client must not stop
 * other requests. It ends when the last process with httpd's end of the socket is gone, and its
 * processes end with it (PR_SET_PDEATHSIG).
 */
#include "worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/file.h"
#include "worker/fonts.h"
#include "worker/job.h"
#include "worker/sandbox.h"

#define MAX_TASKS 256 /* further requests wait in the socket */
#define GIGABYTE  (1024ULL * 1024 * 1024)

typedef struct task_t {
    iimg_work_request_t request;
    int files[IIMG_WORK_DESCRIPTORS]; /* -1: closed */
    int64_t due;                      /* milliseconds: end of waiting, or of running */
    pid_t pid;                        /* 0: waiting */
    int pidfd;
    bool late; /* killed at its deadline, or because the client has left */
} task_t;

typedef struct zygote_t {
    int socket;
    int workers, running;
    pid_t pid;
    task_t tasks[MAX_TASKS]; /* in order of arrival */
    int count;
    bool deserted; /* all processes of httpd are gone */
    const char *problem;
} zygote_t;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Writes of this size are atomic, and the pipe has room for the two or three verdicts. */
static void send_verdict(const task_t *task, iimg_work_event_t event, int detail)
{
    iimg_work_verdict_t verdict = { event, detail };
    ssize_t n = write(task->files[IIMG_WORK_VERDICT], &verdict, sizeof(verdict));

    (void)n; /* the client may have left */
}

static void remove_task(zygote_t *zygote, int index)
{
    task_t *task = &zygote->tasks[index];

    for (int i = 0; i < IIMG_WORK_DESCRIPTORS; i++) {
        iimg_file_close(&task->files[i]);
    }
    if (task->pid) {
        iimg_file_close(&task->pidfd);
        zygote->running--;
    }
    zygote->count--;
    memmove(task, task + 1, (size_t)(zygote->count - index) * sizeof(*task));
}

/* Requests ------------------------------------------------------------------------------------ */

static int read_descriptors(struct msghdr *message, int *files)
{
    int count = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(files, CMSG_DATA(c), (size_t)count * sizeof(int));
        }
    }
    return count;
}

static bool is_valid_request(const task_t *task, ssize_t n, int files)
{
    const iimg_work_request_t *request = &task->request;

    return n == (ssize_t)sizeof(*request) && files == IIMG_WORK_DESCRIPTORS
           && request->protocol == IIMG_WORK_PROTOCOL && request->kind >= IIMG_WORK_DERIVE
           && request->kind <= IIMG_WORK_POSTER;
}

/* @return whether more requests may be waiting in the socket */
static bool receive_request(zygote_t *zygote)
{
    task_t *task = &zygote->tasks[zygote->count];
    union {
        char room[CMSG_SPACE(IIMG_WORK_DESCRIPTORS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec data = { &task->request, sizeof(task->request) };
    struct msghdr message = { .msg_iov = &data,
                              .msg_iovlen = 1,
                              .msg_control = &control,
                              .msg_controllen = sizeof(control) };
    ssize_t n;
    int files;

    memset(task, 0, sizeof(*task));
    memset(task->files, -1, sizeof(task->files));
    n = recvmsg(zygote->socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0) {
        zygote->deserted = n == 0;
        return n < 0 && errno == EINTR;
    }
    files = read_descriptors(&message, task->files);
    zygote->count++;
    if (!is_valid_request(task, n, files)) {
        if (task->files[IIMG_WORK_VERDICT] >= 0) {
            send_verdict(task, IIMG_WORK_REFUSED, 0);
        }
        remove_task(zygote, zygote->count - 1);
        return true;
    }
    task->due = now_ms() + task->request.wait;
    return true;
}

/* Processes ----------------------------------------------------------------------------------- */

/* Close all descriptors except two and the fonts up to `last_font`, which are lower. */
static void close_others(int one, int other, int last_font)
{
    int low = one < other ? one : other, high = one < other ? other : one;

    close(IIMG_WORK_SOCKET);
    if (low > last_font + 1) {
        close_range((unsigned)last_font + 1, (unsigned)low - 1, 0);
    }
    if (high > low + 1) {
        close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    }
    close_range((unsigned)high + 1, ~0U, 0);
}

/* @return the memory that the largest picture needs in any codec: a gigabyte by default */
static uint64_t limit_of_addresses(const iimg_work_request_t *request)
{
    uint64_t pixels = request->max_pixels < (1U << 30) ? request->max_pixels : 1U << 30;
    uint64_t needed = GIGABYTE / 2 + 8 * pixels;

    return needed > GIGABYTE ? needed : GIGABYTE;
}

/* The process of a picture: enter the sandbox, answer, exit. */
static _Noreturn void run_worker(const zygote_t *zygote, const task_t *task)
{
    const iimg_work_request_t *request = &task->request;
    int picture = task->files[IIMG_WORK_PICTURE], answer = task->files[IIMG_WORK_ANSWER], step;
    int last_font = request->kind == IIMG_WORK_POSTER ? iimg_fonts_last() : IIMG_WORK_SOCKET;
    iimg_sandbox_t sandbox = {
        .first_font = IIMG_WORK_SOCKET + 1,
        .last_font = last_font,
        .address_space = limit_of_addresses(request),
        .seconds = request->deadline / 1000 + 1,
    };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != zygote->pid) {
        _exit(0);
    }
    dup2(STDIN_FILENO,
         STDERR_FILENO); /* /dev/null: codecs write messages about pictures of users */
    signal(SIGPIPE, SIG_DFL);
    close_others(picture, answer, last_font);
    step = iimg_sandbox_enter(&sandbox);
    if (step != 0) {
        _exit(IIMG_WORK_UNLOCKED + step);
    }
    _exit(iimg_job_run(request, picture, answer) ? 0 : 1);
}

static void start_worker(zygote_t *zygote, int index)
{
    task_t *task = &zygote->tasks[index];
    pid_t pid = fork();

    if (pid == 0) {
        run_worker(zygote, task);
    }
    if (pid < 0) {
        send_verdict(task, IIMG_WORK_BUSY, errno);
        remove_task(zygote, index);
        return;
    }
    task->pid = pid;
    task->pidfd = pidfd_open(pid, 0);
    task->due = now_ms() + task->request.deadline;
    zygote->running++;
    iimg_file_close(&task->files[IIMG_WORK_PICTURE]);
    iimg_file_close(&task->files[IIMG_WORK_ANSWER]);
    if (task->pidfd < 0) {
        zygote->problem = "pidfd_open failed";
    }
    send_verdict(task, IIMG_WORK_STARTED, 0);
}

static void start_workers(zygote_t *zygote)
{
    for (int i = 0; i < zygote->count && zygote->running < zygote->workers;) {
        int before = zygote->count;

        if (zygote->tasks[i].pid == 0) {
            start_worker(zygote, i);
        }
        i += before == zygote->count; /* a removed task has moved the next one here */
    }
}

static void reap_worker(zygote_t *zygote, int index)
{
    task_t *task = &zygote->tasks[index];
    int status = 0;

    while (waitpid(task->pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    if (task->late) {
        send_verdict(task, IIMG_WORK_LATE, 0);
    }
    else if (WIFSIGNALED(status)) {
        send_verdict(task, IIMG_WORK_KILLED, WTERMSIG(status));
    }
    else {
        send_verdict(task, IIMG_WORK_ENDED, WEXITSTATUS(status));
    }
    remove_task(zygote, index);
}

/* The loop ------------------------------------------------------------------------------------ */

typedef struct watch_t {
    struct pollfd polls[1 + 2 * MAX_TASKS];
} watch_t;

static void fill_polls(const zygote_t *zygote, watch_t *watch)
{
    watch->polls[0] = (struct pollfd){ zygote->count < MAX_TASKS ? zygote->socket : -1, POLLIN, 0 };
    for (int i = 0; i < zygote->count; i++) {
        const task_t *task = &zygote->tasks[i];

        /* poll() reports POLLERR for a pipe without a reader. A late task has its process killed
         * already, and would be reported again until the process is gone. */
        watch->polls[1 + 2 * i] = (struct pollfd){ task->late ? -1 : task->files[IIMG_WORK_VERDICT],
                                                   0, 0 };
        watch->polls[2 + 2 * i] = (struct pollfd){ task->pid ? task->pidfd : -1, POLLIN, 0 };
    }
}

static int next_timeout(const zygote_t *zygote)
{
    int64_t now = now_ms(), least = -1;

    for (int i = 0; i < zygote->count; i++) {
        int64_t left = zygote->tasks[i].due - now;

        left = left < 0 ? 0 : left;
        if (!zygote->tasks[i].late && (least < 0 || left < least)) {
            least = left;
        }
    }
    return least > 60000 ? 60000 : (int)least;
}

static void kill_worker(task_t *task)
{
    pidfd_send_signal(task->pidfd, SIGKILL, NULL, 0);
}

/* From the last to the first: removing a task moves only tasks that were checked. */
static void check_tasks(zygote_t *zygote, const watch_t *watch, int watched)
{
    int64_t now = now_ms();

    for (int i = watched - 1; i >= 0; i--) {
        task_t *task = &zygote->tasks[i];
        bool left = (watch->polls[1 + 2 * i].revents & POLLERR) != 0;

        if (task->pid && watch->polls[2 + 2 * i].revents) {
            reap_worker(zygote, i);
        }
        else if (task->pid && !task->late && (left || task->due <= now)) {
            task->late = true;
            kill_worker(task);
        }
        else if (!task->pid && (left || task->due <= now)) {
            send_verdict(task, IIMG_WORK_BUSY, 0);
            remove_task(zygote, i);
        }
    }
}

static void serve_once(zygote_t *zygote, watch_t *watched)
{
    int count = zygote->count;

    fill_polls(zygote, watched);
    if (poll(watched->polls, 1 + 2 * (nfds_t)count, next_timeout(zygote)) < 0) {
        zygote->problem = errno == EINTR ? NULL : "poll failed";
        return;
    }
    check_tasks(zygote, watched, count);
    if (watched->polls[0].revents) {
        while (zygote->count < MAX_TASKS && receive_request(zygote)) {
            continue;
        }
    }
    start_workers(zygote);
}

const char *iimg_zygote_run(int socket, int workers)
{
    static zygote_t zygote;
    static watch_t watched;

    zygote = (zygote_t){ .socket = socket, .workers = workers, .pid = getpid() };
    signal(SIGPIPE, SIG_IGN);
    while (!zygote.deserted && !zygote.problem) {
        serve_once(&zygote, &watched);
    }
    return zygote.problem; /* running pictures end with this process */
}
