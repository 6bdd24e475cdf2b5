/* error.h - the one error type: what went wrong, for the client and for the log. */
#ifndef IIMG_BASE_ERROR_H
#define IIMG_BASE_ERROR_H

#include <stdbool.h>
#include <apr_pools.h>

/** What kind of failure this is; server/http/response.c has the HTTP status of each in a table. */
typedef enum {
    IIMG_INVALID,          /* the client's input is wrong: 400 */
    IIMG_UNAUTHENTICATED,  /* no or wrong credentials: 401 */
    IIMG_FORBIDDEN,        /* known, but may not: 403 */
    IIMG_NOT_FOUND,        /* no such thing, or not the caller's: 404 */
    IIMG_METHOD,           /* the path exists, the method does not: 405 */
    IIMG_TIMEOUT,          /* the client stopped sending: 408 */
    IIMG_CONFLICT,         /* the state forbids it: 409 */
    IIMG_GONE,             /* what a replayed request made is deleted: 410 */
    IIMG_PRECONDITION,     /* If-Match names another version: 412 */
    IIMG_TOO_LARGE,        /* over a limit of ours: 413 */
    IIMG_UNSUPPORTED_TYPE, /* a content type the route does not take: 415 */
    IIMG_REFUSED,          /* the provider refused the picture: 422 */
    IIMG_LIMITED,          /* over a rate or budget: 429 */
    IIMG_INTERNAL,         /* our bug: 500 */
    IIMG_UPSTREAM,         /* the provider answered nonsense, or no picture: 502 */
    IIMG_UNAVAILABLE,      /* a backend is down or busy: 503 */
    IIMG_BUSY,             /* as much as the operator allows is under way here: 503 */
    IIMG_NOT_READY,        /* this process should not be sent work now: 503 */
    IIMG_UPSTREAM_TIMEOUT, /* the provider did not answer in time: 504 */
    IIMG_HTTP              /* httpd decided already: the status is in http_status */
} iimg_error_kind_t;

/** What may be done about a provider's call that failed. */
typedef enum {
    IIMG_AGAIN_NO,   /* another call would end the same way */
    IIMG_AGAIN_FREE, /* another call may do better, and this one was not paid for */
    IIMG_AGAIN_PAID  /* the same, but both may have to be paid for */
} iimg_again_t;

typedef struct iimg_error_t {
    iimg_error_kind_t kind;    /* decides status and default code */
    const char *message;       /* for the client: a sentence, plain words, no secret */
    const char *detail;        /* for the log: what the library said; or NULL */
    const char *code;          /* stable name for clients ("max_images"); NULL: the kind's own */
    const char *field;         /* the input field at fault, or NULL */
    struct iimg_error_t *more; /* what is wrong with further fields, or NULL; see iimg_error_join */
    const char *sqlstate;      /* PostgreSQL's five characters, or NULL */
    const char *constraint;    /* the violated constraint's name, or NULL */
    const char *tag;           /* "IIMG0001"; NULL: the kind's own */
    const char *allow;         /* IIMG_METHOD: value of the Allow header */
    int retry_after;           /* seconds, 0: the kind's default */
    int http_status;           /* IIMG_HTTP: what the handler returns; else, if not 0, in place of
                                * the kind's status */
    iimg_again_t again;        /* a provider's failure: whether another call is worth it */
    bool one_object;           /* a store's failure: it says nothing about other objects */
    const char *billed;        /* a provider's failure: "t", "f", or NULL when only it knows */
    const char *file;          /* where it was made */
    int line;
    apr_pool_t *pool; /* owns everything here */
} iimg_error_t;

/**
 * Make an error. `message` (printf style) is the sentence the client reads.
 * @return the error, allocated from pool; never NULL
 */
#define iimg_error(pool, kind, ...) iimg_error_make(pool, kind, __FILE__, __LINE__, __VA_ARGS__)

iimg_error_t *iimg_error_make(apr_pool_t *pool, iimg_error_kind_t kind, const char *file, int line,
                              const char *message, ...) __attribute__((format(printf, 5, 6)));

/** Add what a library said, for the log only (printf style). @return err itself */
iimg_error_t *iimg_error_detail(iimg_error_t *err, const char *detail, ...)
    __attribute__((format(printf, 2, 3)));

/** Name the input field at fault: the answer gets an "errors" member. @return err itself */
iimg_error_t *iimg_error_field(iimg_error_t *err, const char *field);

/**
 * Report invalid fields in one error: the first error supplies "detail" and "code", and the fields
 * of both go into "errors". Both may be NULL.
 * @return the first; the second when there is no first. A second that names no field is dropped.
 */
iimg_error_t *iimg_error_join(iimg_error_t *first, iimg_error_t *second);

/** Set the stable code; `code` must be a literal or live as long as err. @return err itself */
iimg_error_t *iimg_error_code(iimg_error_t *err, const char *code);

/** Set Retry-After in seconds. @return err itself */
iimg_error_t *iimg_error_retry(iimg_error_t *err, int seconds);

#endif
