/* log.h - log lines from below server/, and the time each step took. */
#ifndef IIMG_BASE_LOG_H
#define IIMG_BASE_LOG_H

#include <stdbool.h>
#include <apr_time.h>
#include "base/context.h"

typedef enum {
    IIMG_LOG_ERROR,   /* the operator must act */
    IIMG_LOG_WARNING, /* served, but degraded */
    IIMG_LOG_INFO,    /* start, stop, versions */
    IIMG_LOG_DEBUG,   /* decisions, every 4xx, the time of each step */
    IIMG_LOG_TRACE    /* upstream traffic without bodies */
} iimg_log_level_t;

/** Where lines go: httpd's error log, a tool's stderr, or a test's memory. */
typedef struct iimg_log_sink_t {
    bool (*enabled)(void *baton, iimg_log_level_t level);
    void (*write)(void *baton, const char *file, int line, iimg_log_level_t level,
                  const char *text);
    void *baton;
} iimg_log_sink_t;

/** Log one line (printf style). From warning up it begins with a tag: "IIMG0001: ...". */
#define iimg_log(context, level, ...) \
    iimg_log_write(context, __FILE__, __LINE__, level, __VA_ARGS__)

void iimg_log_write(const iimg_context_t *context, const char *file, int line,
                    iimg_log_level_t level, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** Whether a line of this level would be written: ask before building a costly one. */
bool iimg_log_enabled(const iimg_context_t *context, iimg_log_level_t level);

/** Start timing a step. @return a time for iimg_step_end, 0 when debug is off */
apr_time_t iimg_step_begin(const iimg_context_t *context);

/**
 * Log how long a step took, at debug: "step sql iimg_reference_image_list 0.214 ms".
 * @param kind sql, derivatives, reference, inspect, poster, store, provider, serialize, body
 * @param what which one: a statement's label, a key; NULL for none
 */
void iimg_step_end(const iimg_context_t *context, apr_time_t began, const char *kind,
                   const char *what);

#endif
