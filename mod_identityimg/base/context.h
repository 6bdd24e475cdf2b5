/* context.h - the environment of a unit of work: memory, database, services, log, caller. */
#ifndef IIMG_BASE_CONTEXT_H
#define IIMG_BASE_CONTEXT_H

#include <stdbool.h>
#include <apr_pools.h>

struct iimg_db_t;
struct iimg_db_connection_t;
struct iimg_log_sink_t;
struct iimg_services_t;
struct iimg_caller_t;
struct iimg_idempotency_key_t;

/** A unit of work: a request or a background job. Belongs to one thread at a time. */
typedef struct iimg_context_t {
    apr_pool_t *pool;                        /* lives as long as the work */
    const char *request_id;                  /* in each log line; never NULL */
    const struct iimg_log_sink_t *log;       /* where log lines go */
    const struct iimg_db_t *db;              /* lends database connections */
    struct iimg_db_connection_t *connection; /* currently borrowed, or NULL */
    const struct iimg_services_t *services;  /* storage, generator, pictures, URLs */
    const char *login;                       /* the caller's email, from httpd; or NULL */
    const char *login_proof;                 /* the proof of the login, which must still be
                                                valid (models/user.h); or NULL */
    const char *login_token;                 /* hash of the token of a login by token, or NULL */
    const struct iimg_caller_t *caller;      /* the row of the login once read, or NULL */
    const struct iimg_idempotency_key_t *idempotency; /* the key that this work holds, or NULL */
    const char *if_match;                             /* If-Match: versions to change; NULL: any */
    const char *trace;                                /* traceparent of the request, or NULL */
    const char *base_url;                             /* "https://host[:port]" of absolute URLs */
    bool lost_commit; /* the result of a COMMIT is unknown: it may have succeeded */
} iimg_context_t;

#endif
