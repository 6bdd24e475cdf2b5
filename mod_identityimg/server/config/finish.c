/* finish.c - completes a server's configuration: defaults, secrets, services. */
#include "server/config/finish.h"

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

#define MAX_OBJECT  (128 * 1024 * 1024)
#define MAX_WORKERS 128

static const char *finish_media(apr_pool_t *pool, apr_pool_t *temporary, iimg_config_t *config)
{
    const char *text, *problem;

    if (!config->secret_file) {
        return "IdentityImgSecretFile: is missing; name a file with one line, \"1 <64 hexadecimal "
               "digits>\", readable only by its owner";
    }
    problem = iimg_private_file_read(temporary, config->secret_file, &text);
    if (!problem) {
        config->services.media = iimg_media_create(pool, text, config->media_path,
                                                   config->media_expiry, &problem);
    }
    if (problem) {
        return apr_psprintf(pool, "IdentityImgSecretFile: \"%s\" %s", config->secret_file, problem);
    }
    return NULL;
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
    if (problem) {
        return problem;
    }
    if (storage->driver->path && strcmp(config->media, "public") == 0) {
        return apr_psprintf(pool,
                            "IdentityImgMedia: public needs a store that serves pictures itself, "
                            "which IdentityImgStorage %s does not; set signed",
                            config->storage);
    }
    return storage->driver->check(pool, storage);
}

/* The socket is set when the worker starts. */
static const char *finish_pictures(apr_pool_t *pool, iimg_config_t *config)
{
    iimg_image_settings_t *pictures = &config->services.pictures;

    if (access(config->worker_program, X_OK) != 0) {
        return apr_psprintf(
            pool,
            "IdentityImgWorkerProgram: \"%s\" cannot be run: %s; name the installed "
            "identityimg-worker",
            config->worker_program, strerror(errno));
    }
    if (config->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        config->workers = cores < 1 ? 1 : cores > MAX_WORKERS ? MAX_WORKERS : (int)cores;
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
    services->max_object = MAX_OBJECT;
    services->owner = ""; /* each child sets its own */
    finish_limits(config);
    problem = finish_media(pool, temporary, config);
    if (problem) {
        return problem;
    }
    problem = finish_storage(pool, config);
    if (problem) {
        return problem;
    }
    problem = finish_pictures(pool, config);
    if (problem) {
        return problem;
    }
    problem = iimg_config_gemini_finish(pool, temporary, config);
    if (problem) {
        return problem;
    }
    return iimg_config_spool_check(pool, config);
}
