/* rogue.c - a worker with compromised processes, for tests. A picture that contains "ROGUE:word"
 * makes its process do what the word says; other pictures are decoded. A forbidden action that
 * succeeds gives a normal answer, which the test detects. */
#define iimg_job_prepare real_prepare
#define iimg_job_run     real_run
#include "worker/job.c"
#undef iimg_job_prepare
#undef iimg_job_run

#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include "base/media_type.h"

bool iimg_job_run(const iimg_work_request_t *request, int picture, int answer);
const char *iimg_job_prepare(void);

const char *iimg_job_prepare(void)
{
    return real_prepare();
}

/* Attacks. @return whether one succeeded ------------------------------------------------------- */

static bool try_open(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0;
}
static bool try_write(void)
{
    return open("/tmp/rogue", O_WRONLY | O_CREAT, 0600) >= 0;
}
static bool try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static bool try_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}
static bool try_fork(void)
{
    return fork() >= 0;
}
static bool try_exec(void)
{
    return execl("/bin/true", "true", (char *)NULL) == 0;
}
static bool try_kill(void)
{
    return kill(getpid() - 1, 0) == 0 || errno == ESRCH;
}
static bool try_ptrace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}
static bool try_uring(void)
{
    return syscall(SYS_io_uring_setup, 1, NULL) >= 0;
}
static bool try_setuid(void)
{
    return setuid(0) == 0;
}
static bool try_limits(void)
{
    return setrlimit(RLIMIT_AS, &(struct rlimit){ ~0UL, ~0UL }) == 0;
}

static bool try_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
           != MAP_FAILED;
}

/* Make data executable. */
static bool try_protect(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool try_thread(void)
{
    return syscall(SYS_tgkill, getpid() - 1, getpid() - 1, 0) == 0 || errno == ESRCH;
}

static bool try_memory(void)
{
    char *memory = malloc((size_t)4 << 30);

    if (memory) {
        memory[0] = 1;
    }
    return memory != NULL;
}

/* Find descriptors beside the standard ones, the picture and the answer. */
static bool try_descriptors(void)
{
    struct stat info;
    int count = 0;

    for (int file = 0; file < 4096; file++) {
        count += fstat(file, &info) == 0;
    }
    return count > 5;
}

/* Write to the picture, which other processes may have mapped. */
static bool try_picture(int picture)
{
    return mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, picture, 0) != MAP_FAILED
           || write(picture, "x", 1) == 1;
}

/* Landlock does not cover pipes: only the filter of system calls forbids this. */
static bool try_reopen(int pipe)
{
    char path[] = "/proc/self/fd/00";

    path[sizeof(path) - 3] = (char)('0' + pipe / 10);
    path[sizeof(path) - 2] = (char)('0' + pipe % 10);
    return open(path, O_WRONLY) >= 0;
}

static bool try_spin(void)
{
    volatile bool on = true;

    while (on) {
        continue;
    }
    return true;
}

static bool try_hang(void)
{
    struct timespec hour = { 3600, 0 };

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &hour, NULL) != 0) {
        continue;
    }
    return true;
}

static bool try_crash(void)
{
    return raise(SIGSEGV) == 0;
}

/* Slow, but not forbidden. */
static bool try_pause(void)
{
    struct timespec pause = { 1, 500000000 };

    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    return true;
}

static bool try_exit(void)
{
    _exit(7);
}
static bool try_unlocked(void)
{
    _exit(IIMG_WORK_UNLOCKED + 5);
}

static const struct {
    const char *word;
    bool (*attempt)(void);
} attempts[] = {
    { "open", try_open },       { "write", try_write },
    { "socket", try_socket },   { "unix", try_unix },
    { "fork", try_fork },       { "exec", try_exec },
    { "kill", try_kill },       { "ptrace", try_ptrace },
    { "uring", try_uring },     { "setuid", try_setuid },
    { "limits", try_limits },   { "code", try_code },
    { "protect", try_protect }, { "thread", try_thread },
    { "memory", try_memory },   { "descriptors", try_descriptors },
    { "spin", try_spin },       { "hang", try_hang },
    { "crash", try_crash },     { "pause", try_pause },
    { "exit", try_exit },       { "unlocked", try_unlocked },
};

