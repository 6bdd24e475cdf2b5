/* identityimgctl.c - the operator's tool: its options and its commands. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/http.h"
#include "base/log.h"
#include "base/version.h"
#include "ctl/connection.h"
#include "ctl/ctl.h"

typedef int (*command_fn)(iimg_context_t *context, const ctl_options_t *options);

static const struct {
    const char *name;
    command_fn run;
} commands[] = {
    { "reconcile", ctl_reconcile },
    { "sweep", ctl_sweep },
};

static const char usage[] =
    "usage: identityimgctl [OPTION ...] COMMAND\n"
    "\n"
    "  sweep              delete now what the server is about to delete: 0 all is gone, 1 some is left\n"
    "  reconcile          compare store, manifest and rows: 0 nothing differs, 1 something does\n"
    "  reconcile --delete and delete objects that the manifest does not know, if older than an hour\n"
    "\n"
    "  --conninfo TEXT    the database, as libpq has it, without a password; default: libpq's\n"
    "                     PGHOST, PGDATABASE, PGUSER, PGPASSFILE, ... [IDENTITYIMG_CONNINFO]\n"
    "  --storage NAME     kind of store; default: file [IDENTITYIMG_STORAGE]\n"
    "  --storage-root DIR directory of the store \"file\" [IDENTITYIMG_STORAGE_ROOT]\n"
    "  --verbose          name each object\n"
    "  --help, --version\n"
    "\n"
    "In brackets: the environment variable that says the same. 2 is returned when a command could not\n"
    "be done. Run it as a user who may read and delete in the store.\n";

enum { CONNINFO = 1, STORAGE, STORAGE_ROOT, DELETE, VERBOSE, HELP, VERSION };

static const struct option long_options[] = {
    { "conninfo", required_argument, NULL, CONNINFO },
    { "storage", required_argument, NULL, STORAGE },
    { "storage-root", required_argument, NULL, STORAGE_ROOT },
    { "delete", no_argument, NULL, DELETE },
    { "verbose", no_argument, NULL, VERBOSE },
    { "help", no_argument, NULL, HELP },
    { "version", no_argument, NULL, VERSION },
    { NULL, 0, NULL, 0 }
};

static int complain(const char *sentence)
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

/* Warnings go to stderr, everything with --verbose but the time of each step. */
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

static const char *from_environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && *value ? value : otherwise;
}

/* @return -1 to go on, else what to end with */
static int read_options(int argc, char **argv, ctl_options_t *options)
{
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (c) {
        case CONNINFO:     options->conninfo = optarg; break;
        case STORAGE:      options->storage = optarg; break;
        case STORAGE_ROOT: options->storage_root = optarg; break;
        case DELETE:       options->remove = true; break;
        case VERBOSE:      options->verbose = true; break;
        case HELP:         fputs(usage, stdout); return CTL_CLEAN;
        case VERSION:      puts("identityimgctl " IIMG_VERSION); return CTL_CLEAN;
        default:           fputs(usage, stderr); return CTL_TROUBLE;
        }
    }
    return -1;
}

static command_fn choose(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && argc == optind + 1; i++) {
        if (strcmp(argv[optind], commands[i].name) == 0) {
            return commands[i].run;
        }
    }
    return NULL;
}

static const char *open_store(apr_pool_t *pool, const ctl_options_t *options,
                              iimg_storage_t *storage)
{
    storage->driver = iimg_storage_by_name(options->storage);
    storage->root = options->storage_root;
    if (!storage->driver) {
        return apr_psprintf(pool, "--storage: \"%s\" is not a storage: %s", options->storage,
                            iimg_storage_names);
    }
    if (storage->driver == &iimg_storage_file && !storage->root) {
        return "--storage-root: the storage \"file\" needs a directory";
    }
    return storage->driver->check(pool, storage);
}

static int run(apr_pool_t *pool, command_fn command, const ctl_options_t *options)
{
    iimg_log_sink_t sink = { log_enabled, log_write, (void *)options };
    iimg_services_t services = { .max_object = 0 };
    iimg_context_t context = { .pool = pool, .request_id = "identityimgctl", .log = &sink,
                               .services = &services, .base_url = "" };
    const char *problem = open_store(pool, options, &services.storage);

    if (!problem) {
        context.db = ctl_connection(pool, options->conninfo, &problem);
    }
    if (!problem && !iimg_http_start()) {
        problem = "libcurl could not be started";
    }
    return problem ? complain(problem) : command(&context, options);
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

int main(int argc, char **argv)
{
    ctl_options_t options = {
        .conninfo = from_environment("IDENTITYIMG_CONNINFO", NULL),
        .storage = from_environment("IDENTITYIMG_STORAGE", "file"),
        .storage_root = from_environment("IDENTITYIMG_STORAGE_ROOT", NULL),
    };
    int ended = read_options(argc, argv, &options);
    command_fn command = ended < 0 ? choose(argc, argv) : NULL;
    apr_pool_t *pool;

#ifdef IIMG_FAULTS
    if (ended < 0 && argc == optind + 1 && strcmp(argv[optind], "faults") == 0) {
        return list_faults();
    }
#endif
    if (ended >= 0) {
        return ended;
    }
    if (!command || (options.remove && command != ctl_reconcile)) {
        fputs(usage, stderr);
        return CTL_TROUBLE;
    }
    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    atexit(apr_terminate);
    apr_pool_create(&pool, NULL);
    ended = run(pool, command, &options);
    apr_pool_destroy(pool);
    return ended;
}
