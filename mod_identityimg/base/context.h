/* context.h - what every step of a piece of work is given: memory, database, services, log, caller.
 */
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

/** One piece of work: a request, or a job in the background. Belongs to one thread. */
typedef struct iimg_context_t {
    apr_pool_t *pool;                        /* lives as long as the work */
    const char *request_id;                  /* in each log line; never NULL */
    const struct iimg_log_sink_t *log;       /* where log lines go */
    const struct iimg_db_t *db;              /* lends database connections */
    struct iimg_db_connection_t *connection; /* the one borrowed now, or NULL */
    const struct iimg_services_t *services;  /* storage, generator, pictures, URLs */
    const char *login;                       /* who httpd says is calling (an email), or NULL */
    const char *login_proof;                 /* what the login was verified against and that
                                                must still hold (models/user.h), or NULL */
    const char *login_token;                 /* hash of the token that the login came by, or
                                                NULL */
    const struct iimg_caller_t *caller;      /* the login's row, once looked up, or NULL */
    const struct iimg_idempotency_key_t *idempotency; /* the key that this work holds, or NULL */
    const char *if_match;                             /* versions that may be changed; NULL: any */
    const char *trace;                                /* traceparent of the request, or NULL */
    const char *base_url;                             /* "https://host[:port]" of absolute URLs */
    bool lost_commit; /* a COMMIT's answer was lost: it may have happened */
} iimg_context_t;

#endif
