/* client.c - a client for a bucket of an S3 store: signed requests, retries, errors, URLs.
 *
 * Owns connections, credentials, and the region and clock that the store has reported; the lock
 * guards the latter two. Any thread of a child may call it; iimg_s3_send blocks for
 * settings->timeout at most. Only requests that are safe to repeat are sent here: keys are unique
 * and objects never change, so every call may be retried. Secrets and signed URLs must not appear
 * in logs or errors.
 *
 * A round signs and sends all pending calls in parallel. Calls that failed temporarily, or with a
 * wrong region or clock, take part in the next round. */
#include "services/s3/client.h"

#include <stdlib.h>
#include <string.h>
#include <apr_date.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include "base/fault.h"
#include "base/log.h"
#include "services/s3/address.h"
#include "services/s3/retry.h"
#include "services/s3/xml.h"

#define ATTEMPTS   3
#define STANDSTILL (ATTEMPTS + 1) /* an attempt may stand still for this part of the timeout */

struct iimg_s3_client_t {
    const iimg_s3_settings_t *settings;
    iimg_http_clients_t *connections;
    iimg_s3_credentials_t *credentials;
    apr_thread_mutex_t *lock; /* guards region and ahead */
    char region[IIMG_S3_MAX_REGION];
    apr_interval_time_t ahead; /* the store's clock minus ours */
};

/* The signing key and URL for all calls of a round. */
typedef struct round_t {
    iimg_sigv4_credentials_t credentials;
    const char *region;
    iimg_s3_address_t address;
    iimg_sigv4_key_t *key;
    apr_time_t deadline;
} round_t;

iimg_s3_client_t *iimg_s3_client_create(apr_pool_t *pool, const iimg_s3_settings_t *settings)
{
    iimg_s3_client_t *client = apr_pcalloc(pool, sizeof(*client));

    client->settings = settings;
    client->connections = iimg_http_clients_create(pool);
    client->credentials = iimg_s3_credentials_create(pool, settings->source);
    apr_cpystrn(client->region, settings->region, sizeof(client->region));
    return client->connections && client->credentials
                   && apr_thread_mutex_create(&client->lock, APR_THREAD_MUTEX_DEFAULT, pool)
                          == APR_SUCCESS
               ? client
               : NULL;
}

/* The store's region and clock ----------------------------------------------------------------- */

static const char *get_region(apr_pool_t *pool, iimg_s3_client_t *client,
                              apr_interval_time_t *ahead)
{
    const char *region;

    apr_thread_mutex_lock(client->lock);
    region = apr_pstrdup(pool, client->region);
    *ahead = client->ahead;
    apr_thread_mutex_unlock(client->lock);
    return region;
}

const char *iimg_s3_client_region(apr_pool_t *pool, iimg_s3_client_t *client)
{
    apr_interval_time_t ahead;

    return get_region(pool, client, &ahead);
}

static apr_uint32_t add_to_hash(apr_uint32_t hash, const char *text)
{
    for (const char *c = text; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    }
    return hash;
}

apr_int64_t iimg_s3_client_epoch(iimg_context_t *context, iimg_s3_client_t *client)
{
    const iimg_s3_settings_t *settings = client->settings;
    apr_interval_time_t ahead;
    const char *region = get_region(context->pool, client, &ahead);
    bool is_other = ahead || strcmp(region, settings->region) != 0;
    iimg_sigv4_credentials_t now = { .access_key = "" };
    apr_uint32_t hash = 2166136261u; /* FNV-1a */

    if (!settings->is_public && iimg_s3_source_changes(settings->source)
        && !iimg_s3_credentials_get(context, client->credentials, &now)) {
        hash = add_to_hash(hash, now.access_key);
    }
    if (is_other) {
        hash = add_to_hash(add_to_hash(hash, region),
                           apr_ltoa(context->pool, (long)apr_time_sec(ahead)));
    }
    return *now.access_key || is_other ? hash & 0x7fffffff : 0;
}

static bool is_region(const char *text)
{
    size_t n = text ? strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_") : 0;

    return n > 0 && n < IIMG_S3_MAX_REGION && text[n] == '\0';
}

