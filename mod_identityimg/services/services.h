/* services.h - everything outside the database that functions work with, as configured. */
#ifndef IIMG_SERVICES_H
#define IIMG_SERVICES_H

#include "services/generator.h"
#include "services/image.h"
#include "services/media_url.h"
#include "services/storage.h"

/** Read-only after start; shared by all threads. */
typedef struct iimg_services_t {
    iimg_storage_t storage;
    const iimg_media_t *media;                      /* signs URLs of stored objects */
    iimg_image_settings_t pictures;                 /* how they are decoded */
    const iimg_generator_t *generator;
    iimg_generator_settings_t generator_settings;
    const char *model;                              /* asked for when the client names none */
    const char *const *models;                      /* names that clients may choose; NULL at the end */
    const char *aspect_ratio, *resolution;          /* of requests that name none */
    int reference_side;                             /* most pixels of a reference that goes out */
    apr_size_t max_object;                          /* bytes of a stored picture we read back */
    const char *owner;                              /* this node and process, in the jobs it runs */
} iimg_services_t;

#endif