/* False answers -------------------------------------------------------------------------------- */

static void lie_steps(iimg_work_t *work, uint64_t offset, uint64_t length, uint32_t count)
{
    iimg_edit_step_t *steps = calloc(count, sizeof(*steps));

    for (uint32_t i = 0; i < count; i++) {
        steps[i] = (iimg_edit_step_t){ .kind = IIMG_EDIT_KEEP, .offset = offset, .length = length };
    }
    work->steps = steps;
    work->answer.step_count = count;
}

#define JPEG_MAGIC "\xff\xd8\xff\xe0\0\0\0\0\0\0\0"

static void lie_piece(iimg_work_t *work, const void *data, size_t length)
{
    work->pieces[0].data = calloc(1, length);
    memcpy(work->pieces[0].data, data, 12);
    work->pieces[0].length = length;
}

static void lie_large(iimg_work_t *work) /* the thumbnail is the large size */
{
    work->pieces[0] = work->pieces[IIMG_LARGEST_DERIVATIVE];
}

static void lie_edit_far(iimg_work_t *work)
{
    lie_steps(work, 0, work->length + 1, 1);
}
static void lie_edit_wrap(iimg_work_t *work)
{
    lie_steps(work, ~0ULL - 1, 8, 1);
}
static void lie_edit_twice(iimg_work_t *work)
{
    lie_steps(work, 0, work->length, 2);
}
static void lie_edit_none(iimg_work_t *work)
{
    work->answer.step_count = 0;
}
static void lie_edit_tail(iimg_work_t *work)
{
    lie_steps(work, work->length - 4, 4, 1);
}
static void lie_edit_kind(iimg_work_t *work)
{
    work->steps[0].kind = 9;
}
static void lie_edit_many(iimg_work_t *work)
{
    lie_steps(work, 0, 1, IIMG_EDIT_MAX_STEPS + 1);
}
static void lie_insert(iimg_work_t *work)
{
    work->answer.insert_length = 60000;
}
static void lie_magic(iimg_work_t *work)
{
    lie_piece(work, "GIF89a\1\0\1\0\0\0", 5000);
}
static void lie_html(iimg_work_t *work)
{
    lie_piece(work, "<html><body>", 5000);
}
static void lie_headless(iimg_work_t *work)
{
    lie_piece(work, JPEG_MAGIC, 5000);
}
static void lie_tall(iimg_work_t *work)
{
    lie_piece(work, "\xff\xd8\xff\xc0\0\x11\x08\0\x65\0\1\3", 5000);
}
static void lie_wide(iimg_work_t *work)
{
    lie_piece(work, "\xff\xd8\xff\xc0\0\x11\x08\0\1\0\x65\3", 5000);
}
static void lie_long(iimg_work_t *work)
{
    lie_piece(work, JPEG_MAGIC, IIMG_WORK_MAX_DERIVATIVE + 1);
}
static void lie_empty(iimg_work_t *work)
{
    work->pieces[1].length = 0;
}
static void lie_version(iimg_work_t *work)
{
    work->answer.protocol++;
}
static void lie_status(iimg_work_t *work)
{
    work->answer.status = 77;
}
static void lie_format(iimg_work_t *work)
{
    work->answer.format = IIMG_FORMAT_GIF;
}
static void lie_png(iimg_work_t *work)
{
    work->answer.format = IIMG_FORMAT_PNG;
}
static void lie_sides(iimg_work_t *work)
{
    work->answer.width = 0xffffffff;
}
static void lie_nothing(iimg_work_t *work)
{
    work->answer.width = 0;
}

/* A message that would forge a line of the log. */
static void lie_said(iimg_work_t *work)
{
    memset(work->answer.said, '\n', sizeof(work->answer.said));
    memcpy(work->answer.said, "one\n[forged] IIMG9999: two\x1b[2J", 29);
    work->answer.status = IIMG_WORK_UNREADABLE;
}

