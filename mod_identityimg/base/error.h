/* error.h - the error type of all functions that can fail: text for the client and for the log. */
#ifndef IIMG_BASE_ERROR_H
#define IIMG_BASE_ERROR_H

#include <stdbool.h>
#include <apr_pools.h>

/** The kind of failure. server/http/response.c maps each kind to an HTTP status. */
typedef enum {
    IIMG_INVALID,          /* the client's input is wrong: 400 */
    IIMG_UNAUTHENTICATED,  /* missing or wrong credentials: 401 */
    IIMG_FORBIDDEN,        /* the caller lacks the permission: 403 */
    IIMG_NOT_FOUND,        /* does not exist, or belongs to another user: 404 */
    IIMG_METHOD,           /* the path exists, the method does not: 405 */
    IIMG_TIMEOUT,          /* the client stopped sending: 408 */
    IIMG_CONFLICT,         /* not possible in the current state: 409 */
    IIMG_GONE,             /* the result of a replayed request was deleted: 410 */
    IIMG_PRECONDITION,     /* If-Match names another version: 412 */
    IIMG_TOO_LARGE,        /* the body or picture exceeds a limit: 413 */
    IIMG_UNSUPPORTED_TYPE, /* the route does not accept this content type: 415 */
    IIMG_REFUSED,          /* the provider refused the picture: 422 */
    IIMG_LIMITED,          /* a rate limit or budget is used up: 429 */
    IIMG_INTERNAL,         /* a bug in this module: 500 */
    IIMG_UPSTREAM,         /* the provider's reply is invalid or has no picture: 502 */
    IIMG_UNAVAILABLE,      /* a backend is down or busy: 503 */
    IIMG_BUSY,             /* a configured limit of concurrent work is reached: 503 */
    IIMG_NOT_READY,        /* this process should get no requests now: 503 */
    IIMG_UPSTREAM_TIMEOUT, /* the provider did not respond in time: 504 */
    IIMG_HTTP              /* httpd chose the status: see http_status */
} iimg_error_kind_t;

/** Whether a failed call to the provider is worth a retry. */
typedef enum {
    IIMG_AGAIN_NO,   /* a retry would fail, too */
    IIMG_AGAIN_FREE, /* a retry may succeed; the failed call was not billed */
    IIMG_AGAIN_PAID  /* a retry may succeed; both calls may be billed */
} iimg_again_t;

typedef struct iimg_error_t {
    iimg_error_kind_t kind;    /* decides status and default code */
    const char *message;       /* for the client: a plain sentence without secrets */
    const char *detail;        /* for the log: the library's message; or NULL */
    const char *code;          /* stable name for clients ("max_images"); NULL: the kind's own */
    const char *field;         /* the input field at fault, or NULL */
    struct iimg_error_t *more; /* the next invalid field, or NULL; see iimg_error_join */
    const char *sqlstate;      /* PostgreSQL's five characters, or NULL */
    const char *constraint;    /* the violated constraint's name, or NULL */
    const char *tag;           /* "IIMG0001"; NULL: the kind's own */
    const char *allow;         /* IIMG_METHOD: value of the Allow header */
    int retry_after;           /* seconds, 0: the kind's default */
    int http_status;           /* IIMG_HTTP: what the handler returns; otherwise, if not 0, replaces
                                * the kind's status */
    iimg_again_t again;        /* the provider failed: whether to retry */
    bool one_object;           /* a store failed for this object only */
    const char *billed;        /* the provider failed: "t" or "f"; NULL: unknown */
    const char *file;          /* source line that made the error */
    int line;
    apr_pool_t *pool; /* owns everything here */
} iimg_error_t;

/*
 * Make an error with one call:
 *
 *   iimg_error(pool, IIMG_NOT_FOUND, "Not found.")
 *   iimg_error_with_code(pool, IIMG_CONFLICT, "job_finished", "The job has %s.", state)
 *   iimg_error_invalid_field(pool, "order", "order_range", "Order must be below %d", slots)
 *   iimg_error_with_detail(pool, IIMG_UNAVAILABLE, "store_down", "The store is not available.",
 *                          "%s: %s", path, strerror(errno))
 *   iimg_error_internal(pool, "OpenSSL made no digest")
 *
 * Each returns an error that is allocated from pool, never NULL. A code must be a literal or live
 * as long as the error; NULL stands for the kind's own code.
 */

/** Make an error of a kind. The message (printf style) is the sentence that the client reads. */
#define iimg_error(pool, kind, ...) iimg_error_make(pool, kind, __FILE__, __LINE__, __VA_ARGS__)

/** Make an error with a stable code, then the message (printf style). */
#define iimg_error_with_code(pool, kind, code, ...) \
    iimg_error_code(iimg_error(pool, kind, __VA_ARGS__), code)

/** Make an IIMG_INVALID error that names an input field: field, code, message (printf style). */
#define iimg_error_invalid_field(pool, field, code, ...) \
    iimg_error_field(iimg_error_with_code(pool, IIMG_INVALID, code, __VA_ARGS__), field)

/** Make an error with text for the log: code, a message as it stands, detail (printf style). */
#define iimg_error_with_detail(pool, kind, code, message, ...) \
    iimg_error_detail(iimg_error_with_code(pool, kind, code, "%s", message), __VA_ARGS__)

/** Make an IIMG_INTERNAL error; only the log shows the detail (printf style). */
#define iimg_error_internal(pool, ...) \
    iimg_error_with_detail(pool, IIMG_INTERNAL, NULL, "Internal server error", __VA_ARGS__)

iimg_error_t *iimg_error_make(apr_pool_t *pool, iimg_error_kind_t kind, const char *file, int line,
                              const char *message, ...) __attribute__((format(printf, 5, 6)));

/* The functions below change an error that exists, and return it. */

/** Set the text for the log, such as a library's message (printf style). */
iimg_error_t *iimg_error_detail(iimg_error_t *err, const char *detail, ...)
    __attribute__((format(printf, 2, 3)));

/** Name the input field at fault: the response gets an "errors" member. */
iimg_error_t *iimg_error_field(iimg_error_t *err, const char *field);

/**
 * Report several invalid fields in one error: the first error supplies "detail" and "code", and the
 * fields of both go into "errors". Either may be NULL. A second error without a field is dropped.
 * @return the first error, or the second when the first is NULL
 */
iimg_error_t *iimg_error_join(iimg_error_t *first, iimg_error_t *second);

/** Set the stable code. */
iimg_error_t *iimg_error_code(iimg_error_t *err, const char *code);

/** Set Retry-After in seconds. */
iimg_error_t *iimg_error_retry(iimg_error_t *err, int seconds);

#endif
