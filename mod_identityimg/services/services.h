/* services.h - the configured services that functions use: store, pictures, generator, URLs. */
#ifndef IIMG_SERVICES_SERVICES_H
#define IIMG_SERVICES_SERVICES_H

#include "services/gemini/model.h"
#include "services/generator/generator.h"
#include "services/pictures/image.h"
#include "services/media_url.h"
#include "services/storage/storage.h"

/** Limits of generations on all nodes together. */
typedef struct iimg_generation_limits_t {
    int at_once;          /* 0: no limit */
    int at_once_per_user; /* 0: no limit */
    int queue;            /* most queued ones; 0: others than at_once are refused */
    int per_day_per_user; /* in 24 hours; 0: no limit */
    const char *budget;   /* dollars in 24 hours; NULL: no limit */
    const char *cost;     /* dollars that a picture of unknown cost counts as */
} iimg_generation_limits_t;

/** Read-only after start; shared by all threads. */
typedef struct iimg_services_t {
    iimg_storage_t storage;
    const iimg_media_t *media;      /* signs URLs of stored objects */
    iimg_image_settings_t pictures; /* how to decode them */
    const iimg_generator_t *generator;
    iimg_generator_settings_t generator_settings;
    iimg_generation_limits_t generation_limits;
    const char *model;                         /* the default of requests */
    const char *const *models;                 /* names that clients may choose; NULL at the end */
    const char *const *offered_models;         /* models without retired names, for options */
    const char *aspect_ratio, *resolution;     /* defaults of requests */
    int reference_side;                        /* most pixels of a reference's longer side */
    struct iimg_memo_t *urls;                  /* cached URLs of this process; NULL: none */
    struct iimg_reference_cache_t *references; /* of this process; NULL: no cache */
    apr_size_t max_object;                     /* most bytes of a stored picture that is read */
    const char *owner;                         /* this node and process, recorded in its jobs */
} iimg_services_t;

#endif
