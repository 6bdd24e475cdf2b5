/* identityimgctl.c - the operator's command-line tool: start-up, log, exit status. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include "base/fault.h"
#include "base/http/http.h"
#include "base/log.h"
#include "base/version.h"
#include "ctl/connection.h"
#include "ctl/ctl.h"
#include "ctl/store.h"

typedef int (*command_fn)(iimg_context_t *context, const ctl_options_t *options);

static const struct {
    const char *name;
    command_fn run;
} commands[] = {
    { "adopt-store", ctl_adopt_store },
    { "reconcile", ctl_reconcile },
    { "sweep", ctl_sweep },
};

static int print_problem(const char *sentence)
{
    fprintf(stderr, "identityimgctl: %s\n", sentence);
    return CTL_TROUBLE;
}

int ctl_trouble(const iimg_error_t *err)
{
    fprintf(stderr, "identityimgctl: %s%s%s\n", err->message, err->detail ? " " : "",
            err->detail ? err->detail : "");
    return CTL_TROUBLE;
}

/* Print warnings, and with --verbose all messages except the times of steps. */
static bool log_enabled(void *baton, iimg_log_level_t level)
{
    const ctl_options_t *options = baton;

    return level <= (options->verbose ? IIMG_LOG_INFO : IIMG_LOG_WARNING);
}

static void log_write(void *baton, const char *file, int line, iimg_log_level_t level,
                      const char *text)
{
    (void)baton, (void)file, (void)line, (void)level;
    fprintf(stderr, "identityimgctl: %s\n", text);
}

static command_fn find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && name; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return commands[i].run;
        }
    }
    return NULL;
}

static int run_command(apr_pool_t *pool, command_fn command, const ctl_options_t *options)
{
    iimg_log_sink_t sink = { log_enabled, log_write, (void *)options };
    iimg_services_t services = { .max_object = 0 };
    iimg_context_t context = { .pool = pool,
                               .request_id = "identityimgctl",
                               .log = &sink,
                               .services = &services,
                               .base_url = "" };
    const char *problem = NULL;

    if (!iimg_http_start()) {
        return print_problem("cannot initialize libcurl");
    }
    context.db = ctl_connection(pool, options->conninfo, &problem);
    if (problem) {
        return print_problem(problem);
    }
    problem = ctl_store_open(&context, options, &services.storage);
    if (problem) {
        return print_problem(problem);
    }
    return command(&context, options);
}

#ifdef IIMG_FAULTS
static int list_faults(void)
{
    for (int i = 0; iimg_fault_points[i]; i++) {
        puts(iimg_fault_points[i]);
    }
    return 0;
}
#endif

/* @return the exit status */
static int run_tool(apr_pool_t *pool, int argc, char **argv)
{
    ctl_options_t options = { NULL };
    const char *name, *problem = ctl_options_read(pool, argc, argv, &options, &name);
    command_fn command = find_command(name);

    if (options.help || options.version) {
        fputs(options.help ? ctl_usage : "identityimgctl " IIMG_VERSION "\n", stdout);
        return CTL_CLEAN;
    }
#ifdef IIMG_FAULTS
    if (name && strcmp(name, "faults") == 0) {
        return list_faults();
    }
#endif
    if (problem && *problem) {
        return print_problem(problem);
    }
    if (problem || !command || ((options.remove || options.min_age) && command != ctl_reconcile)
        || (options.force && command == ctl_sweep)) {
        fputs(ctl_usage, stderr);
        return CTL_TROUBLE;
    }
    return run_command(pool, command, &options);
}

/* The command has completed even if its report cannot be written. The caller must not mistake a
 * missing report for one without differences. */
static int finish_output(int ended)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return ended;
    }
    fprintf(stderr,
            "identityimgctl: cannot write to standard output: %s; the command has completed\n",
            strerror(errno));
    return CTL_TROUBLE;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool;
    int ended;

    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    ended = finish_output(run_tool(pool, argc, argv));
    apr_pool_destroy(pool);
    return ended;
}
