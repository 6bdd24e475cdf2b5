/* poll.h - what the engine asks the databases from time to time: its queue, its leases, the dead.
 * For engine.c. */
#ifndef IIMG_SERVER_JOBS_POLL_H
#define IIMG_SERVER_JOBS_POLL_H

#include <stdbool.h>
#include <httpd.h>

/**
 * Name this process in the jobs it will run, and learn which databases there are; in a new child,
 * while it has one thread.
 * @param threads most threads that a server wants for what blocks
 * @return false: no server is on
 */
bool iimg_look_start(apr_pool_t *pchild, server_rec *main_server, int *threads);

/** What a look is about. */
typedef struct iimg_look_t {
    bool busy;  /* there are jobs here: their leases are renewed */
    bool takes; /* jobs that wait, or were left, are taken as there is room */
    void (*canceled)(const char *job_id); /* told of each job here that is to be canceled */
} iimg_look_t;

/** Look at all databases. Blocks; in one thread at a time. @return whether to look again at once */
bool iimg_look_now(const iimg_look_t *look);

/** This process ends: let others take its jobs at once. */
void iimg_look_release(void);

/** Nothing is left to be done for this process. */
void iimg_look_end(void);

#endif
