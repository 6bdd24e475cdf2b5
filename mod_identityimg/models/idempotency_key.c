/* idempotency_key.c - what came of requests that may be sent again: rows of idempotency_keys. */
#include "models/idempotency_key.h"

#include <apr_strings.h>

#define KEPT "interval '24 hours'"

/* What stands under the key when that is a generation that failed, and may go better next time. */
#define FAILED_JOB \
    "EXISTS (SELECT FROM generation_jobs j WHERE j.id = k.resource_id AND j.state = 'failed'" \
    "           AND (coalesce(j.error_status, 502) >= 500 OR j.error_status IN (408, 429)))"

/* A claim may be sent twice, when the connection dies under it: its own row is no other's. */
static const iimg_statement_t claim = IIMG_STATEMENT(
    "iimg_idempotency_key_claim",
    "INSERT INTO idempotency_keys AS k (user_id, key, fingerprint, claim, lease_expires_at)"
    " VALUES ($1::uuid, $2::text, $3::text, $4::uuid, now() + make_interval(secs => $5::integer))"
    " ON CONFLICT (user_id, key) DO UPDATE"
    "    SET fingerprint = EXCLUDED.fingerprint, claim = EXCLUDED.claim,"
    "        lease_expires_at = EXCLUDED.lease_expires_at, status = NULL, resource_id = NULL,"
    "        error_detail = NULL, error_code = NULL, error_field = NULL, created_at = now()"
    "  WHERE k.claim = EXCLUDED.claim OR k.created_at < now() - " KEPT
    "     OR (k.status IS NULL AND k.lease_expires_at < now())"
    "     OR (k.status IS NOT NULL AND k.fingerprint = EXCLUDED.fingerprint AND " FAILED_JOB ")"
    " RETURNING k.key");

static const iimg_statement_t read_key = IIMG_STATEMENT(
    "iimg_idempotency_key_read",
    "SELECT k.fingerprint, k.status, k.resource_id, k.error_detail, k.error_code, k.error_field"
    "  FROM idempotency_keys k WHERE k.user_id = $1::uuid AND k.key = $2::text");

static const iimg_statement_t record = IIMG_STATEMENT(
    "iimg_idempotency_key_record",
    "UPDATE idempotency_keys"
    "   SET status = $4::integer, "
    "       resource_id = CASE WHEN $6::text IS NULL THEN coalesce($5::uuid, resource_id) END,"
    "       error_detail = $6::text, error_code = $7::text, error_field = $8::text"
    " WHERE user_id = $1::uuid AND key = $2::text AND claim = $3::uuid AND status IS NULL");

static const iimg_statement_t spoil = IIMG_STATEMENT(
    "iimg_idempotency_key_spoil",
    "UPDATE idempotency_keys SET error_detail = $4::text"
    " WHERE user_id = $1::uuid AND key = $2::text AND claim = $3::uuid AND status IS NOT NULL");

static const iimg_statement_t release = IIMG_STATEMENT(
    "iimg_idempotency_key_release",
    "DELETE FROM idempotency_keys"
    " WHERE user_id = $1::uuid AND key = $2::text AND claim = $3::uuid AND status IS NULL");

static const iimg_statement_t expire = IIMG_STATEMENT(
    "iimg_idempotency_key_expire",
    "DELETE FROM idempotency_keys WHERE (user_id, key) IN"
    " (SELECT user_id, key FROM idempotency_keys WHERE created_at < now() - " KEPT
    "   ORDER BY created_at LIMIT 10000)");

iimg_error_t *iimg_idempotency_key_claim(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                         int lease, bool *claimed)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &claim,
                                      IIMG_PARAMS(key->user_id, key->key, key->fingerprint,
                                                  key->claim, apr_itoa(context->pool, lease)),
                                      &rows);

    *claimed = !err && rows->count > 0;
    return err;
}

iimg_error_t *iimg_idempotency_key_read(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                        iimg_idempotency_outcome_t **outcome)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &read_key, IIMG_PARAMS(key->user_id, key->key),
                                      &rows);

    *outcome = NULL;
    if (err || rows->count == 0) {
        return err;
    }
    *outcome = apr_palloc(context->pool, sizeof(**outcome));
    **outcome = (iimg_idempotency_outcome_t){
        .fingerprint = iimg_rows_text(rows, 0, 0),
        .status = (int)iimg_rows_integer(rows, 0, 1),
        .resource_id = iimg_rows_text(rows, 0, 2),
        .error_detail = iimg_rows_text(rows, 0, 3),
        .error_code = iimg_rows_text(rows, 0, 4),
        .error_field = iimg_rows_text(rows, 0, 5),
    };
    return NULL;
}

iimg_error_t *iimg_idempotency_key_record(iimg_context_t *context,
                                          const iimg_idempotency_key_t *key,
                                          const iimg_idempotency_outcome_t *outcome, bool *held)
{
    const char *status = outcome->status ? apr_itoa(context->pool, outcome->status) : NULL;
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &record,
                                      IIMG_PARAMS(key->user_id, key->key, key->claim, status,
                                                  outcome->resource_id, outcome->error_detail,
                                                  outcome->error_code, outcome->error_field),
                                      &rows);

    *held = !err && rows->affected > 0;
    return err;
}

iimg_error_t *iimg_idempotency_key_spoil(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                         const char *detail)
{
    iimg_rows_t *rows;

    return iimg_db_query(context, &spoil, IIMG_PARAMS(key->user_id, key->key, key->claim, detail),
                         &rows);
}

iimg_error_t *iimg_idempotency_key_release(iimg_context_t *context,
                                           const iimg_idempotency_key_t *key)
{
    iimg_rows_t *rows;

    return iimg_db_query(context, &release, IIMG_PARAMS(key->user_id, key->key, key->claim), &rows);
}

iimg_error_t *iimg_idempotency_key_expire(iimg_context_t *context, int *count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &expire, 0, NULL, &rows);

    *count = err ? 0 : rows->affected;
    return err;
}
