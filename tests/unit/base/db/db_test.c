/* db_test.c - base/db/db.c: a COMMIT whose response is late. */
#include "base/db/db.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tap.h"
#include "work.h"

/* A COMMIT that is answered just after its deadline ------------------------------------------- */

#define DEADLINE 1       /* second */
#define LATE     1300000 /* microseconds: the answer */
#define SLOW     900000  /* and how long db.c takes from the deadline to breaking off */

/* In place of libc's: the answer arrives before it. */
int shutdown(int fd, int how)
{
    usleep(SLOW);
    return (int)syscall(SYS_shutdown, fd, how);
}

static bool receive(int fd, void *to, size_t length)
{
    return recv(fd, to, length, MSG_WAITALL) == (ssize_t)length;
}

/* CommandComplete with the statement itself as its tag, then ReadyForQuery. */
static void complete(int fd, const char *tag, char state)
{
    char text[64] = "C", ready[] = { 'Z', 0, 0, 0, 5, state };
    uint32_t length = htonl((uint32_t)(4 + strlen(tag) + 1));

    memcpy(text + 1, &length, 4);
    memcpy(text + 5, tag, strlen(tag) + 1);
    (void)!send(fd, text, 6 + strlen(tag), MSG_NOSIGNAL);
    (void)!send(fd, ready, sizeof(ready), MSG_NOSIGNAL);
}

/* As much of a PostgreSQL as a transaction without statements needs. */
static void *serve(void *listener)
{
    static const char welcome[] = { 'R', 0, 0, 0, 8, 0, 0, 0, 0, 'Z', 0, 0, 0, 5, 'I' };
    int fd = accept(*(int *)listener, NULL, NULL);
    char text[1024], type;
    uint32_t length;

    if (receive(fd, &length, 4) && receive(fd, text, ntohl(length) - 4)) {
        (void)!send(fd, welcome, sizeof(welcome), MSG_NOSIGNAL);
    }
    while (receive(fd, &type, 1) && receive(fd, &length, 4) && ntohl(length) - 4 <= sizeof(text)
           && receive(fd, text, ntohl(length) - 4) && type == 'Q') {
        if (strcmp(text, "COMMIT") == 0) {
            usleep(LATE);
        }
        complete(fd, text, strcmp(text, "BEGIN") == 0 ? 'T' : 'I');
    }
    close(fd);
    return NULL;
}

static iimg_db_connection_t only;

static iimg_error_t *lend(iimg_context_t *context, iimg_db_connection_t **connection)
{
    (void)context;
    *connection = &only;
    return NULL;
}

static void take_back(iimg_context_t *context, iimg_db_connection_t *connection)
{
    (void)context, (void)connection;
}

static iimg_error_t *nothing(iimg_context_t *context, void *baton)
{
    (void)context, (void)baton;
    return NULL;
}

static void test_late_commit(iimg_context_t *context)
{
    static const iimg_db_t db = { .borrow = lend, .give_back = take_back, .timeout = DEADLINE };
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;
    iimg_error_t *err;

    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 1);
    getsockname(listener, (struct sockaddr *)&address, &length);
    pthread_create(&thread, NULL, serve, &listener);
    only.pg = PQconnectdb(apr_psprintf(context->pool,
                                       "hostaddr=127.0.0.1 port=%d user=x dbname=x "
                                       "sslmode=disable gssencmode=disable",
                                       ntohs(address.sin_port)));
    tap_ok(PQstatus(only.pg) == CONNECTION_OK, "a server with a slow COMMIT accepts connections");
    context->db = &db;
    err = iimg_db_transaction(context, nothing, NULL);
    tap_ok(err && err->kind == IIMG_UNAVAILABLE, "a slow COMMIT fails at the deadline");
    tap_ok(context->lost_commit, "a slow COMMIT sets lost_commit, although its response arrives");
    PQfinish(only.pg);
    pthread_join(thread, NULL);
    close(listener);
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_late_commit(context);
    work_end(context);
    return tap_done();
}
