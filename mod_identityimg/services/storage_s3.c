/* storage_s3.c - storage method based on a bucket of an S3 store. */
#include "services/storage.h"

#include <string.h>
#include <apr_strings.h>
#include "base/fault.h"
#include "base/log.h"
#include "services/picture_key.h"
#include "services/s3_client.h"
#include "services/s3_xml.h"

#define MAX_ERROR 65536                     /* bytes of an answer that is no object */
#define MAX_PAGE (8 * 1024 * 1024)          /* of a listing of PAGE entries */
#define PAGE "1000"
#define MISSING "media/00000000-0000-0000-0000-000000000000/probe.jpg"

static const char *s3_check(apr_pool_t *pool, const iimg_storage_t *storage)
{
    iimg_s3_source_t *source;
    const char *problem = iimg_s3_settings_check(pool, storage->s3);

    if (!problem) {
        problem = iimg_s3_source_find(pool, storage->s3->credentials_file,
                                      storage->s3->machine_credentials, &source);
    }
    if (!problem) {
        storage->s3->source = source;
    }
    return problem;
}

static const char *s3_start(apr_pool_t *pool, iimg_storage_t *storage)
{
    storage->s3_client = iimg_s3_client_create(pool, storage->s3);
    return storage->s3_client ? NULL : "there is no mutex for the client of the picture store";
}

/* Sends one call. @return NULL when it succeeded */
static iimg_error_t *send_by(iimg_context_t *context, iimg_s3_client_t *client,
                             iimg_s3_call_t *call)
{
    iimg_error_t *err = iimg_s3_send(context, client, call, 1);

    return err || iimg_s3_succeeded(call) ? err : iimg_s3_error(context, client, call);
}

static iimg_error_t *send_one(iimg_context_t *context, const iimg_storage_t *storage,
                              iimg_s3_call_t *call)
{
    return send_by(context, storage->s3_client, call);
}

/* Whether it will take us ---------------------------------------------------------------------- */

static const struct { const char *code, *mend; } refusals[] = {
    { "InvalidAccessKeyId", "the store does not know the access key: mend the credentials" },
    { "SignatureDoesNotMatch", "the store refuses the secret key: mend the credentials" },
    { "InvalidToken", "the store refuses the session token: mend the credentials" },
    { "ExpiredToken", "the session token has expired: give credentials that last" },
    { "NoSuchBucket", "there is no such bucket: make it, or mend IdentityImgS3Bucket" },
    { "InvalidBucketName", "the store allows no such name: mend IdentityImgS3Bucket" },
    { "AllAccessDisabled", "the store has closed the bucket for everybody" },
};

#define PROBE_SECONDS 5

/* Reads an object that is not there: that needs no right that serving pictures does not need, and
 * tells a wrong key or bucket from a policy that does not say what is missing (403, not 404). */
static iimg_error_t *ask_for_nothing(iimg_context_t *context, iimg_s3_client_t *client,
                                     const iimg_s3_settings_t *settings)
{
    iimg_s3_call_t call = { .method = "GET", .key = MISSING, .max_response = MAX_ERROR };
    iimg_error_t *err = send_by(context, client, &call);

    if (!err || err->kind == IIMG_NOT_FOUND) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (call.code && strcmp(call.code, refusals[i].code) == 0) {
            return iimg_error_detail(iimg_error(context->pool, IIMG_REFUSED,
                                                "The picture store refuses."),
                                     "bucket \"%s\": %s (%s)", settings->bucket,
                                     refusals[i].mend, refusals[i].code);
        }
    }
    return err;
}

/* A client for this alone: its connections must not be carried over a fork. */
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
    err = ask_for_nothing(context, client, settings);
    apr_cpystrn(settings->told_region, iimg_s3_client_region(pool, client),
                sizeof(settings->told_region));
    settings->region = settings->told_region;
    apr_pool_destroy(pool);
    return err;
}

/* Writing, reading ----------------------------------------------------------------------------- */

#define MOST_HEADERS 5

