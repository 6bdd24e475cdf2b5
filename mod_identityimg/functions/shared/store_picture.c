/* store_picture.c - write a picture's objects to the store, and publish or abandon them. */
#include "functions/shared/store_picture.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "base/uuid.h"
#include "functions/shared/store_identity.h"
#include "functions/shared/sweep.h"
#include "models/stored_object.h"

static iimg_error_t *announce_and_put(iimg_context_t *context, const iimg_object_t *objects,
                                      iimg_stored_picture_t *stored)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err;

    err = iimg_store_check(context);
    if (err) {
        return err;
    }
    stored->keys = apr_array_make(context->pool, stored->count, sizeof(const char *));
    for (int i = 0; i < stored->count; i++) {
        APR_ARRAY_PUSH(stored->keys, const char *) = objects[i].key;
    }
    (void)IIMG_FAULT("picture.derived");
    err = iimg_stored_object_announce(context, stored->uuid, stored->keys);
    if (err) {
        return err;
    }
    (void)IIMG_FAULT("picture.announced");
    err = storage->driver->put(context, storage, objects, stored->count);
    if (err) {
        iimg_abandon_picture(context, stored);
    }
    (void)IIMG_FAULT("picture.stored");
    return err;
}

iimg_error_t *iimg_store_picture(iimg_context_t *context, const iimg_upload_t *upload,
                                 iimg_stored_picture_t *stored)
{
    apr_pool_t *pool = context->pool;
    iimg_object_t objects[IIMG_PICTURE_OBJECTS];
    iimg_derived_t *derived;
    iimg_error_t *err = iimg_image_derive(context, &context->services->pictures, &upload->bytes,
                                          &derived);

    if (err) {
        return err;
    }
    if (upload->as_it_is) {
        derived->original = (iimg_derivative_t){ upload->bytes.data, upload->bytes.length };
    }
    stored->uuid = iimg_uuid_create(pool);
    stored->count = IIMG_PICTURE_OBJECTS;
    stored->picture.sized = derived->sized_type->extension;
    stored->picture.key = iimg_key_original(
        pool, stored->uuid, iimg_text_safe_name(pool, upload->filename), derived->type->extension);
    objects[0] = (iimg_object_t){ stored->picture.key, derived->type->media_type,
                                  derived->original.data, derived->original.length };
    for (int i = 0; i < IIMG_DERIVATIVES; i++) {
        objects[1 + i] = (iimg_object_t){
            iimg_key_sized(pool, stored->picture.key, i, stored->picture.sized),
            derived->sized_type->media_type, derived->derivatives[i].data,
            derived->derivatives[i].length
        };
    }
    return announce_and_put(context, objects, stored);
}

iimg_error_t *iimg_store_generated_picture(iimg_context_t *context,
                                           const iimg_generator_result_t *result,
                                           const iimg_media_type_t *type,
                                           iimg_stored_picture_t *stored)
{
    iimg_object_t object = { NULL, type->media_type, result->data, result->length, result->spool };

    stored->uuid = iimg_uuid_create(context->pool);
    stored->count = 1;
    stored->picture.sized = NULL;
    stored->picture.key = iimg_key_generated(context->pool, stored->uuid, type->extension);
    object.key = stored->picture.key;
    return announce_and_put(context, &object, stored);
}

iimg_error_t *iimg_publish_picture(iimg_context_t *context, const iimg_stored_picture_t *stored)
{
    iimg_error_t *err = iimg_stored_object_publish(context, stored->uuid, stored->count);

    (void)IIMG_FAULT("picture.published");
    return err;
}

void iimg_abandon_picture(iimg_context_t *context, const iimg_stored_picture_t *stored)
{
    iimg_claim_t claim = { NULL };
    iimg_error_t *err = iimg_stored_object_abandon(context, stored->uuid, stored->keys, &claim);

    (void)IIMG_FAULT("picture.abandoned");
    if (err) {
        iimg_log(
            context, IIMG_LOG_WARNING,
            "IIMG0101: cannot delete the objects of picture %s: %s; the sweeper deletes them later",
            stored->uuid, err->detail);
        return;
    }
    iimg_sweep_claim(context, &claim);
}
