/* sandbox.c - limits, Landlock and the list of system calls that decoding a picture needs. */
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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
    const struct { int resource; struct rlimit limit; } limits[] = {
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
    0,
    (1ULL << 13) - 1,                   /* execute to make symbolic links */
    (1ULL << 14) - 1,                   /* refer */
    (1ULL << 15) - 1,                   /* truncate */
};

#define READ_RIGHTS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static const char *const font_folders[] = {
    "/usr/share", "/usr/local/share/fonts", "/etc/fonts", "/var/cache/fontconfig",
};

static int allow_reading(int ruleset, const char *folder)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = READ_RIGHTS };
    int rc;

    rule.parent_fd = open(folder, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) {
        return errno == ENOENT ? 0 : -1;
    }
    rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return rc;
}

/* A second lock behind the first one: kernels may be built or started without it. */
static int enter_landlock(const iimg_sandbox_t *sandbox)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr attr;
    int ruleset, rc = 0;

    if (version < 1) {
        return 0;
    }
    attr.handled_access_fs = rights_by_version[version < 3 ? version : 3];
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr.handled_access_fs), 0);
    if (ruleset < 0) {
        return -1;
    }
    for (size_t i = 0; sandbox->fonts && rc == 0 && i < COUNT(font_folders); i++) {
        rc = allow_reading(ruleset, font_folders[i]);
    }
    if (rc == 0) {
        rc = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
    }
    close(ruleset);
    return rc;
}

/* System calls -------------------------------------------------------------------------------- */

/* As libvips and its codecs were seen to use them, and what aborting and other versions of glibc
 * use. */
static const int allowed[] = {
    SCMP_SYS(futex), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigaction),
    SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(restart_syscall),
};

/* What is asked for, can do without, and must not die of. clone3's flags lie behind a pointer,
 * where no filter sees them; ENOSYS makes glibc take clone. */
static const struct { int syscall, error; } denied[] = {
    { SCMP_SYS(clone3), ENOSYS }, { SCMP_SYS(prctl), EPERM },
    { SCMP_SYS(sched_setscheduler), EPERM }, { SCMP_SYS(sched_setattr), EPERM },
    { SCMP_SYS(sched_getattr), EPERM },
};

/* Finding fonts: walking their folders, mapping their caches. */
static const int allowed_for_fonts[] = {
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(getdents64), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
    SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(statx),
    SCMP_SYS(getcwd), SCMP_SYS(fcntl), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(fadvise64),
};

static const int allowed_for_sanitizers[] = {
    SCMP_SYS(sigaltstack), SCMP_SYS(prctl), SCMP_SYS(openat), SCMP_SYS(mmap), SCMP_SYS(mprotect),
    SCMP_SYS(getppid), SCMP_SYS(setrlimit), SCMP_SYS(prlimit64), SCMP_SYS(dup), SCMP_SYS(dup2),
    SCMP_SYS(pipe2), SCMP_SYS(unlink), SCMP_SYS(ioctl), SCMP_SYS(kill), SCMP_SYS(mkdir),
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

/* Without fonts nothing is opened; with them only for reading. */
static int care_for_opening(scmp_filter_ctx filter, bool fonts)
{
    const unsigned writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | __O_TMPFILE;

    if (!fonts) {
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0)
               | seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                  SCMP_A1(SCMP_CMP_EQ, F_GET_SEALS))
               | seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
                                  SCMP_A1(SCMP_CMP_EQ, F_GETFL));
    }
    return allow_all(filter, allowed_for_fonts, COUNT(allowed_for_fonts))
           | seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                              SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
}

static int fill_filter(scmp_filter_ctx filter, const iimg_sandbox_t *sandbox)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)
             | allow_all(filter, allowed, COUNT(allowed)) | allow_with_care(filter);

    if (SANITIZED) {
        return rc | allow_all(filter, allowed_for_fonts, COUNT(allowed_for_fonts))
               | allow_all(filter, allowed_for_sanitizers, COUNT(allowed_for_sanitizers));
    }
    for (size_t i = 0; rc == 0 && i < COUNT(denied); i++) {
        rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(denied[i].error), denied[i].syscall, 0);
    }
    return rc | care_for_opening(filter, sandbox->fonts);
}

/* Whoever decodes a picture dies of what he should not try. Who looks for fonts tries to write
 * their caches, too, by ways that change with fontconfig's versions: he is told that he may not. */
static uint32_t otherwise(const iimg_sandbox_t *sandbox)
{
    if (SANITIZED) {
        return SCMP_ACT_ERRNO(ENOSYS);
    }
    return sandbox->fonts ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_KILL_PROCESS;
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
    if (!SANITIZED && enter_landlock(sandbox) != 0) {
        return 4;
    }
    return enter_filter(sandbox) == 0 ? 0 : 5;
}
