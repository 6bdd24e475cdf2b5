/* s3_list.c - storage driver "s3": lists the objects of a bucket, with their versions. */
#include "services/storage/s3.h"

#include <string.h>
#include <apr_strings.h>
#include "services/pictures/key.h"
#include "services/s3/xml.h"

#define MAX_PAGE (8 * 1024 * 1024) /* of a listing of PAGE entries */
#define PAGE     "1000"

/* The start of a page of a listing. */
typedef struct page_start_t {
    const char *prefix;
    bool plain;           /* list objects, not versions */
    const char *key, *id; /* the page follows these; NULL: the first page */
} page_start_t;

/* Whether the store does not implement versions. Errors of a policy (403) or of a proxy do not
 * count. */
static bool has_no_versions(iimg_context_t *context, const iimg_s3_call_t *call)
{
    static const char *const codes[] = { "NotImplemented", "MethodNotAllowed", "NotSupported",
                                         "UnsupportedOperation" };
    static const char *const words[] = { "versions", "versioning", "not implemented",
                                         "not supported", "unsupported" };
    const iimg_http_response_t *response = call->response;
    const char *message;

    if (response->outcome != IIMG_HTTP_OK || response->status < 400) {
        return false;
    }
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (call->code && strcmp(call->code, codes[i]) == 0) {
            return true;
        }
    }
    message = response->status == 400 && call->code && strncmp(call->code, "Invalid", 7) == 0
                  ? iimg_s3_xml_text(context->pool, response->body, response->length, "Message")
                  : NULL;
    for (size_t i = 0; message && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(message, words[i])) {
            return true;
        }
    }
    return response->status == 501;
}

static int query_versions(iimg_sigv4_field_t *query, const page_start_t *start)
{
    int count = 0;

    query[count++] = (iimg_sigv4_field_t){ "versions", "" };
    if (start->key) {
        query[count++] = (iimg_sigv4_field_t){ "key-marker", start->key };
    }
    if (start->id) {
        query[count++] = (iimg_sigv4_field_t){ "version-id-marker", start->id };
    }
    return count;
}

static int query_objects(iimg_sigv4_field_t *query, const page_start_t *start)
{
    int count = 0;

    query[count++] = (iimg_sigv4_field_t){ "list-type", "2" };
    if (start->key) {
        query[count++] = (iimg_sigv4_field_t){ "continuation-token", start->key };
    }
    return count;
}

/* @param page NULL: versions were requested, but the store has none */
static iimg_error_t *get_page(iimg_context_t *context, const iimg_storage_t *storage,
                              const page_start_t *start, iimg_s3_page_t **page)
{
    iimg_sigv4_field_t query[5];
    iimg_s3_call_t call = { .method = "GET", .key = "", .query = query, .max_response = MAX_PAGE };
    iimg_error_t *err;

    call.query_count = start->plain ? query_objects(query, start) : query_versions(query, start);
    query[call.query_count++] = (iimg_sigv4_field_t){ "max-keys", PAGE };
    query[call.query_count++] = (iimg_sigv4_field_t){
        "prefix", apr_pstrcat(context->pool, storage->s3->prefix, start->prefix, NULL)
    };
    *page = NULL;
    err = iimg_s3_send_one(context, storage, &call);
    if (err) {
        return !start->plain && !start->key && has_no_versions(context, &call) ? NULL : err;
    }
    *page = iimg_s3_xml_page(context->pool, call.response->body, call.response->length);
    if (!*page || (start->plain && !(*page)->plain)) {
        return iimg_s3_error(context, storage->s3_client, &call);
    }
    if ((*page)->plain && !start->plain) { /* the store ignores the parameter `versions` */
        *page = NULL;
    }
    return NULL;
}

/* Skips objects whose names are not our keys: the bucket may hold others. */
static iimg_error_t *visit_page(iimg_context_t *context, const iimg_storage_t *storage,
                                const iimg_s3_page_t *page, iimg_storage_visit_fn visit,
                                void *baton)
{
    size_t prefix = strlen(storage->s3->prefix);
    iimg_error_t *err = NULL;

    for (int i = 0; i < page->versions->nelts && !err; i++) {
        const iimg_s3_version_t *version = &APR_ARRAY_IDX(page->versions, i, iimg_s3_version_t);
        iimg_listed_t listed = { version->key,     version->id,       version->latest,
                                 version->deleted, version->modified, version->length };

        if (strncmp(version->key, storage->s3->prefix, prefix) == 0
            && iimg_key_is_valid(version->key + prefix)) {
            listed.key += prefix;
            err = visit(context, baton, &listed);
        }
    }
    return err;
}

/* Pages alternate between two pools, since each page names the start of the next one.
 * @param versions set to false if they were requested but the store has none; nothing was visited
 */
static iimg_error_t *list_pages(iimg_context_t *context, const iimg_storage_t *storage,
                                page_start_t start, iimg_storage_visit_fn visit, void *baton,
                                bool *versions)
{
    apr_pool_t *pools[2];
    iimg_error_t *err = NULL;
    int turn = 0;

    *versions = true;
    apr_pool_create(&pools[0], context->pool);
    apr_pool_create(&pools[1], context->pool);
    do {
        iimg_context_t paged = *context;
        iimg_s3_page_t *page;

        turn = !turn;
        apr_pool_clear(pools[turn]);
        paged.pool = pools[turn];
        err = get_page(&paged, storage, &start, &page);
        if (err) {
            return err; /* allocated from the page's pool, which stays */
        }
        *versions = page != NULL;
        if (page) {
            err = visit_page(context, storage, page, visit, baton);
        }
        start.key = page ? page->next_key : NULL;
        start.id = page ? page->next_id : NULL;
    } while (start.key && !err);
    apr_pool_destroy(pools[0]);
    apr_pool_destroy(pools[1]);
    return err;
}

iimg_error_t *iimg_s3_list_versions(iimg_context_t *context, const iimg_storage_t *storage,
                                    const char *prefix, iimg_storage_visit_fn visit, void *baton,
                                    bool *versions)
{
    return list_pages(context, storage, (page_start_t){ .prefix = prefix }, visit, baton, versions);
}

iimg_error_t *iimg_s3_list_latest(iimg_context_t *context, const iimg_storage_t *storage,
                                  iimg_storage_visit_fn visit, void *baton)
{
    bool versions;

    return list_pages(context, storage, (page_start_t){ .prefix = "", .plain = true }, visit, baton,
                      &versions);
}

iimg_error_t *iimg_s3_list(iimg_context_t *context, const iimg_storage_t *storage,
                           iimg_storage_visit_fn visit, void *baton)
{
    bool versions;
    iimg_error_t *err = iimg_s3_list_versions(context, storage, "", visit, baton, &versions);

    return err || versions ? err : iimg_s3_list_latest(context, storage, visit, baton);
}
