/* reference_cache_test.c - services/reference_cache.c: what is kept, for how long and in how many
 * bytes, by a clock of the test's own. */
#include <apr_time.h>

static apr_time_t cache_clock = 1800000000000000;

#define apr_time_now() cache_clock
#include "services/reference_cache.c"
#undef apr_time_now

#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_services_t services;
static int made;               /* photos that were read and converted */
static apr_size_t side, limit; /* that they were made with */
static apr_size_t size = 6;    /* bytes of each: 8 more in base64 */
static iimg_error_kind_t store_fails, worker_fails;
static bool failing;

static iimg_error_t *get(iimg_context_t *of, const iimg_storage_t *storage, const char *key,
                         apr_size_t most, const char **data, apr_size_t *length)
{
    (void)storage;
    limit = most;
    *data = key;
    *length = strlen(key);
    return failing && !worker_fails ? iimg_error(of->pool, store_fails, "The store.") : NULL;
}

static iimg_storage_driver_t driver = { .name = "double", .get = get };

iimg_error_t *iimg_image_reference(iimg_context_t *of, const iimg_image_settings_t *settings,
                                   const iimg_bytes_t *original, int to_side,
                                   iimg_derivative_t *jpeg)
{
    char *bytes = apr_pcalloc(of->pool, size + 1);

    (void)settings;
    made++;
    side = (apr_size_t)to_side;
    memset(bytes, original->data[0], size);
    jpeg->data = bytes;
    jpeg->length = size;
    if (failing) {
        iimg_error_t *err = iimg_error(of->pool, worker_fails, "The worker.");

        err->code = "worker_code";
        err->retry_after = 9;
        err->detail = "the detail";
        return err;
    }
    return NULL;
}

static apr_pool_t *pool_create(void)
{
    apr_pool_t *pool;

    apr_pool_create(&pool, context->pool);
    return pool;
}

static iimg_error_t *load(apr_pool_t *pool, const char *key, iimg_generator_reference_t *photo)
{
    return iimg_reference_load(context, pool, key, photo);
}

/* Load a photo and let it go. @return whether it had to be made */
static bool use(const char *key)
{
    iimg_generator_reference_t photo;
    apr_pool_t *pool = pool_create();
    int before = made;

    tap_ok(!load(pool, key, &photo) && photo.length == size && photo.data[0] == *key,
           "photo %s is there", key);
    apr_pool_destroy(pool);
    return made > before;
}

static void begin(apr_size_t most)
{
    services.references = iimg_reference_cache_create(pool_create(), most);
    services.storage.driver = &driver;
    services.reference_side = 1024;
    services.max_object = 777;
    context->services = &services;
    failing = false;
    worker_fails = store_fails = 0;
    made = 0;
}

static void test_held(void)
{
    apr_pool_t *one = pool_create(), *two = pool_create();
    iimg_generator_reference_t first, second;

    begin(1000);
    tap_ok(!load(one, "a", &first) && !load(two, "a", &second), "a photo is loaded twice");
    tap_is_number(made, 1, "a photo that is held is made once");
    tap_ok(first.data == second.data, "a photo that is held is shared");
    tap_ok(side == 1024 && limit == 777, "a photo is made with the server's limits");
    tap_is(first.base64, "YWFhYWFh", "a photo has its base64");
    tap_is_number(first.base64_length, 8, "a photo's base64 has its length");
    tap_is(first.media_type, "image/jpeg", "a photo is a JPEG");
    tap_is_number(iimg_reference_cache_used(services.references), 14,
                  "a photo that is held twice counts once, with its base64");
    apr_pool_destroy(one);
    tap_is_number(iimg_reference_cache_used(services.references), 14,
                  "a photo that one still holds counts");
    cache_clock += apr_time_from_sec(1000);
    iimg_reference_cache_expire(services.references, cache_clock);
    apr_pool_destroy(two);
    tap_is_number(iimg_reference_cache_used(services.references), 0,
                  "a photo without holders is not in use");
    tap_ok(!use("a"), "a photo that was held long is kept from its release on");
}

static void test_age(void)
{
    begin(1000);
    tap_ok(use("a"), "a photo is made at first");
    cache_clock += apr_time_from_sec(60);
    iimg_reference_cache_expire(services.references, cache_clock);
    tap_ok(!use("a"), "a photo is kept for 60 s");
    cache_clock += apr_time_from_sec(60) + 1;
    iimg_reference_cache_expire(services.references, cache_clock);
    tap_ok(use("a"), "a photo is not kept longer");
}

static void test_room(void)
{
    begin(28);
    use("a");
    use("b");
    tap_ok(!use("a") && !use("b"), "two photos of 14 bytes are kept in 28");
    use("c");
    tap_ok(!use("b") && !use("c"), "a third one takes the place of the longest unused");
    tap_ok(use("a"), "the longest unused is gone");
    begin(27);
    use("a");
    use("b");
    tap_ok(use("a"), "one of two photos is kept in 27");
    begin(0);
    use("a");
    tap_ok(use("a"), "no photo is kept without room");
    begin(14);
    {
        apr_pool_t *pool = pool_create();
        iimg_generator_reference_t photo;

        load(pool, "a", &photo);
        use("b");
        tap_ok(!use("b"), "a photo that is held takes no room of those that are kept");
        tap_is_number(iimg_reference_cache_used(services.references), 14, "one photo is in use");
        apr_pool_destroy(pool);
        tap_ok(use("b"), "once it is released it takes room");
    }
}

static void test_failures(void)
{
    iimg_generator_reference_t photo;
    apr_pool_t *pool = pool_create();
    iimg_error_t *err;

    begin(1000);
    failing = true;
    store_fails = IIMG_NOT_FOUND;
    err = load(pool, "a", &photo);
    tap_ok(err && err->kind == IIMG_NOT_FOUND && strcmp(err->message, "The store.") == 0
               && !err->detail,
           "the store's error is reported");
    worker_fails = IIMG_BUSY;
    err = load(pool, "a", &photo);
    tap_ok(err && err->kind == IIMG_BUSY && strcmp(err->code, "worker_code") == 0
               && err->retry_after == 9 && strcmp(err->detail, "the detail") == 0,
           "the worker's error is reported with code, wait and detail");
    tap_is_number(iimg_reference_cache_used(services.references), 0,
                  "a photo that cannot be made takes no room");
    failing = false;
    tap_ok(use("a"), "a photo that could not be made is made the next time");
    apr_pool_destroy(pool);
    tap_ok(!use("a"), "a failure that is released leaves the photo");
}

static void test_without(void)
{
    iimg_generator_reference_t photo;

    begin(1000);
    services.references = NULL;
    tap_ok(!load(context->pool, "a", &photo) && !load(context->pool, "a", &photo) && made == 2,
           "without a memory each photo is made anew");
    tap_ok(photo.length == size && !photo.base64 && strcmp(photo.media_type, "image/jpeg") == 0,
           "without a memory a photo has no base64");
}

int main(void)
{
    context = work_begin();
    test_held();
    test_age();
    test_room();
    test_failures();
    test_without();
    work_end(context);
    return tap_done();
}
