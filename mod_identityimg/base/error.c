/* error.c - make and amend errors. */
#include "base/error.h"

#include <stdarg.h>
#include <apr_strings.h>

iimg_error_t *iimg_error_make(apr_pool_t *pool, iimg_error_kind_t kind, const char *file, int line,
                              const char *message, ...)
{
    iimg_error_t *err = apr_pcalloc(pool, sizeof(*err));
    va_list args;

    va_start(args, message);
    err->message = apr_pvsprintf(pool, message, args);
    va_end(args);
    err->kind = kind;
    err->file = file;
    err->line = line;
    err->pool = pool;
    return err;
}

iimg_error_t *iimg_error_detail(iimg_error_t *err, const char *detail, ...)
{
    va_list args;

    va_start(args, detail);
    err->detail = apr_pvsprintf(err->pool, detail, args);
    va_end(args);
    return err;
}

iimg_error_t *iimg_error_field(iimg_error_t *err, const char *field)
{
    err->field = apr_pstrdup(err->pool, field);
    return err;
}

iimg_error_t *iimg_error_join(iimg_error_t *first, iimg_error_t *second)
{
    iimg_error_t *last = first;

    if (!first) {
        return second;
    }
    if (!second || !first->field || !second->field) {
        return first;
    }
    while (last->more) {
        last = last->more;
    }
    last->more = second;
    return first;
}

iimg_error_t *iimg_error_code(iimg_error_t *err, const char *code)
{
    err->code = code;
    return err;
}

iimg_error_t *iimg_error_retry(iimg_error_t *err, int seconds)
{
    err->retry_after = seconds;
    return err;
}
