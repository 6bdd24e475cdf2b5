/* config.h - what operators say in conf files: directives, their ranges and defaults. */
#ifndef IIMG_SERVER_CONFIG_CONFIG_H
#define IIMG_SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <httpd.h>
#include <http_config.h>
#include "services/services.h"

extern module AP_MODULE_DECLARE_DATA identityimg_module;

/** park_requests besides on and off: park where the MPM can do it, without a message where it
 * cannot. */
#define IIMG_PARK_IF_POSSIBLE 2

/** A server's (virtual host's) configuration; read-only after start. */
typedef struct iimg_config_t {
    /* Directives. Numbers and flags: -1 is unset; texts: NULL is unset. */
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
    const char *aspect_ratio; /* of requests that name none */
    const char *resolution;
    const char *spool_dir;
    const char *proxy;
    const char *worker_program;
    const char *derivative_format;
    apr_array_header_t *cors_origins;  /* const char *; NULL: none */
    apr_array_header_t *gemini_models; /* const char *: that requests may choose; NULL: none */
    apr_array_header_t *gemini_prices; /* iimg_generator_price_t; NULL: none */
    int media_expiry;                  /* seconds */
    int max_upload;                    /* bytes of a picture */
    int max_megapixels;                /* of everything but baseline JPEG */
    int max_megapixels_jpeg;           /* of baseline JPEG */
    int reference_side;                /* pixels */
    int gemini_timeout;                /* seconds */
    int gemini_connect_timeout;        /* seconds */
    int gemini_retries;                /* calls after the first */
    int gemini_breaker;                /* overloaded answers in a row; 0: never */
    int gemini_max_response;           /* bytes */
    int max_waiting;                   /* requests that wait for a generation, in a child */
    int park_requests;                 /* flag, or IIMG_PARK_IF_POSSIBLE */
    int max_parked;                    /* requests that wait without a thread, in a child; 0 until
                                          iimg_park_configure has found out */
    int engine_jobs;                   /* that a child runs at once */
    int engine_threads;                /* of a child */
    int engine_memory;                 /* megabytes of photos that they hold */
    int generation_queue;              /* that wait their turn; 0: they are refused */
    int generation_attempts;           /* begun, while processes die */
    int generations_at_once;           /* of all nodes; 0: any number */
    int generations_per_user;          /* at once, of all nodes; 0: any number */
    int generations_per_day;           /* of a user; 0: any number */
    const char *generation_budget;     /* dollars in 24 hours; "0": any amount */
    const char *generation_cost;       /* dollars of a picture whose cost is unknown */
    int database_connections;          /* at once in a child; 0: as many as DBDMax */
    int database_wait;                 /* milliseconds in front of the pool */
    int database_timeout;              /* seconds a statement */
    int basic_cache;                   /* seconds */
    int session_age;                   /* seconds */
    int token_age;                     /* seconds */
    int login_failures;                /* of an account, from an address */
    int login_window;                  /* seconds in which they count */
    int sweep_interval;                /* seconds */
    int workers;                       /* pictures decoded at once; 0: as many as there are cores */
    int worker_wait;                   /* seconds for a turn */
    int worker_timeout;                /* seconds for a picture */
    int derivative_quality;            /* 30-100 */
    int s3_connect_timeout;            /* seconds */
    int s3_timeout;                    /* seconds */
    int s3_machine;                    /* flag */
    int prepare;                       /* flag */
    int allow_insecure;                /* flag */

    bool enabled;             /* some Location here has IdentityImg on */
    iimg_services_t services; /* made of the above by iimg_config_finish */
} iimg_config_t;

/** What a Location is for. */
typedef enum {
    IIMG_LOCATION_UNSET,
    IIMG_LOCATION_OFF,
    IIMG_LOCATION_API,   /* the API answers here */
    IIMG_LOCATION_ERRORS /* ErrorDocuments lead here */
} iimg_location_use_t;

/** A Location's configuration. */
typedef struct iimg_location_t {
    iimg_location_use_t use;
    const char *base; /* the Location's path, no slash at its end */
} iimg_location_t;

extern const command_rec iimg_config_commands[];

void *iimg_config_create(apr_pool_t *pool, server_rec *server);
void *iimg_config_merge(apr_pool_t *pool, void *base, void *add);
void *iimg_location_create(apr_pool_t *pool, char *path);
void *iimg_location_merge(apr_pool_t *pool, void *base, void *add);

/**
 * Fill in defaults, read secrets and build the services of one server, before children start.
 * @return NULL, or a sentence that begins with the directive to mend
 */
const char *iimg_config_finish(apr_pool_t *pool, apr_pool_t *temporary, iimg_config_t *config);

iimg_config_t *iimg_config_of(const server_rec *server);
const iimg_location_t *iimg_location_of(const request_rec *r);

#endif
