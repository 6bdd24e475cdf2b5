/* main.c - start identityimg-worker: drop privileges, initialize libvips, run the zygote. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "services/pictures/protocol.h"
#include "worker/fonts.h"
#include "worker/job.h"
#include "worker/zygote.h"

typedef struct options_t {
    long workers;
    long user, group; /* -1: unchanged */
} options_t;

static int report_failure(const char *what)
{
    fprintf(stderr, "IIMG0133: identityimg-worker: %s\n", what);
    return EXIT_FAILURE;
}

static bool read_options(int argc, char **argv, options_t *options)
{
    long *const values[] = { &options->workers, &options->user, &options->group };
    struct stat info;

    if (argc != 4 || fstat(IIMG_WORK_SOCKET, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        char *end;

        *values[i] = strtol(argv[1 + i], &end, 10);
        if (end == argv[1 + i] || *end != '\0') {
            return false;
        }
    }
    return options->workers >= 1;
}

/* Become httpd's User and Group, without root's supplementary groups. */
static const char *drop_privileges(const options_t *options)
{
    if (geteuid() == 0) {
        gid_t group = (gid_t)options->group;

        if (options->user <= 0 || options->group <= 0) {
            return "refuses to run as root; set User and Group in the configuration of httpd";
        }
        if (setgroups(1, &group) != 0 || setgid(group) != 0 || setuid((uid_t)options->user) != 0) {
            return "cannot switch to httpd's User and Group";
        }
    }
    return geteuid() == 0 || getuid() == 0 || setuid(0) == 0 ? "could regain root privileges"
                                                             : NULL;
}

/* Redirect input and output to /dev/null and close all other descriptors but stderr, which is
 * httpd's error log, and the socket. */
static const char *close_descriptors(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0) {
        return "cannot open /dev/null";
    }
    close_range(IIMG_WORK_SOCKET + 1, ~0U, 0);
    return fcntl(IIMG_WORK_SOCKET, F_SETFD, FD_CLOEXEC) == 0 ? NULL : "has no socket";
}

/* libvips finds its module for HEIC and AVIF below the directory of this program. VIPS_NOVECTOR
 * prevents Orc from compiling code at run time, which the sandbox forbids. */
static const char *set_environment(void)
{
    static const char *const kept[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS" };
    const char *values[2];
    char path[PATH_MAX], home[PATH_MAX + 16];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (n < 0) {
        return "cannot read /proc/self/exe";
    }
    path[n] = '\0';
    for (int i = 0; i < 2; i++) {
        values[i] = getenv(kept[i]) ? strdup(getenv(kept[i])) : NULL;
    }
    snprintf(home, sizeof(home), "%s/vips/lib", dirname(path));
    if (clearenv() != 0 || setenv("VIPSHOME", home, 1) != 0 || setenv("VIPS_NOVECTOR", "1", 1) != 0
        || setenv("VIPS_WARNING", "0", 1) != 0 || setenv("LC_ALL", "C.UTF-8", 1) != 0) {
        return "is out of memory";
    }
    for (int i = 0; i < 2; i++) {
        if (values[i]) {
            setenv(kept[i], values[i], 1);
        }
    }
    return NULL;
}

/* Each waiting or running request has up to four descriptors. */
static void raise_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 2048) {
        limit.rlim_cur = limit.rlim_max < 2048 ? limit.rlim_max : 2048;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Signals to httpd's process group are meant for httpd. */
static void ignore_signals(void)
{
    static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        signal(ignored[i], SIG_IGN);
    }
}

/* Posters work without words; a log line tells the operator why. */
static void prepare_fonts(void)
{
    if (iimg_fonts_prepare() == 0) {
        fprintf(stderr, "IIMG0135: identityimg-worker: found no font that it can read; preview "
                        "posters have no words; install the package fonts-dejavu-core and restart "
                        "httpd\n");
    }
}

static const char *run_zygote(const options_t *options)
{
    const char *problem = drop_privileges(options);

    if (problem) {
        return problem;
    }
    problem = close_descriptors();
    if (problem) {
        return problem;
    }
    problem = set_environment();
    if (problem) {
        return problem;
    }
    umask(077);
    raise_limit();
    ignore_signals();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    problem = chdir("/") == 0 ? iimg_job_prepare() : "cannot change to /";
    if (problem) {
        return problem;
    }
    prepare_fonts();
    return iimg_zygote_run(IIMG_WORK_SOCKET, (int)options->workers);
}

int main(int argc, char **argv)
{
    options_t options;
    const char *problem;

    if (!read_options(argc, argv, &options)) {
        fprintf(stderr, "identityimg-worker is started by httpd (mod_identityimg)\n");
        return 2;
    }
    problem = run_zygote(&options);
    return problem ? report_failure(problem) : EXIT_SUCCESS;
}
