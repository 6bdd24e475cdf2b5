/* fault.c - named points at which a test build stops the process or fails a step. */
#include "base/fault.h"

#ifdef IIMG_FAULTS
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

const char *const iimg_fault_points[] = {
    /* a picture's objects */
    "picture.derived", "picture.announced", "picture.stored", "picture.published",
    "picture.abandoned",
    /* each transaction */
    "db.commit", "db.committed",
    /* a generation */
    "generate.claimed", "generate.inserted", "generate.answered", "generate.made", "generate.kept",
    /* deleting */
    "sweep.expired", "sweep.claimed", "sweep.removed", "sweep.forgotten",
    /* the store "file" */
    "file.object", "file.mkdir", "file.create", "file.write", "file.written", "file.fsync",
    "file.synced", "file.rename", "file.renamed", "file.syncdir", "file.unlink", "file.unlinked",
    "file.rmdir",
    /* the store "s3", and each request to it */
    "s3.put", "s3.stored", "s3.retry", "s3.delete", "s3.deleted", "s3.purge", "s3.purged",
    "http.sending", "http.answered", NULL
};

typedef struct order_t {
    char point[40];
    char when[16]; /* a number, or "always" */
    char action[16];
} order_t;

static void record_pass(const char *path, const char *point, const char *action)
{
    char name[4096], line[128];
    int fd, n;

    snprintf(name, sizeof(name), "%s.fired", path);
    fd = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
    n = snprintf(line, sizeof(line), "%s %s %ld\n", point, action, (long)getpid());
    if (fd >= 0) {
        if (write(fd, line, (size_t)n) != n) {
            abort();
        }
        close(fd);
    }
}

static int write_order(int fd, const order_t *order, int left)
{
    char line[128];
    int n = left > 0 ? snprintf(line, sizeof(line), "%s %d %s\n", order->point, left, order->action)
                     : 0;

    return ftruncate(fd, 0) == 0 && pwrite(fd, line, (size_t)n, 0) == n;
}

/* Count this pass under the file's lock. @return whether the order applies to it */
static int is_due(int fd, const char *point, order_t *order)
{
    char line[128];
    ssize_t n;
    int left;

    flock(fd, LOCK_EX);
    n = pread(fd, line, sizeof(line) - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    if (sscanf(line, "%39s %15s %15s", order->point, order->when, order->action) != 3) {
        return 0;
    }
    if (strcmp(order->action, "trace") == 0) {
        return 1;
    }
    if (strcmp(order->point, point) != 0) {
        return 0;
    }
    if (strcmp(order->when, "always") == 0) {
        return 1;
    }
    left = atoi(order->when) - 1;
    if (strcmp(order->action, "wait") == 0) {
        return left <= 0; /* keep the line: the step waits until it changes */
    }
    if (!write_order(fd, order, left)) {
        abort();
    }
    return left <= 0;
}

static void wait_for_change(const char *path, const char *point)
{
    for (int i = 0; i < 3000; i++) {
        char line[128] = "";
        FILE *file = fopen(path, "r");

        if (!file || !fgets(line, sizeof(line), file) || strncmp(line, point, strlen(point)) != 0) {
            i = 3000;
        }
        if (file) {
            fclose(file);
        }
        usleep(10000);
    }
}

int iimg_fault(const char *point)
{
    const char *path = getenv("IIMG_FAULT_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    order_t order;
    int due;

    if (fd < 0) {
        return 0;
    }
    due = is_due(fd, point, &order);
    close(fd);
    if (!due) {
        return 0;
    }
    record_pass(path, point, order.action);
    if (strcmp(order.action, "exit") == 0) {
        _exit(99);
    }
    if (strcmp(order.action, "wait") == 0) {
        wait_for_change(path, point);
        return 0;
    }
    return atoi(order.action);
}
#else
typedef int iimg_no_faults_t; /* ISO C forbids an empty translation unit */
#endif
