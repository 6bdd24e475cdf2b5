/* s3.c - storage driver "s3": a bucket of an S3 store. */
#include "services/storage/storage.h"

#include <string.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "services/pictures/key.h"
#include "services/s3/client.h"
#include "services/storage/s3.h"

#define MAX_ERROR      65536 /* bytes of an error response */
#define MARKER_SECONDS 4     /* to read the marker, with retries */
#define MISSING        "media/00000000-0000-0000-0000-000000000000/probe.jpg"

static const char *s3_check(apr_pool_t *pool, const iimg_storage_t *storage)
{
    iimg_s3_source_t *source;
    const char *problem = iimg_s3_settings_check(pool, storage->s3);

    if (problem) {
        return problem;
    }
    problem = iimg_s3_source_find(pool, storage->s3->credentials_file,
                                  storage->s3->machine_credentials, &source);
    if (problem) {
        return problem;
    }
    storage->s3->source = source;
    return NULL;
}

static const char *s3_start(apr_pool_t *pool, iimg_storage_t *storage)
{
    iimg_s3_settings_t *quick = apr_pmemdup(pool, storage->s3, sizeof(*quick));

    quick->timeout = quick->timeout < MARKER_SECONDS ? quick->timeout : MARKER_SECONDS;
    storage->s3_client = iimg_s3_client_create(pool, storage->s3);
    storage->s3_marker = iimg_s3_client_create(pool, quick);
    return storage->s3_client && storage->s3_marker ? NULL : "the S3 client: cannot create a mutex";
}

iimg_error_t *iimg_s3_send_with(iimg_context_t *context, iimg_s3_client_t *client,
                                iimg_s3_call_t *call)
{
    iimg_error_t *err = iimg_s3_send(context, client, call, 1);

    if (err) {
        return err;
    }
    return iimg_s3_succeeded(call) ? NULL : iimg_s3_error(context, client, call);
}

iimg_error_t *iimg_s3_send_one(iimg_context_t *context, const iimg_storage_t *storage,
                               iimg_s3_call_t *call)
{
    return iimg_s3_send_with(context, storage->s3_client, call);
}

/* The probe ------------------------------------------------------------------------------------ */

static const struct {
    const char *code, *remedy;
} refusals[] = {
    { "InvalidAccessKeyId", "the store does not know the access key: correct the credentials" },
    { "SignatureDoesNotMatch", "the store refuses the secret key: correct the credentials" },
    { "InvalidToken", "the store refuses the session token: correct the credentials" },
    { "ExpiredToken", "the session token has expired: provide credentials that do not expire" },
    { "NoSuchBucket", "there is no such bucket: create it, or correct IdentityImgS3Bucket" },
    { "InvalidBucketName", "the store does not allow this name: correct IdentityImgS3Bucket" },
    { "AllAccessDisabled", "the store has disabled all access to the bucket" },
};

#define PROBE_SECONDS 5

/* Read an object that does not exist. It needs no other permission than serving pictures, and
 * distinguishes a wrong key or bucket from a policy that hides missing objects (403, not 404). */
static iimg_error_t *read_missing(iimg_context_t *context, iimg_s3_client_t *client,
                                  const iimg_s3_settings_t *settings)
{
    iimg_s3_call_t call = { .method = "GET", .key = MISSING, .max_response = MAX_ERROR };
    iimg_error_t *err = iimg_s3_send_with(context, client, &call);

    if (!err || err->kind == IIMG_NOT_FOUND) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (call.code && strcmp(call.code, refusals[i].code) == 0) {
            return iimg_error_with_detail(
                context->pool, IIMG_REFUSED, NULL, "The picture store refused access.",
                "bucket \"%s\": %s (%s)", settings->bucket, refusals[i].remedy, refusals[i].code);
        }
    }
    return err;
}

/* With a temporary client, since connections must not survive a fork. */
static iimg_error_t *s3_probe(iimg_context_t *context, iimg_storage_t *storage)
{
    iimg_s3_settings_t *settings = storage->s3, quick = *settings;
    iimg_s3_client_t *client;
    iimg_error_t *err;
    apr_pool_t *pool;

    quick.timeout = quick.timeout < PROBE_SECONDS ? quick.timeout : PROBE_SECONDS;
    apr_pool_create(&pool, context->pool);
    client = iimg_s3_client_create(pool, &quick);
    if (!client) {
        return iimg_error(context->pool, IIMG_INTERNAL, "Internal server error");
    }
    err = read_missing(context, client, settings);
    apr_cpystrn(settings->told_region, iimg_s3_client_region(pool, client),
                sizeof(settings->told_region));
    settings->region = settings->told_region;
    apr_pool_destroy(pool);
    return err;
}