static const struct {
    const char *word;
    void (*lie)(iimg_work_t *work);
} lies[] = {
    { "far", lie_edit_far },    { "wrap", lie_edit_wrap },    { "twice", lie_edit_twice },
    { "none", lie_edit_none },  { "tail", lie_edit_tail },    { "kind", lie_edit_kind },
    { "many", lie_edit_many },  { "insert", lie_insert },     { "magic", lie_magic },
    { "html", lie_html },       { "headless", lie_headless }, { "long", lie_long },
    { "tall", lie_tall },       { "wide", lie_wide },         { "empty", lie_empty },
    { "version", lie_version }, { "status", lie_status },     { "format", lie_format },
    { "png", lie_png },         { "sides", lie_sides },       { "nothing", lie_nothing },
    { "large", lie_large },     { "said", lie_said },
};

/* Send an invalid frame. @return whether the word names one */
static bool break_frame(const char *word, iimg_work_t *work, int file)
{
    iimg_work_answer_t *answer = &work->answer;

    if (strcmp(word, "silence") == 0) {
        return true;
    }
    if (strcmp(word, "half") == 0) {
        return iimg_file_write_all(file, answer, sizeof(*answer) / 2) == 0;
    }
    if (strcmp(word, "gigabyte") == 0) {
        answer->lengths[0] = 1 << 30;
        return iimg_file_write_all(file, answer, sizeof(*answer)) == 0;
    }
    if (strcmp(word, "overflow") == 0) {
        answer->lengths[0] = answer->lengths[1] = ~0ULL / 2 + 1;
        return iimg_file_write_all(file, answer, sizeof(*answer)) == 0;
    }
    if (strcmp(word, "pieces") == 0) {
        answer->piece_count = 0x40000000;
        return iimg_file_write_all(file, answer, sizeof(*answer)) == 0;
    }
    if (strcmp(word, "garbage") == 0) {
        memset(answer, 0xa5, sizeof(*answer));
        return iimg_file_write_all(file, answer, sizeof(*answer)) == 0;
    }
    return false;
}

static bool answer_as_told(const char *word, iimg_work_t *work, int file)
{
    int other = fcntl(file, F_GET_SEALS) < 0 ? file : -1;

    if (break_frame(word, work, file)) {
        return true;
    }
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        if (strcmp(lies[i].word, word) == 0) {
            lies[i].lie(work);
        }
    }
    if (strcmp(word, "flood") == 0) { /* a valid answer, and more */
        for (uint32_t i = 0; i < work->answer.piece_count; i++) {
            work->answer.lengths[i] = work->pieces[i].length;
        }
        iimg_file_write_all(other, &work->answer, sizeof(work->answer));
        iimg_file_write_all(other, work->steps, work->answer.step_count * sizeof(*work->steps));
        for (uint32_t i = 0; i < work->answer.piece_count; i++) {
            iimg_file_write_all(other, work->pieces[i].data, work->pieces[i].length);
        }
    }
    return send_answer(work, file);
}

/* ---------------------------------------------------------------------------------------------- */

/* Find the word after "ROGUE:" in the picture; "" when there is none. */
static void read_word(const iimg_work_t *work, char word[32])
{
    const unsigned char *found = memmem(work->data, work->length, "ROGUE:", 6);
    size_t n = 0;

    while (found && n < 31 && found + 6 + n < work->data + work->length && found[6 + n] >= 'a'
           && found[6 + n] <= 'z') {
        word[n] = (char)found[6 + n];
        n++;
    }
    word[n] = '\0';
}

bool iimg_job_run(const iimg_work_request_t *request, int picture, int answer)
{
    iimg_work_t work = { .request = request };
    char word[32];

    if (!map_picture(&work, picture)) {
        return false;
    }
    read_word(&work, word);
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (strcmp(attempts[i].word, word) == 0 && !attempts[i].attempt()) {
            abort();
        }
    }
    if ((strcmp(word, "picture") == 0 && !try_picture(picture))
        || (strcmp(word, "reopen") == 0 && !try_reopen(answer))) {
        abort();
    }
    if (request->kind != IIMG_WORK_DERIVE) {
        return real_run(request, picture, answer);
    }
    work.answer.protocol = IIMG_WORK_PROTOCOL;
    iimg_picture_work(&work);
    return answer_as_told(word, &work, answer);
}
