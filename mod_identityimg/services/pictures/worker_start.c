/* worker_start.c - starts identityimg-worker. */
#include "services/pictures/worker_client.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool iimg_picture_worker_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0;
}

/* Wait before a restart, unless httpd ends meanwhile. The program itself cannot wait, since its
 * loader may have failed. Signals to the process group are for httpd only. */
static void delay_start(int milliseconds)
{
    static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
    struct pollfd httpd = { IIMG_WORK_SOCKET, 0, 0 };

    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        signal(ignored[i], SIG_IGN);
    }
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_NAME, "identityimg-wai");
    if (poll(&httpd, 1, milliseconds) > 0) {
        _exit(0);
    }
}

/* Between fork and exec only system calls are safe. */
static _Noreturn void run_program(const iimg_worker_start_t *start, char *const *arguments,
                                  char *const *environment)
{
    sigset_t none;

    if (start->socket == IIMG_WORK_SOCKET) {
        fcntl(start->socket, F_SETFD, 0);
    }
    else if (dup2(start->socket, IIMG_WORK_SOCKET) < 0) {
        _exit(126);
    }
    close_range(IIMG_WORK_SOCKET + 1, ~0U, 0);
    if (start->delay > 0) {
        delay_start(start->delay);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(start->program, arguments, environment);
    _exit(127);
}

/* The environment is empty, except for the options of sanitizers. */
static void choose_environment(char *environment[3], char texts[2][1024])
{
    static const char *const kept[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS" };
    int count = 0;

    for (int i = 0; i < 2; i++) {
        const char *value = getenv(kept[i]);

        if (value) {
            snprintf(texts[i], sizeof(texts[i]), "%s=%s", kept[i], value);
            environment[count++] = texts[i];
        }
    }
    environment[count] = NULL;
}

pid_t iimg_picture_worker_start(const iimg_worker_start_t *start)
{
    const long numbers[] = { start->workers, start->user, start->group };
    char name[] = "identityimg-worker", texts[3][24], settings[2][1024];
    char *arguments[] = { name, texts[0], texts[1], texts[2], NULL };
    char *environment[3];
    pid_t pid;

    for (int i = 0; i < 3; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%ld", numbers[i]);
    }
    choose_environment(environment, settings);
    pid = fork();
    if (pid == 0) {
        run_program(start, arguments, environment);
    }
    return pid;
}
