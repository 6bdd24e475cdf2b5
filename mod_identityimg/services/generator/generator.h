/* generator.h - the interface of generators, which make a picture from references and a prompt. */
#ifndef IIMG_SERVICES_GENERATOR_GENERATOR_H
#define IIMG_SERVICES_GENERATOR_GENERATOR_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/error.h"

/** One reference as it is sent: upright sRGB JPEG, bounded in size, never the original. */
typedef struct iimg_generator_reference_t {
    const char *data;
    apr_size_t length;
    const char *media_type; /* from its first bytes */
    const char *base64;     /* data in base64, or NULL */
    apr_size_t base64_length;
} iimg_generator_reference_t;

typedef struct iimg_generator_request_t {
    const char *prompt;        /* the rendered text, UTF-8 */
    const char *identity_name; /* for generators that do not read prompts */
    const char *identity_category;
    const char *i_am_statement; /* may be NULL */
    const char *visualization;  /* may be NULL */
    const char *model;          /* "gemini-3-pro-image" */
    const char *aspect_ratio;   /* "16:9" */
    const char *resolution;     /* "1K", "2K", "4K" */
    int width, height;          /* pixels of that ratio and resolution (iimg_generator_size) */
    const iimg_generator_reference_t *references;
    int reference_count; /* 1 or more */
} iimg_generator_request_t;

/** The result of a generation. A failure may have one too: without a picture, with its cost. */
typedef struct iimg_generator_result_t {
    const char *data; /* the picture as the provider sent it; NULL: no picture */
    apr_size_t length;
    struct iimg_spool_t *spool;   /* the file that holds exactly data; NULL: data is in memory */
    const char *usage;            /* the provider's token counts as JSON text, or NULL */
    const char *cost;             /* US dollars as decimal text; NULL: unknown */
    const char *model;            /* the model that the provider names, or NULL */
    const char *text;             /* text that the provider sent beside the picture, or NULL */
    apr_array_header_t *warnings; /* const char *: sentences for staff; may be empty */
} iimg_generator_result_t;

/** The price of a picture, as configured by the operator. */
typedef struct iimg_generator_price_t {
    const char *model;
    const char *resolution;
    const char *usd; /* decimal text */
} iimg_generator_price_t;

struct iimg_breaker_t;

/** How to reach providers; from the configuration, read-only after start. */
typedef struct iimg_generator_settings_t {
    const char *gemini_key;       /* NULL: none. Never logged, never in an error */
    const char *gemini_endpoint;  /* "https://generativelanguage.googleapis.com"; may have a path */
    const char *gemini_version;   /* "v1beta" or "v1" */
    bool gemini_store_by_project; /* the Google project decides whether requests are stored; else
                                     each request asks not to be stored */
    const char *proxy;            /* URL or NULL */
    bool allow_http;              /* allow plain http to other machines */
    int connect_timeout;          /* seconds */
    int timeout;                  /* seconds for one picture, with all retries */
    apr_size_t max_response;      /* bytes of a reply */
    const char *spool_dir;        /* where replies and pictures are spooled; NULL: memory */
    int retries;                  /* most calls after the first */
    const char *fallback_model;   /* if the requested model is retired or overloaded; or NULL */
    const apr_array_header_t *prices; /* iimg_generator_price_t; NULL: none configured */
    struct iimg_breaker_t *breaker;   /* of this process; NULL: none */
} iimg_generator_settings_t;

struct iimg_http_request_t;
struct iimg_http_response_t;

/**
 * A generation as steps that never block. The caller sends requests and sleeps, and runs the steps
 * in one thread at a time:
 *
 *     begin
 *     do { prepare, send the request, finish } while (it failed and again, after the wait)
 *     end
 */
typedef struct iimg_generator_steps_t {
    /** @return the state, for the other steps; it and request live as long as context->pool */
    void *(*begin)(iimg_context_t *context, const iimg_generator_settings_t *settings,
                   const iimg_generator_request_t *request, apr_time_t now);
    /**
     * Build the request of the next call.
     * @param pool owns the request and the spool of its response; may end after finish
     */
    iimg_error_t *(*prepare)(iimg_context_t *context, apr_pool_t *pool, void *state, apr_time_t now,
                             struct iimg_http_request_t *http);
    /** Read the response: result and errors as iimg_generator_t.generate. */
    iimg_error_t *(*finish)(iimg_context_t *context, void *state,
                            const struct iimg_http_response_t *response, apr_time_t now,
                            iimg_generator_result_t **result);
    /** Decide whether to repeat a failed call. @param wait until the next call */
    bool (*again)(iimg_context_t *context, void *state, const iimg_error_t *err, apr_time_t now,
                  apr_interval_time_t *wait);
    /** Add warnings of the whole generation to the result, which is created if NULL. */
    void (*end)(iimg_context_t *context, void *state, iimg_generator_result_t **result);
} iimg_generator_steps_t;

/** A kind of generator; services/generators.h has their list. */
typedef struct iimg_generator_t {
    const char *name;  /* in the configuration and in each job */
    const char *model; /* recorded in its jobs; NULL: the requested one */
    bool billed;       /* a call may cost money */
    /**
     * Make one picture. Blocks for settings->timeout at most, retries included.
     * @param result on failure NULL, or the cost of the failure
     * Errors: IIMG_REFUSED (by the provider's policy), IIMG_UPSTREAM (invalid response, no
     * picture), IIMG_UPSTREAM_TIMEOUT, IIMG_UNAVAILABLE (down, busy, key refused), IIMG_LIMITED
     * (quota, with retry_after), IIMG_INTERNAL. Each has a code: refused, no_image, timeout,
     * provider_busy, provider_down, provider_key, model_retired, provider_request, provider_reply,
     * spool_down.
     */
    iimg_error_t *(*generate)(iimg_context_t *context, const iimg_generator_settings_t *settings,
                              const iimg_generator_request_t *request,
                              iimg_generator_result_t **result);
    const iimg_generator_steps_t *steps; /* without blocking; NULL: generate() asks no provider */
} iimg_generator_t;

/** Aspect ratios and resolutions that any model accepts, in display order; NULL at the end. */
extern const char *const iimg_aspect_ratios[];
extern const char *const iimg_resolutions[];

/**
 * Look up the pixels of a ratio and a resolution in Google's table, which holds for all models.
 * @return false if either is unknown
 */
bool iimg_generator_size(const char *aspect_ratio, const char *resolution, int *width, int *height);

#endif
