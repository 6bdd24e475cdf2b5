/* config.h - the configuration of a server and of a <Location>, as directives set it. */
#ifndef IIMG_SERVER_CONFIG_CONFIG_H
#define IIMG_SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <httpd.h>
#include <http_config.h>
#include "services/services.h"

extern module AP_MODULE_DECLARE_DATA identityimg_module;

/** A third value of park_requests: park if the MPM can, without a warning if it cannot. */
#define IIMG_PARK_IF_POSSIBLE 2

/** A server's (virtual host's) configuration; read-only after start. */
typedef struct iimg_config_t {
    /* Directives. Unset: -1 for numbers and flags, NULL for texts. */
    const char *base_url;
    const char *secret_file;
    const char *media_path;
    const char *storage;
    const char *storage_root;
    const char *media; /* "signed", "public" */
    const char *public_url;
    const char *s3_endpoint;
    const char *s3_bucket;
    const char *s3_region;
    const char *s3_addressing;
    const char *s3_prefix;
    const char *s3_credentials_file;
    const char *s3_ca_file;
    const char *s3_encryption;
    const char *s3_kms_key;
    const char *generator;
    const char *gemini_key_file;
    const char *gemini_endpoint;
    const char *gemini_version;
    const char *gemini_model;
    const char *gemini_fallback_model;
    const char *gemini_store; /* "off", "project" */
    const char *aspect_ratio; /* default for requests */
    const char *resolution;
    const char *spool_dir;
    const char *proxy;
    const char *worker_program;
    const char *derivative_format;
    apr_array_header_t *cors_origins;  /* const char *; NULL: none */
    apr_array_header_t *gemini_models; /* const char *: that requests may name; NULL: none */
    apr_array_header_t *gemini_prices; /* iimg_generator_price_t; NULL: none */
    int media_expiry;                  /* seconds */
    int max_upload;                    /* bytes of a picture */
    int max_megapixels;                /* of pictures other than baseline JPEG */
    int max_megapixels_jpeg;           /* of baseline JPEG */
    int reference_side;                /* pixels */
    int gemini_timeout;                /* seconds */
    int gemini_connect_timeout;        /* seconds */
    int gemini_retries;                /* calls after the first */
    int gemini_breaker;                /* consecutive failures; 0: never open */
    int gemini_max_response;           /* bytes */
    int max_waiting;                   /* waiting requests with a thread, of a child */
    int park_requests;                 /* flag, or IIMG_PARK_IF_POSSIBLE */
    int max_parked;                    /* parked requests, of a child; 0 until iimg_park_configure
                                          has computed it */
    int engine_jobs;                   /* that a child runs concurrently */
    int engine_threads;                /* of a child */
    int engine_memory;                 /* megabytes of photos */
    int generation_queue;              /* queued jobs; 0: refuse them */
    int generation_attempts;           /* before a job whose process died is given up */
    int generations_at_once;           /* of all nodes; 0: no limit */
    int generations_per_user;          /* concurrent, of all nodes; 0: no limit */
    int generations_per_day;           /* of a user; 0: no limit */
    const char *generation_budget;     /* dollars in 24 hours; "0": no limit */
    const char *generation_cost;       /* dollars, for a picture of unknown cost */
    int database_connections;          /* of a child; 0: DBDMax */
    int database_wait;                 /* milliseconds for a free connection */
    int database_timeout;              /* seconds for a statement */
    int basic_cache;                   /* seconds */
    int session_age;                   /* seconds */
    int token_age;                     /* seconds */
    int login_failures;                /* of an account from an address */
    int login_window;                  /* seconds until they expire */
    int sweep_interval;                /* seconds */
    int workers;                       /* pictures decoded concurrently; 0: one for each core */
    int worker_wait;                   /* seconds in the queue */
    int worker_timeout;                /* seconds to decode a picture */
    int derivative_quality;            /* 30-100 */
    int s3_connect_timeout;            /* seconds */
    int s3_timeout;                    /* seconds */
    int s3_machine;                    /* flag */
    int prepare;                       /* flag */
    int allow_insecure;                /* flag */

    bool enabled;             /* a <Location> of this server has IdentityImg on */
    iimg_services_t services; /* built by iimg_config_finish */
} iimg_config_t;

/** The use of a <Location>. */
typedef enum {
    IIMG_LOCATION_UNSET,
    IIMG_LOCATION_OFF,
    IIMG_LOCATION_API,   /* serves the API */
    IIMG_LOCATION_ERRORS /* serves ErrorDocuments */
} iimg_location_use_t;

/** The configuration of a <Location>. */
typedef struct iimg_location_t {
    iimg_location_use_t use;
    const char *base; /* its path, without a trailing slash */
} iimg_location_t;

/** httpd's functions for the configuration of a <Location>. */
void *iimg_location_create(apr_pool_t *pool, char *path);
void *iimg_location_merge(apr_pool_t *pool, void *base, void *add);

iimg_config_t *iimg_config_of(const server_rec *server);
const iimg_location_t *iimg_location_of(const request_rec *r);

#endif
