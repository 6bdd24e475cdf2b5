/* generator.h - what makes a picture from references and a prompt; drivers by name. */
#ifndef IIMG_SERVICES_GENERATOR_GENERATOR_H
#define IIMG_SERVICES_GENERATOR_GENERATOR_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/error.h"

/** One reference as it goes out: upright sRGB JPEG, bounded in size, never the original. */
typedef struct iimg_generator_reference_t {
    const char *data;
    apr_size_t length;
    const char *media_type; /* by its bytes */
    const char *base64;     /* the same in base64, or NULL */
    apr_size_t base64_length;
} iimg_generator_reference_t;

typedef struct iimg_generator_request_t {
    const char *prompt;        /* the rendered text, UTF-8 */
    const char *identity_name; /* words for generators that do not read prompts */
    const char *identity_category;
    const char *i_am_statement; /* may be NULL */
    const char *visualization;  /* may be NULL */
    const char *model;          /* "gemini-3-pro-image" */
    const char *aspect_ratio;   /* "16:9" */
    const char *resolution;     /* "1K", "2K", "4K" */
    int width, height;          /* pixels that ratio and resolution mean (iimg_generator_size) */
    const iimg_generator_reference_t *references;
    int reference_count; /* 1 or more */
} iimg_generator_request_t;

/**
 * What came of it. A failure may have one too: without a picture, with what is known of its cost.
 */
typedef struct iimg_generator_result_t {
    const char *data; /* the picture's bytes as they came; NULL: there is none */
    apr_size_t length;
    struct iimg_spool_t *spool;   /* that has them and nothing else; NULL: memory does */
    const char *usage;            /* provider's token counts as JSON text, or NULL */
    const char *cost;             /* US dollars as decimal text; NULL: unknown */
    const char *model;            /* the model that says it answered, or NULL */
    const char *text;             /* words the provider sent beside the picture, or NULL */
    apr_array_header_t *warnings; /* const char *: sentences for the admin; may be empty */
} iimg_generator_result_t;

/** What a picture costs; from the operator, who knows his contract. */
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
    bool gemini_store_by_project; /* let the Google project decide whether requests are stored; else
                                     each request says that it must not be */
    const char *proxy;            /* URL or NULL */
    bool allow_http;              /* plain http beyond loopback */
    int connect_timeout;          /* seconds */
    int timeout;                  /* seconds in all for one picture */
    apr_size_t max_response;      /* bytes of a reply */
    const char *spool_dir;        /* where replies and pictures are spooled; NULL: memory */
    int retries;                  /* most calls after the first that fails */
    const char *fallback_model;   /* asked when the wanted one is gone or overloaded; or NULL */
    const apr_array_header_t *prices; /* iimg_generator_price_t; NULL: none is known */
    struct iimg_breaker_t *breaker;   /* this process' memory of failures; NULL: none */
} iimg_generator_settings_t;

struct iimg_http_request_t;
struct iimg_http_response_t;

/**
 * A generation at a provider as steps, none of which waits: whoever runs them sends and sleeps.
 * They come in this order, in one thread at a time:
 *
 *     begin; prepare, (send), finish; when that failed: again, (wait), prepare, (send), finish;
 * ...; end
 */
typedef struct iimg_generator_steps_t {
    /** @return what the other steps are given; lives in context->pool, as request must */
    void *(*begin)(iimg_context_t *context, const iimg_generator_settings_t *settings,
                   const iimg_generator_request_t *request, apr_time_t now);
    /**
     * Build the next call.
     * @param pool owns what the call needs, the spool of its response too; finish's result does not
     *             need it
     */
    iimg_error_t *(*prepare)(iimg_context_t *context, apr_pool_t *pool, void *it, apr_time_t now,
                             struct iimg_http_request_t *http);
    /** Read what came of it: as iimg_generator_t.generate. */
    iimg_error_t *(*finish)(iimg_context_t *context, void *it,
                            const struct iimg_http_response_t *response, apr_time_t now,
                            iimg_generator_result_t **result);
    /** Whether another call may do better than the one that ended so. @param wait until then */
    bool (*again)(iimg_context_t *context, void *it, const iimg_error_t *err, apr_time_t now,
                  apr_interval_time_t *wait);
    /** Add what the whole has to say to the last call's result, which is made if there is none. */
    void (*end)(iimg_context_t *context, void *it, iimg_generator_result_t **result);
} iimg_generator_steps_t;

/** A kind of generator; services/generators.h has their list. */
typedef struct iimg_generator_t {
    const char *name;  /* in the configuration and in each job */
    const char *model; /* that its jobs name; NULL: the one that was asked for */
    bool billed;       /* a call may cost money */
    /**
     * Make one picture. Blocks; bounded by settings->timeout, with all its tries.
     * @param result on failure NULL, or what is known of what the failure cost
     * Errors: IIMG_REFUSED (the provider will not), IIMG_UPSTREAM (nonsense, no picture),
     * IIMG_UPSTREAM_TIMEOUT, IIMG_UNAVAILABLE (down, busy, key refused), IIMG_LIMITED (quota, with
     * the time to wait), IIMG_INTERNAL.
     * Each has a code: refused, no_image, timeout, provider_busy, provider_down, provider_key,
     * model_retired, provider_request, provider_reply, spool_down.
     */
    iimg_error_t *(*generate)(iimg_context_t *context, const iimg_generator_settings_t *settings,
                              const iimg_generator_request_t *request,
                              iimg_generator_result_t **result);
    const iimg_generator_steps_t *steps; /* the same without waiting; NULL: it waits for nobody */
} iimg_generator_t;

/** All aspect ratios and resolutions that some model takes, as they are listed; NULL at the end. */
extern const char *const iimg_aspect_ratios[];
extern const char *const iimg_resolutions[];

/**
 * The pixels that a ratio and a resolution mean (Google's table, the same for all models).
 * @return false when either is unknown
 */
bool iimg_generator_size(const char *aspect_ratio, const char *resolution, int *width, int *height);

#endif
