/* double.h - start and stop a stand-in for a service from tests/doubles. */
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
    int stdin_fd; /* the double exits when this closes, even if the test crashes */
} double_t;

typedef enum {
    DOUBLE_RUNS,
    DOUBLE_NO_NODE, /* skip the test */
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

/* Read "listening PORT". */
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

/** Start tests/doubles/{script} (in the folder IIMG_DOUBLES, if set) with an option, or NULL. */
__attribute__((unused)) static double_state_t double_start(double_t *server, const char *script,
                                                           const char *option, const char *value)
{
    int in[2], out[2], status;

    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) {
        return DOUBLE_BROKEN;
    }
    fflush(stdout);
    server->pid = fork();
    if (server->pid == 0) {
        double_run(script, option, value, in[0], out[1]);
    }
    close(in[0]);
    close(out[1]);
    server->stdin_fd = in[1];
    server->port = double_port(out[0]);
    if (server->port > 0) {
        return DOUBLE_RUNS;
    }
    close(server->stdin_fd);
    waitpid(server->pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? DOUBLE_NO_NODE : DOUBLE_BROKEN;
}

/** Stop a double. @return whether it exited with status 0 */
__attribute__((unused)) static bool double_stop(double_t *server)
{
    int status = 0;

    close(server->stdin_fd);
    waitpid(server->pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
