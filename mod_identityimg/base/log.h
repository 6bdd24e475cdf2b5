/* log.h - log lines of the library, and the duration of steps. */
#ifndef IIMG_BASE_LOG_H
#define IIMG_BASE_LOG_H

#include <stdbool.h>
#include <apr_time.h>
#include "base/context.h"

typedef enum {
    IIMG_LOG_ERROR,   /* an operator must act */
    IIMG_LOG_WARNING, /* the request succeeded in part */
    IIMG_LOG_INFO,    /* start, stop, versions */
    IIMG_LOG_DEBUG,   /* decisions, every 4xx, the time of each step */
    IIMG_LOG_TRACE    /* upstream traffic without bodies */
} iimg_log_level_t;

/** The destination of log lines: httpd's error log, stderr, or a test's memory. */
typedef struct iimg_log_sink_t {
    bool (*enabled)(void *baton, iimg_log_level_t level);
    void (*write)(void *baton, const char *file, int line, iimg_log_level_t level,
                  const char *text);
    void *baton;
} iimg_log_sink_t;

/** Log a line (printf style). Warnings and errors begin with a tag: "IIMG0001: ...". */
#define iimg_log(context, level, ...) \
    iimg_log_write(context, __FILE__, __LINE__, level, __VA_ARGS__)

void iimg_log_write(const iimg_context_t *context, const char *file, int line,
                    iimg_log_level_t level, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Whether lines of this level are written. Check this before building an expensive line. */
bool iimg_log_enabled(const iimg_context_t *context, iimg_log_level_t level);

/** Start timing a step. @return a time for iimg_step_end, 0 when debug is off */
apr_time_t iimg_step_begin(const iimg_context_t *context);

/**
 * Log the duration of a step, at debug: "step sql iimg_reference_image_list 0.214 ms".
 * @param kind sql, derivatives, reference, inspect, poster, store, provider, serialize, body
 * @param what the statement's label or the key; or NULL
 */
void iimg_step_end(const iimg_context_t *context, apr_time_t began, const char *kind,
                   const char *what);

#endif
