/* store_picture_test.c - functions/shared/store_picture.c: the order of a picture's steps, its
 * objects, and what is given up when one of them fails. */
#include "functions/shared/store_picture.c"
#include <apr_strings.h>
#include "services/services.h"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_services_t services;
static iimg_derived_t derived;
static iimg_object_t put_objects[8];

static struct {
    char calls[256];
    const char *fails;
    int put_count, published, keys;
    const char *abandoned;
} world;

static iimg_error_t *call(const char *name)
{
    strcat(strcat(world.calls, *world.calls ? " " : ""), name);
    return world.fails && strcmp(world.fails, name) == 0
               ? iimg_error_detail(iimg_error(context->pool, IIMG_UNAVAILABLE, "%s", name), "why")
               : NULL;
}

iimg_error_t *iimg_store_check(iimg_context_t *of)
{
    (void)of;
    return call("check");
}

iimg_error_t *iimg_stored_object_announce(iimg_context_t *of, const char *uuid,
                                          const apr_array_header_t *keys)
{
    (void)of, (void)uuid;
    world.keys = keys->nelts;
    return call("announce");
}

iimg_error_t *iimg_stored_object_publish(iimg_context_t *of, const char *uuid, int count)
{
    (void)of, (void)uuid;
    world.published = count;
    return call("publish");
}

iimg_error_t *iimg_stored_object_abandon(iimg_context_t *of, const char *uuid,
                                         const apr_array_header_t *keys, iimg_claim_t *claim)
{
    (void)of, (void)keys, (void)claim;
    world.abandoned = uuid;
    return call("abandon");
}

void iimg_sweep_claim(iimg_context_t *of, const iimg_claim_t *claim)
{
    (void)of, (void)claim;
    (void)call("sweep");
}

iimg_error_t *iimg_image_derive(iimg_context_t *of, const iimg_image_settings_t *settings,
                                const iimg_bytes_t *picture, iimg_derived_t **made)
{
    (void)of, (void)settings, (void)picture;
    *made = apr_pmemdup(context->pool, &derived, sizeof(derived));
    return call("derive");
}

static iimg_error_t *put(iimg_context_t *of, const iimg_storage_t *storage,
                         const iimg_object_t *objects, int count)
{
    (void)of, (void)storage;
    world.put_count = count;
    memcpy(put_objects, objects, (size_t)count * sizeof(*objects));
    return call("put");
}

static const iimg_storage_driver_t driver = { .name = "double", .put = put };

static iimg_error_t *store(const char *fails, bool as_it_is, iimg_stored_picture_t *stored)
{
    iimg_upload_t upload = { .bytes = { "sent", 4, -1, 0, false },
                             .filename = "My Photo.png",
                             .as_it_is = as_it_is };

    memset(&world, 0, sizeof(world));
    memset(stored, 0, sizeof(*stored));
    world.fails = fails;
    work_log_clear(context);
    return iimg_store_picture(context, &upload, stored);
}

static void test_objects(void)
{
    iimg_stored_picture_t stored;

    tap_ok(!store(NULL, false, &stored), "a picture is stored");
    tap_is(world.calls, "derive check announce put", "a picture is announced before it is written");
    tap_ok(world.put_count == 4 && world.keys == 4 && stored.count == 4,
           "a picture is an original and three sizes");
    tap_is(stored.picture.key, apr_psprintf(context->pool, "media/%s/my-photo.jpg", stored.uuid),
           "the original has the upload's name and its own kind's ending");
    tap_is(stored.picture.sized, "webp", "sizes have their kind's ending");
    tap_ok(strcmp(put_objects[0].key, stored.picture.key) == 0
               && strcmp(put_objects[0].media_type, "image/jpeg") == 0 && put_objects[0].length == 8
               && put_objects[0].data == derived.original.data,
           "the first object is the clean original");
    for (int i = 0; i < 3; i++) {
        tap_is(put_objects[1 + i].key, iimg_key_sized(context->pool, stored.picture.key, i, "webp"),
               "size %d: its key", i);
        tap_ok(put_objects[1 + i].data == derived.derivatives[i].data
                   && put_objects[1 + i].length == derived.derivatives[i].length
                   && strcmp(put_objects[1 + i].media_type, "image/webp") == 0,
               "size %d: its bytes and type", i);
    }
    (void)store(NULL, true, &stored);
    tap_ok(put_objects[0].length == 4 && memcmp(put_objects[0].data, "sent", 4) == 0,
           "a picture to be kept as it is has the bytes that were sent");
    (void)iimg_publish_picture(context, &stored);
    tap_is_number(world.published, 4, "all objects are published");
}

static void test_failures(void)
{
    static const char *const cases[][2] = {
        { "derive", "derive" },
        { "check", "derive check" },
        { "announce", "derive check announce" },
        { "put", "derive check announce put abandon sweep" },
    };
    iimg_stored_picture_t stored;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_error_t *err = store(cases[i][0], false, &stored);

        tap_ok(err && strcmp(err->message, cases[i][0]) == 0, "%s fails: its error", cases[i][0]);
        tap_is(world.calls, cases[i][1], "%s fails: these steps", cases[i][0]);
    }
    tap_is(world.abandoned, stored.uuid, "the picture that failed is given up");
    (void)store(NULL, false, &stored);
    world.fails = "abandon";
    world.calls[0] = '\0';
    iimg_abandon_picture(context, &stored);
    tap_is(world.calls, "abandon", "a picture that cannot be given up is not swept here");
    tap_ok(work_logged(context, "IIMG0101") != NULL,
           "a picture that cannot be given up: a warning");
}

static void test_generated(void)
{
    iimg_generator_result_t result = { .data = "made", .length = 4 };
    iimg_stored_picture_t stored = { .count = 9, .picture = { .sized = "jpg" } };

    memset(&world, 0, sizeof(world));
    tap_ok(!iimg_store_generated_picture(context, &result, iimg_media_type_by_extension("png"),
                                         &stored),
           "a generated picture is stored");
    tap_is(world.calls, "check announce put", "a generated picture: its steps");
    tap_is(stored.picture.key, apr_psprintf(context->pool, "generated_images/%s.png", stored.uuid),
           "a generated picture: its key");
    tap_ok(world.put_count == 1 && stored.count == 1 && !stored.picture.sized
               && put_objects[0].length == 4 && strcmp(put_objects[0].media_type, "image/png") == 0,
           "a generated picture is one object, without sizes");
}

int main(void)
{
    context = work_begin();
    services.storage.driver = &driver;
    context->services = &services;
    derived.type = iimg_media_type_by_extension("jpg");
    derived.sized_type = iimg_media_type_by_extension("webp");
    derived.original = (iimg_derivative_t){ "original", 8 };
    for (int i = 0; i < IIMG_DERIVATIVES; i++) {
        derived.derivatives[i] = (iimg_derivative_t){ apr_psprintf(context->pool, "size%d", i),
                                                      (apr_size_t)(10 + i) };
    }
    test_objects();
    test_failures();
    test_generated();
    work_end(context);
    return tap_done();
}
