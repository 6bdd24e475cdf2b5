/* engine.h - runs generation jobs: thousands of them in a few threads of each child of httpd. */
#ifndef IIMG_SERVER_JOBS_ENGINE_H
#define IIMG_SERVER_JOBS_ENGINE_H

#include <httpd.h>
#include "base/context.h"

/**
 * Begin, in a new child, while it has one thread and after iimg_database_start: name this process
 * in the jobs it will run, and start the thread that holds them.
 * @return NULL, or why not
 */
const char *iimg_engine_start(apr_pool_t *pchild, server_rec *main_server);

/**
 * This child is to end. @param graceful what it has, and what its clients wait for, is brought to
 * an end
 */
void iimg_engine_stop(bool graceful);

/**
 * Make sure of room for one more job in this child: iimg_engine_run or iimg_engine_forgo must
 * follow. @return false: the job has to wait its turn
 */
bool iimg_engine_reserve(const server_rec *server);
void iimg_engine_forgo(void);

/** Run a job that has been claimed for this process, in the room that was reserved. */
void iimg_engine_run(server_rec *server, const char *job_id);

/** A job waits its turn: look whether it has come. */
void iimg_engine_look(void);

/* Waiting -------------------------------------------------------------------------------------- */

/** Somebody who wants to know when a job has ended. */
typedef struct iimg_engine_watch_t iimg_engine_watch_t;

typedef enum {
    IIMG_NEWS_CHANGED, /* its row is another one, or it has ended */
    IIMG_NEWS_TIME,    /* iimg_engine_watch_due has come */
    IIMG_NEWS_STUCK    /* it goes on, but nobody should wait for it: a backend stays away */
} iimg_engine_news_t;

/** Called in another thread, with locks held: it must not wait, nor call anything here. */
typedef void (*iimg_engine_news_fn)(void *baton, iimg_engine_news_t news);

/**
 * Be told when a job has ended, whoever runs it: register, then look at the row, then wait. News
 * may come more than once, and without reason.
 * @param version also when the row's version is another one; -1: only at the end
 * @return lives until iimg_engine_unwatch, which must come before the pool ends
 */
iimg_engine_watch_t *iimg_engine_watch(apr_pool_t *pool, server_rec *server, const char *job_id,
                                       int version, iimg_engine_news_fn news, void *baton);

/** Be told once when it is time, within a second. */
void iimg_engine_watch_due(iimg_engine_watch_t *watch, apr_time_t due);
void iimg_engine_unwatch(iimg_engine_watch_t *watch);

#endif
