/* log.c - write log lines through the sink of the context. */
#include "base/log.h"

#include <stdarg.h>
#include <apr_strings.h>
#include "base/trace_context.h"

bool iimg_log_enabled(const iimg_context_t *context, iimg_log_level_t level)
{
    return context->log && context->log->enabled(context->log->baton, level);
}

void iimg_log_write(const iimg_context_t *context, const char *file, int line,
                    iimg_log_level_t level, const char *format, ...)
{
    char text[4096]; /* httpd truncates lines at 8 kB */
    const char *trace = context->trace ? context->trace + IIMG_TRACE_ID_OFFSET : NULL;
    va_list args;

    if (!iimg_log_enabled(context, level)) {
        return;
    }
    va_start(args, format);
    apr_vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    context->log->write(context->log->baton, file, line, level,
                        apr_psprintf(context->pool, "%s (request %s%s%.*s)", text,
                                     context->request_id, trace ? ", trace " : "",
                                     IIMG_TRACE_ID_LENGTH, trace ? trace : ""));
}

apr_time_t iimg_step_begin(const iimg_context_t *context)
{
    return iimg_log_enabled(context, IIMG_LOG_DEBUG) ? apr_time_now() : 0;
}

void iimg_step_end(const iimg_context_t *context, apr_time_t began, const char *kind,
                   const char *what)
{
    if (began) {
        iimg_log(context, IIMG_LOG_DEBUG, "step %s%s%s %.3f ms", kind, what ? " " : "",
                 what ? what : "", (double)(apr_time_now() - began) / 1000.0);
    }
}
