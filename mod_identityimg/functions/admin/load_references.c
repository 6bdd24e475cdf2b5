/* load_references.c - load photos in the form that is sent to a generator. */
#include "functions/admin/admin.h"

#include <apr_strings.h>
#include "base/log.h"
#include "services/reference_cache.h"

static void skip_reference(iimg_context_t *context, const char *id, const iimg_error_t *err,
                           iimg_loaded_references_t *loaded)
{
    const char *sentence = apr_psprintf(context->pool,
                                        "Reference image %s could not be loaded and "
                                        "was left out.",
                                        id);

    APR_ARRAY_PUSH(loaded->warnings, const char *) = sentence;
    iimg_log(context, IIMG_LOG_WARNING, "IIMG0110: %s", sentence);
    iimg_log(context, IIMG_LOG_DEBUG, "reference %s: %s", id,
             err->detail ? err->detail : err->message);
}

iimg_error_t *iimg_load_references(iimg_context_t *context, const apr_array_header_t *images,
                                   iimg_loaded_references_t *loaded)
{
    apr_pool_t *pool = context->pool;

    loaded->references = apr_pcalloc(pool,
                                     (apr_size_t)(images->nelts + 1) * sizeof(*loaded->references));
    loaded->count = 0;
    loaded->ids = apr_array_make(pool, images->nelts + 1, sizeof(const char *));
    loaded->warnings = apr_array_make(pool, 2, sizeof(const char *));
    for (int i = 0; i < images->nelts; i++) {
        const iimg_reference_image_t *image = &APR_ARRAY_IDX(images, i, iimg_reference_image_t);
        iimg_error_t *err = iimg_reference_load(context, pool, image->picture.key,
                                                &loaded->references[loaded->count]);

        if (err && (err->kind == IIMG_UNAVAILABLE || err->kind == IIMG_BUSY)) {
            return err; /* the photo exists: do not generate a picture without it */
        }
        if (err) {
            skip_reference(context, image->id, err, loaded);
            continue;
        }
        loaded->count++;
        APR_ARRAY_PUSH(loaded->ids, const char *) = image->id;
    }
    return loaded->count ? NULL
                         : iimg_error_with_code(pool, IIMG_INVALID, "no_readable_references",
                                                "Could not load any reference images");
}