/* Writing and reading -------------------------------------------------------------------------- */

int iimg_s3_object_headers(const iimg_s3_settings_t *settings, const iimg_object_t *object,
                           iimg_sigv4_field_t *headers)
{
    int count = 0;

    headers[count++] = (iimg_sigv4_field_t){ "content-type", object->media_type };
    headers[count++] = (iimg_sigv4_field_t){ "content-disposition", "inline" };
    headers[count++] = (iimg_sigv4_field_t){ "cache-control",
                                             settings->is_public
                                                 ? "public, max-age=31536000, immutable"
                                                 : "private, max-age=31536000, immutable" };
    if (settings->encryption) {
        headers[count++] = (iimg_sigv4_field_t){ "x-amz-server-side-encryption",
                                                 settings->encryption };
    }
    if (settings->kms_key) {
        headers[count++] = (iimg_sigv4_field_t){ "x-amz-server-side-encryption-aws-kms-key-id",
                                                 settings->kms_key };
    }
    return count;
}

/* Write up to IIMG_HTTP_AT_ONCE objects in parallel. */
static iimg_error_t *put_batch(iimg_context_t *context, const iimg_storage_t *storage,
                               const iimg_object_t *objects, int count)
{
    iimg_sigv4_field_t headers[IIMG_HTTP_AT_ONCE][IIMG_S3_OBJECT_HEADERS];
    iimg_s3_call_t calls[IIMG_HTTP_AT_ONCE];
    iimg_error_t *err;

    for (int i = 0; i < count; i++) {
        calls[i] = (iimg_s3_call_t){
            .method = "PUT",
            .key = objects[i].key,
            .headers = headers[i],
            .header_count = iimg_s3_object_headers(storage->s3, &objects[i], headers[i]),
            .data = objects[i].data,
            .length = objects[i].length,
            .max_response = MAX_ERROR,
        };
    }
    (void)IIMG_FAULT("s3.put");
    err = iimg_s3_send(context, storage->s3_client, calls, count);
    (void)IIMG_FAULT("s3.stored");
    for (int i = 0; i < count && !err; i++) {
        iimg_step_end(context, apr_time_now() - calls[i].response->took, "store put",
                      objects[i].key);
        if (!iimg_s3_succeeded(&calls[i])) {
            err = iimg_s3_error(context, storage->s3_client, &calls[i]);
        }
    }
    return err;
}

static iimg_error_t *s3_put(iimg_context_t *context, const iimg_storage_t *storage,
                            const iimg_object_t *objects, int count)
{
    apr_time_t began = iimg_step_begin(context);
    iimg_error_t *err;

    for (int i = 0; i < count; i += IIMG_HTTP_AT_ONCE) {
        err = put_batch(context, storage, objects + i,
                        count - i < IIMG_HTTP_AT_ONCE ? count - i : IIMG_HTTP_AT_ONCE);
        if (err) {
            return err;
        }
    }
    iimg_step_end(context, began, "store put all", NULL);
    return NULL;
}

static iimg_error_t *s3_get(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                            apr_size_t max, const char **data, apr_size_t *length)
{
    iimg_s3_call_t call = { .method = "GET", .key = key, .max_response = max };
    apr_time_t began = iimg_step_begin(context);
    iimg_error_t *err = iimg_s3_send_one(context, storage, &call);

    if (err) {
        return err;
    }
    *data = call.response->body;
    *length = call.response->length;
    iimg_step_end(context, began, "store get", key);
    return NULL;
}

static iimg_error_t *s3_has(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                            bool *there)
{
    iimg_s3_call_t call = { .method = "HEAD", .key = key };
    iimg_error_t *err = iimg_s3_send_one(context, storage, &call);

    *there = !err;
    return err && err->kind == IIMG_NOT_FOUND ? NULL : err;
}

/* Deleting ------------------------------------------------------------------------------------- */

/* Whether versions remain behind a delete marker. Each DELETE should report that it has set one,
 * but radosgw reports only the first one. */
typedef enum {
    NOTHING_HIDDEN,
    MAYBE_HIDDEN,
    HIDDEN
} hidden_t;

