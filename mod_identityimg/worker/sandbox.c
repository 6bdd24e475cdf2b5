/* sandbox.c - limits, Landlock and the list of system calls that decoding a picture needs. */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The sanitizers map a shadow of the whole address space, read /proc and report. They are for
 * finding our own mistakes: what is locked in there is not proof against anybody. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* Limits -------------------------------------------------------------------------------------- */

/* The number of processes is no limit here: the kernel counts all of the user's, httpd's
 * included. */
static int set_limits(const iimg_sandbox_t *sandbox)
{
    const struct {
        int resource;
        struct rlimit limit;
    } limits[] = {
        { RLIMIT_CORE, { 0, 0 } },
        { RLIMIT_NOFILE, { 64, 64 } },
        { RLIMIT_CPU, { sandbox->seconds, sandbox->seconds + 1 } },
        { RLIMIT_FSIZE, { 0, 0 } },
        { RLIMIT_AS, { sandbox->address_space, sandbox->address_space } },
    };

    for (size_t i = 0; i < COUNT(limits) - (SANITIZED ? 2 : 0); i++) {
        if (setrlimit(limits[i].resource, &limits[i].limit) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Landlock ------------------------------------------------------------------------------------ */

/* What each version of the kernel's interface added, as one mask of rights. */
static const uint64_t rights_by_version[] = {
    0, (1ULL << 13) - 1, /* execute to make symbolic links */
    (1ULL << 14) - 1,    /* refer */
    (1ULL << 15) - 1,    /* truncate */
};

/* A second lock behind the first one: kernels may be built or started without it. */
static int enter_landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr attr;
    int ruleset, rc;

    if (version < 1) {
        return 0;
    }
    attr.handled_access_fs = rights_by_version[version < 3 ? version : 3];
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);
    if (ruleset < 0) {
        return -1;
    }
    rc = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
    close(ruleset);
    return rc;
}

/* System calls -------------------------------------------------------------------------------- */

/* As libvips and its codecs were seen to use them, and what aborting and other versions of glibc
 * use. */
static const int allowed[] = {
    SCMP_SYS(futex),
    SCMP_SYS(write),
    SCMP_SYS(close),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sysinfo), /* glibc's qsort asks how much memory there is */
};

/* What is asked for, can do without, and must not die of. clone3's flags lie behind a pointer,
 * where no filter sees them; ENOSYS makes glibc take clone. */
static const struct {
    int syscall, error;
} denied[] = {
    { SCMP_SYS(clone3), ENOSYS },
    { SCMP_SYS(prctl), EPERM },
    { SCMP_SYS(sched_setscheduler), EPERM },
    { SCMP_SYS(sched_setattr), EPERM },
    { SCMP_SYS(sched_getattr), EPERM },
};

static const int allowed_for_sanitizers[] = {
    SCMP_SYS(sigaltstack), SCMP_SYS(prctl),     SCMP_SYS(openat),    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),    SCMP_SYS(read),      SCMP_SYS(pread64),   SCMP_SYS(lseek),
    SCMP_SYS(getdents64),  SCMP_SYS(access),    SCMP_SYS(readlink),  SCMP_SYS(readlinkat),
    SCMP_SYS(stat),        SCMP_SYS(lstat),     SCMP_SYS(statx),     SCMP_SYS(getcwd),
    SCMP_SYS(fcntl),       SCMP_SYS(getuid),    SCMP_SYS(geteuid),   SCMP_SYS(getgid),
    SCMP_SYS(getegid),     SCMP_SYS(uname),     SCMP_SYS(sysinfo),   SCMP_SYS(fadvise64),
    SCMP_SYS(getppid),     SCMP_SYS(setrlimit), SCMP_SYS(prlimit64), SCMP_SYS(dup),
    SCMP_SYS(dup2),        SCMP_SYS(pipe2),     SCMP_SYS(unlink),    SCMP_SYS(ioctl),
    SCMP_SYS(kill),        SCMP_SYS(mkdir),
};

static int allow_all(scmp_filter_ctx filter, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Memory that is never executable, threads and nothing but threads, signals to ourselves. */
static int allow_with_care(scmp_filter_ctx filter)
{
    const unsigned threads = CLONE_VM | CLONE_THREAD;
    int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

    rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                           SCMP_A0(SCMP_CMP_MASKED_EQ, threads, threads));
    rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                           SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
    return rc;
}

