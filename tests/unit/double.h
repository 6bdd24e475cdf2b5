/* double.h - starts a stand-in for a service from tests/doubles, and stops it. */
#ifndef IIMG_DOUBLE_H
#define IIMG_DOUBLE_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct double_t {
    pid_t pid;
    int port;     /* on 127.0.0.1 */
    int stdin_fd; /* the double ends when this closes, so even if the test crashes */
} double_t;

typedef enum {
    DOUBLE_RUNS,
    DOUBLE_NO_NODE, /* skip what needs it */
    DOUBLE_BROKEN
} double_state_t;

__attribute__((unused)) static void double_run(const char *script, const char *option,
                                               const char *value, int in, int out)
{
    const char *folder = getenv("IIMG_DOUBLES") ? getenv("IIMG_DOUBLES") : "tests/doubles";
    char path[1024];

    snprintf(path, sizeof(path), "%s/%s", folder, script);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    /* Without an option execlp stops at its NULL. */
    execlp("node", "node", path, "--with-stdin", "--port", "0", option, value, (char *)NULL);
    _exit(127);
}

/* Reads "listening PORT". */
__attribute__((unused)) static int double_port(int out)
{
    FILE *lines = fdopen(out, "r");
    int port = 0;

    if (!lines || fscanf(lines, "listening %d", &port) != 1) {
        port = 0;
    }
    if (lines) {
        fclose(lines);
    }
    return port;
}

/** Start tests/doubles/{script} (in the folder IIMG_DOUBLES, if set) with one option, or NULL. */
__attribute__((unused)) static double_state_t double_start(double_t *it, const char *script,
                                                           const char *option, const char *value)
{
    int in[2], out[2], status;

    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
        return DOUBLE_BROKEN;
    }
    fflush(stdout);
    it->pid = fork();
    if (it->pid == 0) {
        double_run(script, option, value, in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    it->stdin_fd = in[1];
    it->port = double_port(out[0]);
    if (it->port > 0) {
        return DOUBLE_RUNS;
    }
    close(it->stdin_fd);
    waitpid(it->pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? DOUBLE_NO_NODE : DOUBLE_BROKEN;
}

/** Stop it. @return whether it ended by itself and well */
__attribute__((unused)) static bool double_stop(double_t *it)
{
    int status = 0;

    close(it->stdin_fd);
    waitpid(it->pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
