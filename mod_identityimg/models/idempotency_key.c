/* idempotency_key.c - outcomes of requests with an Idempotency-Key: rows of idempotency_keys. */
#include "models/idempotency_key.h"

#include <apr_strings.h>
#include "models/query.h"

#define KEPT "interval '24 hours'"

/* The outcome is a generation that failed for a reason that may be temporary. */
#define FAILED_JOB \
    "EXISTS (SELECT FROM generation_jobs j WHERE j.id = k.resource_id AND j.state = 'failed'" \
    "           AND (coalesce(j.error_status, 502) >= 500 OR j.error_status IN (408, 429)))"

/* If the connection breaks, the statement may run twice: then the row already has its own claim. */
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

#define IIMG_ROW iimg_idempotency_outcome_t
#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(fingerprint, TEXT, "k.fingerprint") \
    NEXT(status, INTEGER, "k.status") \
    NEXT(resource_id, TEXT, "k.resource_id") \
    NEXT(error_detail, TEXT, "k.error_detail") \
    NEXT(error_code, TEXT, "k.error_code") \
    NEXT(error_field, TEXT, "k.error_field")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t outcome_type = IIMG_ROW_TYPE(columns);

static const iimg_statement_t read_key = IIMG_STATEMENT(
    "iimg_idempotency_key_read",
    "SELECT " COLUMNS
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
    return iimg_query_one(context, &outcome_type, &read_key, IIMG_PARAMS(key->user_id, key->key),
                          outcome);
}

iimg_error_t *iimg_idempotency_key_record(iimg_context_t *context,
                                          const iimg_idempotency_key_t *key,
                                          const iimg_idempotency_outcome_t *outcome, bool *held)
{
    const char *status = outcome->status ? apr_itoa(context->pool, outcome->status) : NULL;

    return iimg_query_change_one(context, &record,
                                 IIMG_PARAMS(key->user_id, key->key, key->claim, status,
                                             outcome->resource_id, outcome->error_detail,
                                             outcome->error_code, outcome->error_field),
                                 held);
}

iimg_error_t *iimg_idempotency_key_spoil(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                         const char *detail)
{
    return iimg_db_query(context, &spoil, IIMG_PARAMS(key->user_id, key->key, key->claim, detail),
                         NULL);
}

iimg_error_t *iimg_idempotency_key_release(iimg_context_t *context,
                                           const iimg_idempotency_key_t *key)
{
    return iimg_db_query(context, &release, IIMG_PARAMS(key->user_id, key->key, key->claim), NULL);
}

iimg_error_t *iimg_idempotency_key_expire(iimg_context_t *context, int *count)
{
    return iimg_query_change(context, &expire, 0, NULL, count);
}