/* @return whether to sign the call again */
static bool learn_region(iimg_context_t *context, iimg_s3_client_t *client, iimg_s3_call_t *call)
{
    const iimg_http_response_t *response = call->response;
    const char *region = apr_table_get(response->headers, "x-amz-bucket-region");
    bool malformed = call->code && strcmp(call->code, "AuthorizationHeaderMalformed") == 0;

    if (call->moved || (response->status != 301 && !malformed)) {
        return false;
    }
    if (!region) {
        region = iimg_s3_xml_text(context->pool, response->body, response->length, "Region");
    }
    if (!is_region(region)) {
        return false;
    }
    call->moved = true;
    apr_thread_mutex_lock(client->lock);
    apr_cpystrn(client->region, region, sizeof(client->region));
    apr_thread_mutex_unlock(client->lock);
    iimg_log(context, IIMG_LOG_INFO, "bucket %s is in region %s: set IdentityImgS3Region to it",
             client->settings->bucket, region);
    return true;
}

static bool learn_clock(iimg_context_t *context, iimg_s3_client_t *client, iimg_s3_call_t *call)
{
    apr_time_t theirs = apr_date_parse_http(apr_table_get(call->response->headers, "Date"));
    apr_interval_time_t ahead = theirs - apr_time_now();

    if (call->skewed || !theirs || !call->code || strcmp(call->code, "RequestTimeTooSkewed") != 0) {
        return false;
    }
    call->skewed = true;
    apr_thread_mutex_lock(client->lock);
    client->ahead = ahead;
    apr_thread_mutex_unlock(client->lock);
    iimg_log(
        context, IIMG_LOG_WARNING,
        "IIMG0202: the clocks of the picture store and this machine differ by %" APR_INT64_T_FMT
        " s; requests are signed with the store's time; synchronize this machine's clock",
        apr_time_sec(ahead));
    return true;
}

/* Sending -------------------------------------------------------------------------------------- */

/* @param time of the signature, by our clock */
static iimg_error_t *begin_round(iimg_context_t *context, iimg_s3_client_t *client, apr_time_t time,
                                 round_t *round)
{
    apr_interval_time_t ahead;
    iimg_error_t *err = iimg_s3_credentials_get(context, client->credentials, &round->credentials);

    if (err) {
        return err;
    }
    round->region = get_region(context->pool, client, &ahead);
    round->address = iimg_s3_address(context->pool, client->settings, round->region);
    round->key = iimg_sigv4_key(context->pool, &round->credentials, round->region, "s3",
                                time + ahead);
    return round->key ? NULL : iimg_error_internal(context->pool, "OpenSSL: cannot make an HMAC");
}

static void add_line(apr_array_header_t *lines, const char *name, const char *value)
{
    /* curl removes headers with an empty value. */
    APR_ARRAY_PUSH(lines, const char *) = apr_pstrcat(lines->pool, name, ": ", value, NULL);
}

static bool sign_request(iimg_context_t *context, const round_t *round, const iimg_s3_call_t *call,
                         const char *path, apr_array_header_t *lines)
{
    apr_pool_t *pool = context->pool;
    apr_array_header_t *fields = apr_array_make(pool, call->header_count + 4,
                                                sizeof(iimg_sigv4_field_t));
    iimg_sigv4_request_t request = { call->method, path, call->query, call->query_count };
    const iimg_sigv4_field_t ours[] = {
        { "host", round->address.host },
        { "x-amz-date", round->key->stamp },
        { "x-amz-content-sha256", iimg_sigv4_hash(pool, call->data, call->length) },
        { "x-amz-security-token", round->credentials.session_token },
    };
    const char *authorization;

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (ours[i].value) {
            APR_ARRAY_PUSH(fields, iimg_sigv4_field_t) = ours[i];
        }
    }
    for (int i = 0; i < call->header_count; i++) {
        APR_ARRAY_PUSH(fields, iimg_sigv4_field_t) = call->headers[i];
    }
    request.headers = (const iimg_sigv4_field_t *)fields->elts;
    request.header_count = fields->nelts;
    request.payload = ours[2].value;
    authorization = request.payload ? iimg_sigv4_authorization(pool, round->key, &request) : NULL;
    for (int i = 1; i < fields->nelts; i++) { /* curl sends the same Host itself */
        add_line(lines, request.headers[i].name, request.headers[i].value);
    }
    add_line(lines, "Authorization", authorization ? authorization : "");
    if (context->trace) {
        add_line(lines, "traceparent", context->trace);
    }
    return authorization != NULL;
}

