/* idempotency.c - the header Idempotency-Key: a repeated request gets the first one's response. */
#include "server/http/idempotency.h"

#include <string.h>
#include <apr_escape.h>
#include <apr_strings.h>
#include <openssl/evp.h>
#include "base/uuid.h"
#include "functions/shared/idempotency.h"
#include "models/user.h"
#include "server/http/response.h"

#define MAX_KEY      255
#define DIGEST_BYTES 32
#define GRACE        120 /* seconds that a key stays locked beyond the longest work */

/* @param key NULL: the request has none */
static iimg_error_t *read_key(const iimg_request_t *req, const char **key)
{
    const char *text = apr_table_get(req->r->headers_in, "Idempotency-Key");
    size_t length = text ? strlen(text) : 1;

    *key = text;
    for (size_t i = 0; text && i < length; i++) {
        length = text[i] < '!' || text[i] > '~' ? 0 : length;
    }
    return length >= 1 && length <= MAX_KEY
               ? NULL
               : iimg_error_code(
                   iimg_error(req->context->pool, IIMG_INVALID,
                              "An Idempotency-Key has 1 to %d visible ASCII characters.", MAX_KEY),
                   "idempotency_key_invalid");
}

static void add_bytes(void *digest, const char *data, apr_size_t length)
{
    EVP_DigestUpdate(digest, &length, sizeof(length)); /* marks where a value ends */
    EVP_DigestUpdate(digest, data, length);
}

static void add_text(void *digest, const char *text)
{
    add_bytes(digest, text ? text : "", text ? strlen(text) : 0);
}

static void add_secret(void *mac, const char *data, apr_size_t length)
{
    EVP_MAC_update(mac, (const unsigned char *)&length, sizeof(length));
    EVP_MAC_update(mac, (const unsigned char *)data, length);
}

static void note_secret(void *found, const char *data, apr_size_t length)
{
    (void)data, (void)length;
    *(bool *)found = true;
}

/* Passwords are hashed with the server's secret: a reader of the table cannot guess them. */
static bool add_secrets(EVP_MD_CTX *md, const iimg_request_t *req, const iimg_input_t *input)
{
    unsigned char digest[DIGEST_BYTES];
    size_t length = 0;
    bool found = false, made;
    EVP_MAC_CTX *mac;

    iimg_input_visit_secrets(input, note_secret, &found);
    if (!found) {
        return true;
    }
    mac = iimg_media_keyed(req->context->services->media, "idempotency");
    if (mac) {
        iimg_input_visit_secrets(input, add_secret, mac);
    }
    made = mac && EVP_MAC_final(mac, digest, &length, sizeof(digest))
           && EVP_DigestUpdate(md, digest, length);
    EVP_MAC_CTX_free(mac);
    return made;
}

/* Of fields, not bytes: a repeated form has another boundary. @param input NULL: no body */
static const char *fingerprint(const iimg_request_t *req, const iimg_input_t *input)
{
    unsigned char digest[DIGEST_BYTES];
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool made = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL);

    if (made) {
        add_text(md, req->r->method);
        add_text(md, req->r->uri);
        add_text(md, req->r->args);
        add_text(md, req->context->caller->id);
        if (input) {
            iimg_input_visit(input, add_bytes, md);
        }
        made = (!input || add_secrets(md, req, input)) && EVP_DigestFinal_ex(md, digest, NULL);
    }
    EVP_MD_CTX_free(md);
    return made ? apr_pescape_hex(req->context->pool, digest, DIGEST_BYTES, 0) : NULL;
}

static iimg_error_t *replay_error(const iimg_request_t *req,
                                  const iimg_idempotency_outcome_t *outcome)
{
    iimg_error_t *err = iimg_error(req->context->pool, IIMG_INVALID, "%s",
                                   outcome->error_detail ? outcome->error_detail : "");

    err->http_status = outcome->status;
    err->code = outcome->error_code;
    err->field = outcome->error_field;
    return err;
}

static iimg_error_t *lock_key(iimg_request_t *req, const char *text, const char *print, int seconds,
                              int patience, const iimg_replay_t **replay)
{
    apr_pool_t *pool = req->context->pool;
    iimg_idempotency_key_t *key = apr_palloc(pool, sizeof(*key));
    const iimg_idempotency_outcome_t *outcome = NULL;
    iimg_replay_t *again;
    iimg_error_t *err;

    *key = (iimg_idempotency_key_t){ req->context->caller->id, text, print,
                                     iimg_uuid_create(pool) };
    err = iimg_idempotency_begin(req->context, key, seconds + GRACE, apr_time_from_sec(patience),
                                 &outcome);
    if (err || !outcome) {
        return err;
    }
    apr_table_setn(req->r->headers_out, "Idempotent-Replayed", "true");
    if (!outcome->resource_id) {
        return replay_error(req, outcome);
    }
    again = apr_palloc(pool, sizeof(*again));
    *again = (iimg_replay_t){ outcome->status, outcome->resource_id,
                              outcome->error_detail != NULL };
    *replay = again;
    return NULL;
}

iimg_error_t *iimg_request_input_once(iimg_request_t *req, int seconds, int patience,
                                      iimg_input_t **input, const iimg_replay_t **replay)
{
    const char *text, *print;
    iimg_error_t *err = read_key(req, &text);

    *replay = NULL;
    if (!err && input) {
        err = iimg_request_input(req, input);
    }
    if (err || !text) {
        return err;
    }
    print = fingerprint(req, input ? *input : NULL);
    if (!print) {
        return iimg_error_internal(req->context->pool, "OpenSSL made no digest");
    }
    return lock_key(req, text, print, seconds, patience, replay);
}

bool iimg_request_has_key(const iimg_request_t *req)
{
    return apr_table_get(req->r->headers_in, "Idempotency-Key") != NULL;
}

/* Errors that a retry would repeat are recorded; others are not. */
static bool is_final(const iimg_error_t *err)
{
    switch (err->kind) {
    case IIMG_INVALID:
    case IIMG_NOT_FOUND:
    case IIMG_CONFLICT:
    case IIMG_TOO_LARGE:
    case IIMG_UNSUPPORTED_TYPE:
    case IIMG_REFUSED:
        return true;
    default:
        return false;
    }
}

void iimg_idempotency_settle(iimg_context_t *context, const iimg_error_t *err)
{
    if (!context->idempotency || !err) {
        return; /* a success is recorded with its row */
    }
    if (is_final(err)) {
        iimg_error_t kept = *err;

        kept.code = iimg_respond_code(err);
        iimg_idempotency_record_error(context, iimg_respond_status(err), &kept);
    }
    else {
        iimg_idempotency_release(context);
        iimg_idempotency_spoil(context, err);
    }
    context->idempotency = NULL;
}