static int object_headers(const iimg_s3_settings_t *settings, const iimg_object_t *object,
                          iimg_sigv4_field_t *headers)
{
    int count = 0;

    headers[count++] = (iimg_sigv4_field_t){ "content-type", object->media_type };
    headers[count++] = (iimg_sigv4_field_t){ "content-disposition", "inline" };
    headers[count++] = (iimg_sigv4_field_t){ "cache-control", settings->is_public
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

/* At most IIMG_HTTP_AT_ONCE objects, all at the same time. */
static iimg_error_t *put_some(iimg_context_t *context, const iimg_storage_t *storage,
                              const iimg_object_t *objects, int count)
{
    iimg_sigv4_field_t headers[IIMG_HTTP_AT_ONCE][MOST_HEADERS];
    iimg_s3_call_t calls[IIMG_HTTP_AT_ONCE];
    iimg_error_t *err;

    for (int i = 0; i < count; i++) {
        calls[i] = (iimg_s3_call_t){
            .method = "PUT", .key = objects[i].key, .headers = headers[i],
            .header_count = object_headers(storage->s3, &objects[i], headers[i]),
            .data = objects[i].data, .length = objects[i].length, .max_response = MAX_ERROR,
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
    iimg_error_t *err = NULL;

    for (int i = 0; i < count && !err; i += IIMG_HTTP_AT_ONCE) {
        err = put_some(context, storage, objects + i,
                       count - i < IIMG_HTTP_AT_ONCE ? count - i : IIMG_HTTP_AT_ONCE);
    }
    iimg_step_end(context, began, "store put all", NULL);
    return err;
}

static iimg_error_t *s3_get(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                            apr_size_t max, const char **data, apr_size_t *length)
{
    iimg_s3_call_t call = { .method = "GET", .key = key, .max_response = max };
    apr_time_t began = iimg_step_begin(context);
    iimg_error_t *err = send_one(context, storage, &call);

    if (err) {
        return err;
    }
    *data = call.response->body;
    *length = call.response->length;
    iimg_step_end(context, began, "store get", key);
    return NULL;
}

static iimg_error_t *s3_has(iimg_context_t *context, const iimg_storage_t *storage,
                            const char *key, bool *there)
{
    iimg_s3_call_t call = { .method = "HEAD", .key = key };
    iimg_error_t *err = send_one(context, storage, &call);

    *there = !err;
    return err && err->kind == IIMG_NOT_FOUND ? NULL : err;
}

/* Listing -------------------------------------------------------------------------------------- */

static iimg_error_t *get_page(iimg_context_t *context, const iimg_storage_t *storage,
                              const char *prefix, const char *after_key, const char *after_id,
                              iimg_s3_page_t **page)
{
    const iimg_sigv4_field_t query[] = {
        { "versions", "" }, { "max-keys", PAGE },
        { "prefix", apr_pstrcat(context->pool, storage->s3->prefix, prefix, NULL) },
        { "key-marker", after_key }, { "version-id-marker", after_id },
    };
    iimg_s3_call_t call = {
        .method = "GET", .key = "", .query = query, .max_response = MAX_PAGE,
        .query_count = !after_key ? 3 : after_id ? 5 : 4,
    };
    iimg_error_t *err = send_one(context, storage, &call);

    if (err) {
        return err;
    }
    *page = iimg_s3_xml_page(context->pool, call.response->body, call.response->length);
    return *page ? NULL : iimg_s3_error(context, storage->s3_client, &call);
}

/* Others may keep things in the bucket: what has no key of ours is not ours. */
static iimg_error_t *visit_page(iimg_context_t *context, const iimg_storage_t *storage,
                                const iimg_s3_page_t *page, iimg_storage_visit_fn visit,
                                void *baton)
{
    size_t prefix = strlen(storage->s3->prefix);
    iimg_error_t *err = NULL;

    for (int i = 0; i < page->versions->nelts && !err; i++) {
        const iimg_s3_version_t *version = &APR_ARRAY_IDX(page->versions, i, iimg_s3_version_t);
        iimg_listed_t listed = { version->key, version->id, version->latest, version->deleted,
                                 version->modified, version->length };

        if (strncmp(version->key, storage->s3->prefix, prefix) == 0
            && iimg_key_is_valid(version->key + prefix)) {
            listed.key += prefix;
            err = visit(context, baton, &listed);
        }
    }
    return err;
}

/* Pages take turns in two pools: where the next begins is said in the last one. */
static iimg_error_t *list(iimg_context_t *context, const iimg_storage_t *storage,
                          const char *prefix, iimg_storage_visit_fn visit, void *baton)
{
    const char *key = NULL, *id = NULL;
    apr_pool_t *pools[2];
    iimg_error_t *err = NULL;
    int turn = 0;

    apr_pool_create(&pools[0], context->pool);
    apr_pool_create(&pools[1], context->pool);
    do {
        iimg_context_t paged = *context;
        iimg_s3_page_t *page;

        turn = !turn;
        apr_pool_clear(pools[turn]);
        paged.pool = pools[turn];
        err = get_page(&paged, storage, prefix, key, id, &page);
        if (err) {
            return err;         /* it lives in the page's pool, which therefore stays */
        }
        err = visit_page(context, storage, page, visit, baton);
        key = page->next_key;
        id = page->next_id;
    } while (key && !err);
    apr_pool_destroy(pools[0]);
    apr_pool_destroy(pools[1]);
    return err;
}

static iimg_error_t *s3_list(iimg_context_t *context, const iimg_storage_t *storage,
                             iimg_storage_visit_fn visit, void *baton)
{
    return list(context, storage, "", visit, baton);
}

/* Deleting ------------------------------------------------------------------------------------- */

/* @param hidden set when the deletion may have done no more than to hide the object. Each DELETE is
 * meant to tell that it has set a marker; radosgw tells only of the first one. */
static iimg_error_t *delete(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                            const char *version, bool *hidden)
{
    const iimg_sigv4_field_t query = { "versionId", version };
    iimg_s3_call_t call = { .method = "DELETE", .key = key, .query = &query,
                            .query_count = version ? 1 : 0, .max_response = MAX_ERROR };
    iimg_error_t *err;
    const char *marker;

    (void)(version ? IIMG_FAULT("s3.purge") : IIMG_FAULT("s3.delete"));
    err = send_one(context, storage, &call);
    (void)(version ? IIMG_FAULT("s3.purged") : IIMG_FAULT("s3.deleted"));
    marker = call.response ? apr_table_get(call.response->headers, "x-amz-delete-marker") : NULL;
    *hidden = call.sent > 1 || (marker && strcmp(marker, "true") == 0);
    return err && err->kind == IIMG_NOT_FOUND ? NULL : err;
}

static iimg_error_t *s3_purge(iimg_context_t *context, const iimg_storage_t *storage,
                              const char *key, const char *version)
{
    bool hidden;

    return delete(context, storage, key, version, &hidden);
}

typedef struct purge_t {
    const iimg_storage_t *storage;
    const char *key;
} purge_t;

/* A prefix may also fit other keys. */
static iimg_error_t *purge_version(iimg_context_t *context, void *baton,
                                   const iimg_listed_t *object)
{
    const purge_t *purge = baton;

    return strcmp(object->key, purge->key) == 0
           ? s3_purge(context, purge->storage, object->key, object->version) : NULL;
}

/* In a bucket that keeps versions a deletion only hides the picture. A face must be gone: all
 * versions of the key are deleted too, the markers last seen included. */
static iimg_error_t *s3_remove(iimg_context_t *context, const iimg_storage_t *storage,
                               const char *key, bool again)
{
    apr_time_t began = iimg_step_begin(context);
    purge_t purge = { storage, key };
    bool hidden;
    iimg_error_t *err = delete(context, storage, key, NULL, &hidden);

    if (!err && (hidden || again)) {
        err = list(context, storage, key, purge_version, &purge);
    }
    iimg_step_end(context, began, "store remove", key);
    return err;
}

/* Addresses ------------------------------------------------------------------------------------ */

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
    .list = s3_list,
    .purge = s3_purge,
    .sign = s3_sign,
    .epoch = s3_epoch,
};