static bool build_request(iimg_context_t *context, const iimg_s3_settings_t *settings,
                          const round_t *round, const iimg_s3_call_t *call,
                          iimg_http_chunk_t *chunk, iimg_http_request_t *http)
{
    apr_pool_t *pool = context->pool;
    apr_array_header_t *lines = apr_array_make(pool, 12, sizeof(const char *));
    const char *path = iimg_s3_address_path(pool, settings, &round->address, call->key);
    const char *query = iimg_sigv4_query(pool, call->query, call->query_count);

    *chunk = (iimg_http_chunk_t){ call->data, call->length };
    *http = (iimg_http_request_t){
        .method = call->method,
        .url = apr_pstrcat(pool, round->address.scheme, "://", round->address.host, path,
                           *query ? "?" : "", query, NULL),
        .headers = lines,
        .body = chunk,
        .body_chunks = call->length ? 1 : 0,
        .allow_http = strcmp(round->address.scheme, "http") == 0,
        .connect_timeout = settings->connect_timeout,
        .timeout = settings->timeout,
        .deadline = round->deadline,
        .standstill = apr_time_from_sec(settings->timeout) / STANDSTILL,
        .ca_file = settings->ca_file,
        .max_response = call->max_response,
    };
    return sign_request(context, round, call, path, lines);
}

static void read_response(iimg_context_t *context, iimg_s3_call_t *call,
                          iimg_http_response_t *response)
{
    const char *after = apr_table_get(response->headers, "Retry-After");

    call->response = response;
    call->sent++;
    call->code = response->status >= 300
                     ? iimg_s3_xml_text(context->pool, response->body, response->length, "Code")
                     : NULL;
    call->again_after = after && strspn(after, "0123456789") == strlen(after) && strlen(after) < 6
                            ? atoi(after)
                            : 0;
}

static iimg_error_t *send_round(iimg_context_t *context, iimg_s3_client_t *client, round_t *round,
                                iimg_s3_call_t **calls, int count)
{
    iimg_http_request_t http[IIMG_HTTP_AT_ONCE];
    iimg_http_response_t *responses[IIMG_HTTP_AT_ONCE];
    iimg_http_chunk_t chunks[IIMG_HTTP_AT_ONCE];
    iimg_error_t *err = begin_round(context, client, apr_time_now(), round);

    if (err) {
        return err;
    }
    for (int i = 0; i < count; i++) {
        if (!build_request(context, client->settings, round, calls[i], &chunks[i], &http[i])) {
            return iimg_error_internal(context->pool, "OpenSSL: cannot make a hash");
        }
    }
    iimg_http_send_all(context, context->pool, client->connections, http, count, responses);
    for (int i = 0; i < count; i++) {
        read_response(context, calls[i], responses[i]);
    }
    return NULL;
}

/* Retries -------------------------------------------------------------------------------------- */

bool iimg_s3_succeeded(const iimg_s3_call_t *call)
{
    return call->response->outcome == IIMG_HTTP_OK && call->response->status >= 200
           && call->response->status < 300;
}

/* Move the calls to retry to the start of `calls`. @param at_once without a pause @return how many
 */
static int choose_retries(iimg_context_t *context, iimg_s3_client_t *client, iimg_s3_call_t **calls,
                          int count, bool *at_once)
{
    int again = 0;

    *at_once = true;
    for (int i = 0; i < count; i++) {
        bool resign = !iimg_s3_succeeded(calls[i])
                      && (learn_region(context, client, calls[i])
                          || learn_clock(context, client, calls[i]));

        if (resign || iimg_s3_is_passing(calls[i])) {
            *at_once = *at_once && resign;
            calls[again++] = calls[i];
        }
    }
    return again;
}

iimg_error_t *iimg_s3_send(iimg_context_t *context, iimg_s3_client_t *client, iimg_s3_call_t *all,
                           int count)
{
    round_t round = { .deadline = apr_time_now() + apr_time_from_sec(client->settings->timeout) };
    iimg_s3_call_t *calls[IIMG_HTTP_AT_ONCE];
    bool at_once;

    for (int i = 0; i < count; i++) {
        calls[i] = &all[i];
    }
    for (int attempt = 1;; attempt += !at_once) {
        apr_interval_time_t pause = 0;
        iimg_error_t *err = send_round(context, client, &round, calls, count);

        if (err) {
            return err;
        }
        count = choose_retries(context, client, calls, count, &at_once);
        pause = at_once ? 0 : iimg_s3_pause(calls, count, attempt - 1);
        if (count == 0 || (!at_once && attempt >= ATTEMPTS)
            || apr_time_now() + pause >= round.deadline) {
            return NULL;
        }
        iimg_log(context, IIMG_LOG_DEBUG,
                 "retrying %d requests to the picture store in %d ms; "
                 "the first one failed: %d %s",
                 count, (int)apr_time_as_msec(pause), calls[0]->response->status,
                 calls[0]->code ? calls[0]->code : calls[0]->response->problem);
        apr_sleep(pause);
        (void)IIMG_FAULT("s3.retry");
    }
}

/* Errors --------------------------------------------------------------------------------------- */

