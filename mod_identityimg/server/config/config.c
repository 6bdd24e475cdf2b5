/* config.c - what operators say in conf files, and the services that are made of it. */
#include "server/config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <apr_strings.h>
#include "base/private_file.h"
#include "server/config/gemini.h"
#include "server/config/s3.h"
#include "server/config/settings.h"
#include "server/config/spool.h"

void *iimg_location_create(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(iimg_location_t));
}

/* Of the Locations around a request the innermost one counts, wherever it stands: "off" for "/"
 * does not end the API below "/api/v1". Of two for the same path the later one counts. */
void *iimg_location_merge(apr_pool_t *pool, void *base_, void *add_)
{
    iimg_location_t *base = base_, *add = add_;

    (void)pool;
    if (add->use == IIMG_LOCATION_UNSET) {
        return base;
    }
    return base->use != IIMG_LOCATION_UNSET && strlen(base->base) > strlen(add->base) ? base : add;
}

/* Finish -------------------------------------------------------------------------------------- */

static const char *finish_media(apr_pool_t *pool, apr_pool_t *temporary, iimg_config_t *config)
{
    const char *text, *problem;

    if (!config->secret_file) {
        return "IdentityImgSecretFile: is missing; name a file with one line, \"1 <64 hexadecimal "
               "digits>\", readable by its owner alone";
    }
    problem = iimg_private_file_read(temporary, config->secret_file, &text);
    if (!problem) {
        config->services.media = iimg_media_create(pool, text, config->media_path,
                                                   config->media_expiry, &problem);
    }
    return problem ? apr_psprintf(pool, "IdentityImgSecretFile: \"%s\" %s", config->secret_file,
                                  problem)
                   : NULL;
}

static void finish_limits(iimg_config_t *config)
{
    config->services.generation_limits = (iimg_generation_limits_t){
        config->generations_at_once,
        config->generations_per_user,
        config->generation_queue,
        config->generations_per_day,
        atof(config->generation_budget) > 0 ? config->generation_budget : NULL,
        config->generation_cost
    };
}

static const char *finish_storage(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_storage_t *storage = &config->services.storage;
    const char *problem;

    storage->driver = iimg_storage_by_name(config->storage);
    storage->root = config->storage_root;
    problem = iimg_config_s3_finish(pool, config);
    if (!problem && storage->driver->path && strcmp(config->media, "public") == 0) {
        problem = apr_psprintf(pool,
                               "IdentityImgMedia: public is for stores that serve pictures "
                               "themselves, not for the storage \"%s\"",
                               config->storage);
    }
    return problem ? problem : storage->driver->check(pool, storage);
}

/* How pictures are decoded; the socket is known when there is a worker. */
static const char *finish_pictures(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_image_settings_t *pictures = &config->services.pictures;

    if (access(config->worker_program, X_OK) != 0) {
        return apr_psprintf(pool, "IdentityImgWorkerProgram: \"%s\" cannot be run: %s",
                            config->worker_program, strerror(errno));
    }
    if (config->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        config->workers = cores < 1 ? 1 : cores > 128 ? 128 : (int)cores;
    }
    pictures->limits.max_pixels = (apr_size_t)config->max_megapixels * 1000000;
    pictures->limits.max_pixels_jpeg = (apr_size_t)config->max_megapixels_jpeg * 1000000;
    pictures->derivative_format = strcmp(config->derivative_format, "webp") == 0 ? IIMG_FORMAT_WEBP
                                                                                 : IIMG_FORMAT_JPEG;
    pictures->derivative_quality = config->derivative_quality;
    pictures->worker = (iimg_picture_worker_t){ -1, config->worker_wait * 1000,
                                                config->worker_timeout * 1000 };
    return NULL;
}

const char *iimg_config_finish(apr_pool_t *pool, apr_pool_t *temporary, iimg_config_t *config)
{
    iimg_services_t *services = &config->services;
    const char *problem;

    iimg_config_fill_defaults(config);
    if (!config->enabled) {
        return NULL;
    }
    services->reference_side = config->reference_side;
    services->max_object = 128 * 1024 * 1024;
    services->owner = ""; /* each child names itself */
    finish_limits(config);
    problem = finish_media(pool, temporary, config);
    if (!problem) {
        problem = finish_storage(pool, config);
    }
    if (!problem) {
        problem = finish_pictures(pool, config);
    }
    if (!problem) {
        problem = iimg_config_gemini_finish(pool, temporary, config);
    }
    return problem ? problem : iimg_config_spool_check(pool, config);
}

/* Looking up ---------------------------------------------------------------------------------- */

iimg_config_t *iimg_config_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &identityimg_module);
}

const iimg_location_t *iimg_location_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &identityimg_module);
}
