/* work.h - the context of a unit test: a pool, and a log in memory. */
#ifndef IIMG_WORK_H
#define IIMG_WORK_H

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/log.h"

/** A line of the log. */
typedef struct work_line_t {
    iimg_log_level_t level;
    const char *text;
} work_line_t;

static bool work_log_enabled(void *baton, iimg_log_level_t level)
{
    (void)baton;
    (void)level;
    return true;
}

static void work_log_write(void *baton, const char *file, int line, iimg_log_level_t level,
                           const char *text)
{
    apr_array_header_t *lines = baton;
    work_line_t *one = apr_array_push(lines);

    (void)file;
    (void)line;
    one->level = level;
    one->text = apr_pstrdup(lines->pool, text);
}

/** Initialize APR and create a context that logs every level. End it with work_end. */
__attribute__((unused)) static iimg_context_t *work_begin(void)
{
    iimg_context_t *context;
    iimg_log_sink_t *sink;
    apr_pool_t *pool;

    signal(SIGPIPE, SIG_IGN); /* like httpd */
    apr_initialize();
    apr_pool_create(&pool, NULL);
    context = apr_pcalloc(pool, sizeof(*context));
    sink = apr_pcalloc(pool, sizeof(*sink));
    sink->enabled = work_log_enabled;
    sink->write = work_log_write;
    sink->baton = apr_array_make(pool, 16, sizeof(work_line_t));
    context->pool = pool;
    context->request_id = "test";
    context->log = sink;
    return context;
}

__attribute__((unused)) static void work_end(iimg_context_t *context)
{
    apr_pool_destroy(context->pool);
    apr_terminate();
}

/** @return the first line that contains the text, or NULL */
__attribute__((unused)) static const work_line_t *work_logged(const iimg_context_t *context,
                                                              const char *text)
{
    const apr_array_header_t *lines = context->log->baton;

    for (int i = 0; i < lines->nelts; i++) {
        const work_line_t *line = &APR_ARRAY_IDX(lines, i, work_line_t);

        if (strstr(line->text, text)) {
            return line;
        }
    }
    return NULL;
}

/** Clear the log. */
__attribute__((unused)) static void work_log_clear(const iimg_context_t *context)
{
    apr_array_clear(context->log->baton);
}

#endif