static bool has_code(const iimg_s3_call_t *call, const char *code)
{
    return call->code && strcmp(call->code, code) == 0;
}

static iimg_error_t *make_error(iimg_context_t *context, const iimg_s3_call_t *call)
{
    int status = call->response->status;
    bool full = status == 507 || has_code(call, "QuotaExceeded");
    iimg_error_t *err;

    if (call->response->outcome == IIMG_HTTP_TOO_LARGE) {
        return iimg_error(context->pool, IIMG_TOO_LARGE,
                          "The stored picture is larger than allowed.");
    }
    if (status == 404 && *call->key && !has_code(call, "NoSuchBucket")) {
        return iimg_error(context->pool, IIMG_NOT_FOUND, "Not found.");
    }
    err = iimg_error_with_code(
        context->pool, IIMG_UNAVAILABLE, "store_down", "%s",
        full ? "The picture store is full. Nothing was changed."
             : "The picture store is not available at the moment. Nothing was changed.");
    return call->again_after ? iimg_error_retry(err, call->again_after) : err;
}

iimg_error_t *iimg_s3_error(iimg_context_t *context, const iimg_s3_client_t *client,
                            const iimg_s3_call_t *call)
{
    iimg_error_t *err = make_error(context, call);
    const iimg_http_response_t *response = call->response;
    const char *sentence = response->status >= 300 ? iimg_s3_xml_text(context->pool, response->body,
                                                                      response->length, "Message")
                                                   : NULL;
    const char *id = apr_table_get(response->headers, "x-amz-request-id");
    const char *query = iimg_sigv4_query(context->pool, call->query, call->query_count);

    sentence = sentence && *sentence ? sentence : NULL;
    err->one_object = iimg_s3_concerns_one_object(call);
    return iimg_error_detail(
        err, "%s %s/%s%s%s%s: %d %s%s%.300s%s%s%s", call->method, client->settings->bucket,
        client->settings->prefix, call->key, *query ? "?" : "", query, response->status,
        call->code ? call->code : response->problem, sentence ? ": " : "", sentence ? sentence : "",
        id ? " (request " : "", id ? id : "", id ? " of the store)" : "");
}

/* URLs for clients ----------------------------------------------------------------------------- */

struct iimg_s3_signer_t {
    apr_pool_t *pool;
    const iimg_s3_settings_t *settings;
    round_t round;
    int expiry;
};

iimg_error_t *iimg_s3_signer_create(iimg_context_t *context, iimg_s3_client_t *client,
                                    apr_time_t since, int expiry, iimg_s3_signer_t **made)
{
    iimg_s3_signer_t *signer = apr_pcalloc(context->pool, sizeof(*signer));
    apr_interval_time_t ahead;

    *made = signer;
    signer->pool = context->pool;
    signer->settings = client->settings;
    signer->expiry = expiry;
    if (!client->settings->is_public) {
        return begin_round(context, client, since, &signer->round);
    }
    signer->round.region = get_region(context->pool, client, &ahead);
    signer->round.address = iimg_s3_address(context->pool, client->settings, signer->round.region);
    return NULL;
}

static const char *signed_url(iimg_s3_signer_t *signer, const char *key, const char *download)
{
    apr_pool_t *pool = signer->pool;
    const iimg_s3_address_t *address = &signer->round.address;
    const char *path = iimg_s3_address_path(pool, signer->settings, address, key), *query;
    const iimg_sigv4_field_t host = { "host", address->host };
    const iimg_sigv4_field_t disposition = {
        "response-content-disposition",
        download ? apr_psprintf(pool, "attachment; filename=\"%s\"", download) : ""
    };
    iimg_sigv4_request_t request = { "GET", path, &disposition,       download ? 1 : 0,
                                     &host, 1,    IIMG_SIGV4_UNSIGNED };

    query = iimg_sigv4_presign(pool, signer->round.key, &request, signer->expiry);
    return query ? apr_pstrcat(pool, address->scheme, "://", address->host, path, "?", query, NULL)
                 : NULL;
}

const char *iimg_s3_url(iimg_s3_signer_t *signer, const char *key, const char *download)
{
    const iimg_s3_settings_t *settings = signer->settings;
    const iimg_s3_address_t *address = &signer->round.address;

    if (!settings->is_public) {
        return signed_url(signer, key, download);
    }
    if (settings->public_url) {
        return apr_pstrcat(signer->pool, settings->public_url, "/", settings->prefix, key, NULL);
    }
    return apr_pstrcat(signer->pool, address->scheme, "://", address->host,
                       iimg_s3_address_path(signer->pool, settings, address, key), NULL);
}