/* Opening fonts ------------------------------------------------------------------------------- */

static int first_font, last_font;

#if defined(__x86_64__)
#define RESULT(registers)          ((registers)->gregs[REG_RAX])
#define SECOND_ARGUMENT(registers) ((registers)->gregs[REG_RSI])
#elif defined(__aarch64__)
#define RESULT(registers)          ((registers)->regs[0])
#define SECOND_ARGUMENT(registers) ((registers)->regs[1])
#else
#error "Say here where this processor keeps a system call's second argument and its result"
#endif

/* @return a copy of the font's descriptor that a path names, or an error as the kernel says it */
static long open_font(const char *path)
{
    static const char folder[] = "/proc/self/fd/";
    long font = 0;
    int copy;

    if (strncmp(path, folder, sizeof(folder) - 1) != 0) {
        return -EACCES;
    }
    for (const char *digit = path + sizeof(folder) - 1; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || font > last_font) {
            return -EACCES;
        }
        font = 10 * font + (*digit - '0');
    }
    if (font < first_font || font > last_font) {
        return -EACCES;
    }
    copy = fcntl((int)font, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -errno : copy;
}

/* The kernel opens nothing in this process: FreeType and HarfBuzz, which know fonts by their paths,
 * get what is open already. */
static void answer_opening(int signal, siginfo_t *info, void *context_)
{
    mcontext_t *registers = &((ucontext_t *)context_)->uc_mcontext;
    int before = errno;

    (void)signal;
    RESULT(registers) = info->si_syscall == SCMP_SYS(openat)
                            ? open_font((const char *)SECOND_ARGUMENT(registers))
                            : -EACCES;
    errno = before;
}

static int catch_opening(const iimg_sandbox_t *sandbox)
{
    struct sigaction action = { .sa_sigaction = answer_opening, .sa_flags = SA_SIGINFO };

    first_font = sandbox->first_font;
    last_font = sandbox->last_font;
    return sigaction(SIGSYS, &action, NULL);
}

static bool has_fonts(const iimg_sandbox_t *sandbox)
{
    return sandbox->last_font >= sandbox->first_font;
}

/* No file is opened. */
static int care_for_opening(scmp_filter_ctx filter, const iimg_sandbox_t *sandbox)
{
    static const int commands[] = { F_GET_SEALS, F_GETFL, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD };
    int rc = seccomp_rule_add(filter, has_fonts(sandbox) ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EACCES),
                              SCMP_SYS(openat), 0);

    for (size_t i = 0; i < (has_fonts(sandbox) ? COUNT(commands) : 2); i++) {
        rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                               SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)commands[i]));
    }
    return rc;
}

static int fill_filter(scmp_filter_ctx filter, const iimg_sandbox_t *sandbox)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)
             | allow_all(filter, allowed, COUNT(allowed)) | allow_with_care(filter);

    if (SANITIZED) {
        return rc | allow_all(filter, allowed_for_sanitizers, COUNT(allowed_for_sanitizers));
    }
    for (size_t i = 0; rc == 0 && i < COUNT(denied); i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(denied[i].error), denied[i].syscall, 0);
    }
    return rc | care_for_opening(filter, sandbox);
}

/* A decoder is killed by a forbidden call. The libraries that draw words make further calls, which
 * change with their versions: those fail with an error instead. */
static uint32_t otherwise(const iimg_sandbox_t *sandbox)
{
    if (SANITIZED) {
        return SCMP_ACT_ERRNO(ENOSYS);
    }
    return has_fonts(sandbox) ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_KILL_PROCESS;
}

static int enter_filter(const iimg_sandbox_t *sandbox)
{
    scmp_filter_ctx filter = seccomp_init(otherwise(sandbox));
    int rc;

    if (!filter) {
        return -1;
    }
    rc = fill_filter(filter, sandbox);
    if (rc == 0) {
        rc = seccomp_load(filter);
    }
    seccomp_release(filter);
    return rc;
}

int iimg_sandbox_enter(const iimg_sandbox_t *sandbox)
{
    if (set_limits(sandbox) != 0) {
        return 1;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return 2;
    }
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return 3;
    }
    if (!SANITIZED && enter_landlock() != 0) {
        return 4;
    }
    if (has_fonts(sandbox) && catch_opening(sandbox) != 0) {
        return 5;
    }
    return enter_filter(sandbox) == 0 ? 0 : 5;
}