static iimg_error_t *delete_object(iimg_context_t *context, const iimg_storage_t *storage,
                                   const char *key, const char *version, hidden_t *hidden)
{
    const iimg_sigv4_field_t query = { "versionId", version };
    iimg_s3_call_t call = { .method = "DELETE",
                            .key = key,
                            .query = &query,
                            .query_count = version ? 1 : 0,
                            .max_response = MAX_ERROR };
    iimg_error_t *err;
    const char *marker;

    (void)(version ? IIMG_FAULT("s3.purge") : IIMG_FAULT("s3.delete"));
    err = iimg_s3_send_one(context, storage, &call);
    (void)(version ? IIMG_FAULT("s3.purged") : IIMG_FAULT("s3.deleted"));
    marker = call.response ? apr_table_get(call.response->headers, "x-amz-delete-marker") : NULL;
    *hidden = marker && strcmp(marker, "true") == 0 ? HIDDEN
              : call.sent > 1                       ? MAYBE_HIDDEN
                                                    : NOTHING_HIDDEN;
    return err && err->kind == IIMG_NOT_FOUND ? NULL : err;
}

static iimg_error_t *s3_purge(iimg_context_t *context, const iimg_storage_t *storage,
                              const char *key, const char *version)
{
    hidden_t hidden;

    return delete_object(context, storage, key, version, &hidden);
}

typedef struct purge_t {
    const iimg_storage_t *storage;
    const char *key;
} purge_t;

/* The prefix of the listing may match other keys, too. */
static iimg_error_t *purge_version(iimg_context_t *context, void *baton,
                                   const iimg_listed_t *object)
{
    const purge_t *purge = baton;

    return strcmp(object->key, purge->key) == 0
               ? s3_purge(context, purge->storage, object->key, object->version)
               : NULL;
}

static iimg_error_t *purge_versions(iimg_context_t *context, const iimg_storage_t *storage,
                                    const char *key, hidden_t hidden)
{
    purge_t purge = { storage, key };
    bool versions;
    iimg_error_t *err = iimg_s3_list_versions(context, storage, key, purge_version, &purge,
                                              &versions);

    if (err || versions || hidden != HIDDEN) {
        return err;
    }
    err = iimg_error_with_detail(
        context->pool, IIMG_UNAVAILABLE, "store_down",
        "The picture store is not available at the moment. Nothing was changed.",
        "DELETE %s: the store has set a delete marker, but does not list versions: delete them "
        "manually, and turn versioning off",
        key);
    err->one_object = true;
    return err;
}

/* In a bucket with versions a deletion only hides the picture. Portraits must be erased, so all
 * versions of the key are deleted, including delete markers. */
static iimg_error_t *s3_remove(iimg_context_t *context, const iimg_storage_t *storage,
                               const char *key, bool again)
{
    apr_time_t began = iimg_step_begin(context);
    hidden_t hidden;
    iimg_error_t *err = delete_object(context, storage, key, NULL, &hidden);

    if (!err && (hidden != NOTHING_HIDDEN || again)) {
        err = purge_versions(context, storage, key, hidden);
    }
    iimg_step_end(context, began, "store remove", key);
    return err;
}

/* URLs ----------------------------------------------------------------------------------------- */

static const char *make_url(void *signer, const char *key, const char *download)
{
    return iimg_s3_url(signer, key, download);
}

static iimg_error_t *s3_sign(iimg_context_t *context, const iimg_storage_t *storage,
                             apr_time_t since, int expiry, iimg_storage_signer_t *signer)
{
    iimg_s3_signer_t *made;
    iimg_error_t *err = iimg_s3_signer_create(context, storage->s3_client, since, expiry, &made);

    *signer = (iimg_storage_signer_t){ make_url, made };
    return err;
}

static apr_int64_t s3_epoch(iimg_context_t *context, const iimg_storage_t *storage)
{
    return iimg_s3_client_epoch(context, storage->s3_client);
}

const iimg_storage_driver_t iimg_storage_s3 = {
    .name = "s3",
    .check = s3_check,
    .start = s3_start,
    .probe = s3_probe,
    .put = s3_put,
    .get = s3_get,
    .has = s3_has,
    .remove = s3_remove,
    .list = iimg_s3_list,
    .list_latest = iimg_s3_list_latest,
    .purge = s3_purge,
    .read_marker = iimg_s3_read_marker,
    .write_marker = iimg_s3_write_marker,
    .marker_age = IIMG_S3_MARKER_AGE,
    .sign = s3_sign,
    .epoch = s3_epoch,
};
