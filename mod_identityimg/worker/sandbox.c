/* sandbox.c - resource limits, Landlock, and a seccomp filter with the system calls of a decoder.
 *
 * zygote.c calls iimg_sandbox_enter in each forked process, which has one thread then, before a
 * byte of the picture is parsed. Afterwards the process can compute, allocate memory, and write to
 * its open descriptors. It must never open a file or a socket, make memory executable, start a
 * program, or signal another process. tests/worker/rogue.c tries all of this (tests/t/sandbox.t).
 *
 * A forbidden call kills a decoder at once. A poster's process gets an error instead, and openat is
 * trapped: the signal handler answers it with copies of the fonts' descriptors.
 */
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

/* The sanitizers map a shadow of the address space and read /proc. Their builds find bugs and are
 * not secure. */
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

/* Limits -------------------------------------------------------------------------------------- */

/* RLIMIT_NPROC is of no use: it counts all processes of the user, including httpd's. */
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

/* The access rights of each version of Landlock's interface. */
static const uint64_t rights_by_version[] = {
    0, (1ULL << 13) - 1, /* execute to make symbolic links */
    (1ULL << 14) - 1,    /* refer */
    (1ULL << 15) - 1,    /* truncate */
};

/* A second line of defense. The kernel may lack Landlock. */
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

/* Calls that libvips and its codecs make, that abort() makes, or that other versions of glibc make.
 */
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
    SCMP_SYS(sysinfo), /* glibc's qsort asks for the size of memory */
};

/* Calls that fail without harm. A filter cannot see the flags of clone3, which are behind a
 * pointer; with ENOSYS, glibc uses clone. */
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

/* Memory that is not executable, threads but no processes, signals to this process. */
static int allow_restricted(scmp_filter_ctx filter)
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
#error "Define the registers of a system call's second argument and result for this processor"
#endif

/* @return a copy of the font's descriptor that the path names, or a negative errno */
static long copy_font(const char *path)
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

/* Handle SIGSYS of openat. FreeType and HarfBuzz open fonts by path, and get copies of descriptors
 * that are open already. The kernel opens no file. */
static void handle_openat(int signal, siginfo_t *info, void *context_)
{
    mcontext_t *registers = &((ucontext_t *)context_)->uc_mcontext;
    int before = errno;

    (void)signal;
    RESULT(registers) = info->si_syscall == SCMP_SYS(openat)
                            ? copy_font((const char *)SECOND_ARGUMENT(registers))
                            : -EACCES;
    errno = before;
}

static int install_handler(const iimg_sandbox_t *sandbox)
{
    struct sigaction action = { .sa_sigaction = handle_openat, .sa_flags = SA_SIGINFO };

    first_font = sandbox->first_font;
    last_font = sandbox->last_font;
    return sigaction(SIGSYS, &action, NULL);
}

static bool has_fonts(const iimg_sandbox_t *sandbox)
{
    return sandbox->last_font >= sandbox->first_font;
}

/* Deny openat, or trap it for fonts; allow the commands of fcntl that do no harm. */
static int restrict_opening(scmp_filter_ctx filter, const iimg_sandbox_t *sandbox)
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
             | allow_all(filter, allowed, COUNT(allowed)) | allow_restricted(filter);

    if (SANITIZED) {
        return rc | allow_all(filter, allowed_for_sanitizers, COUNT(allowed_for_sanitizers));
    }
    for (size_t i = 0; rc == 0 && i < COUNT(denied); i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(denied[i].error), denied[i].syscall, 0);
    }
    return rc | restrict_opening(filter, sandbox);
}

/* @return the action for all other calls. The libraries of posters make calls that change with
 * their versions: these fail with an error. */
static uint32_t default_action(const iimg_sandbox_t *sandbox)
{
    if (SANITIZED) {
        return SCMP_ACT_ERRNO(ENOSYS);
    }
    return has_fonts(sandbox) ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_KILL_PROCESS;
}

static int enter_filter(const iimg_sandbox_t *sandbox)
{
    scmp_filter_ctx filter = seccomp_init(default_action(sandbox));
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
    if (has_fonts(sandbox) && install_handler(sandbox) != 0) {
        return 5;
    }
    return enter_filter(sandbox) == 0 ? 0 : 5;
}
