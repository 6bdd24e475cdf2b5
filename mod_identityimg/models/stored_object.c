/* stored_object.c - the manifest: every object in the store has a row here before it is written. */
#include "models/stored_object.h"

#include <apr_strings.h>
#include "base/db/array.h"
#include "base/uuid.h"

/* The store is changed as soon as the transaction is confirmed: it must outlive a crash of
 * PostgreSQL also where the operator has turned synchronous_commit off. (Flushing it flushes all
 * before it.) */
#define DURABLE \
    "set_config('synchronous_commit'," \
    " coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), true) AS durable"

static const iimg_statement_t announce = IIMG_STATEMENT(
    "iimg_stored_object_announce",
    "INSERT INTO stored_objects (key, picture, state)"
    " SELECT key, $1::uuid, 'pending' FROM " DURABLE ", unnest($2::text[]) AS key"
    " ON CONFLICT (key) DO NOTHING");

static const iimg_statement_t publish = IIMG_STATEMENT(
    "iimg_stored_object_publish",
    "UPDATE stored_objects SET state = 'live', changed_at = now() FROM " DURABLE
    " WHERE picture = $1::uuid AND state = 'pending'");

/* What was swept while it was being written may be in the store after all: it is doomed once more,
 * and the new claim keeps a sweeper that has looked already from forgetting it. */
static const iimg_statement_t abandon = IIMG_STATEMENT(
    "iimg_stored_object_abandon",
    "INSERT INTO stored_objects AS o (key, picture, state, claim, attempts, retry_at)"
    " SELECT key, $1::uuid, 'doomed', $3::uuid, 1, now() + interval '1 minute'"
    "   FROM unnest($2::text[]) AS key"
    " ON CONFLICT (key) DO UPDATE SET state = 'doomed', changed_at = now(),"
    "   claim = EXCLUDED.claim, attempts = o.attempts + 1, retry_at = EXCLUDED.retry_at"
    " WHERE o.state IN ('pending', 'doomed')"
    " RETURNING o.key, o.attempts > 1");

#define CLAIM \
    "UPDATE stored_objects SET claim = $1::uuid, attempts = attempts + 1," \
    " retry_at = now() + least(interval '1 minute' * 2 ^ least(attempts, 10), interval '15 minutes')" \
    " FROM " DURABLE

/* now() is when the transaction began: it is the time that its own dooming bears. */
static const iimg_statement_t claim_own = IIMG_STATEMENT(
    "iimg_stored_object_claim_own",
    CLAIM " WHERE state = 'doomed' AND changed_at = now() RETURNING key, attempts > 1");

static const iimg_statement_t claim_due = IIMG_STATEMENT(
    "iimg_stored_object_claim_due",
    CLAIM " WHERE key IN (SELECT key FROM stored_objects"
    "                      WHERE state = 'doomed' AND retry_at <= now()"
    "                      ORDER BY retry_at, key LIMIT $2::integer FOR UPDATE SKIP LOCKED)"
    " RETURNING key, attempts > 1");

/* Rows that another node is working on are left to it. */
static const iimg_statement_t expire = IIMG_STATEMENT(
    "iimg_stored_object_expire",
    "WITH let_go AS ("
    "    UPDATE identities SET previous_image = NULL, previous_image_sized = NULL"
    "     WHERE id IN (SELECT i.id FROM identities i"
    "                   WHERE EXISTS (SELECT FROM stored_objects o"
    "                                  WHERE o.key = i.previous_image"
    "                                    AND o.state = 'held' AND o.held_until < now())"
    "                   LIMIT 100 FOR UPDATE OF i SKIP LOCKED)"
    "    RETURNING id)"
    " UPDATE stored_objects SET state = 'doomed', changed_at = now()"
    "  WHERE key IN (SELECT key FROM stored_objects"
    "                 WHERE state = 'pending' AND changed_at < now() - interval '1 hour'"
    "                 ORDER BY changed_at LIMIT 1000 FOR UPDATE SKIP LOCKED)");

/* Nobody waits until the disk has it: what a crash of PostgreSQL brings back is deleted once more,
 * which is nothing. */
static const iimg_statement_t forget = IIMG_STATEMENT(
    "iimg_stored_object_forget",
    "DELETE FROM stored_objects USING set_config('synchronous_commit', 'off', true) AS relaxed"
    " WHERE key = ANY ($2::text[]) AND state = 'doomed' AND claim = $1::uuid");

static const iimg_statement_t hurry = IIMG_STATEMENT(
    "iimg_stored_object_hurry",
    "WITH hurried AS ("
    "    UPDATE stored_objects SET retry_at = now() WHERE state = 'doomed' AND retry_at > now())"
    " SELECT now()");

static const iimg_statement_t count_doomed = IIMG_STATEMENT(
    "iimg_stored_object_count_doomed",
    "SELECT count(*) FROM stored_objects WHERE state = 'doomed' AND changed_at <= $1::timestamptz");

static const iimg_statement_t unknown_keys = IIMG_STATEMENT(
    "iimg_stored_object_unknown",
    "SELECT listed.key FROM unnest($1::text[]) AS listed (key)"
    " WHERE NOT EXISTS (SELECT FROM stored_objects o WHERE o.key = listed.key)");

static const iimg_statement_t shown = IIMG_STATEMENT(
    "iimg_stored_object_shown",
    "SELECT key, state FROM stored_objects"
    " WHERE key > $1::text AND state IN ('live', 'held') ORDER BY key LIMIT $2::integer");

/* By key, which the index has: keys are random. */
static const iimg_statement_t sample = IIMG_STATEMENT(
    "iimg_stored_object_sample",
    "SELECT key FROM stored_objects WHERE state IN ('live', 'held')"
    " ORDER BY key LIMIT $1::integer");

static const iimg_statement_t state_of = IIMG_STATEMENT(
    "iimg_stored_object_state",
    "SELECT state FROM stored_objects WHERE key = $1::text AND state IN ('live', 'held')");

/* A picture with derivatives has four objects, a generated one has one. */
static const iimg_statement_t unbacked = IIMG_STATEMENT(
    "iimg_stored_object_unbacked",
    "SELECT place || ' ' || id || ' ' || image FROM ("
    "    SELECT 'reference_images' AS place, id, image, 4 AS objects, 'live' AS state"
    "      FROM reference_images"
    "    UNION ALL SELECT 'identities', id, image, 4, 'live' FROM identities"
    "    UNION ALL SELECT 'identities', id, previous_image, 4, 'held' FROM identities"
    "    UNION ALL SELECT 'generation_jobs', id, image, 1, 'live' FROM generation_jobs) AS r"
    " WHERE image IS NOT NULL"
    "   AND (NOT EXISTS (SELECT FROM stored_objects o WHERE o.key = r.image AND o.state = r.state)"
    "        OR objects <> (SELECT count(*) FROM stored_objects o"
    "                        WHERE o.picture = iimg_picture_of(r.image) AND o.state = r.state))"
    " ORDER BY 1 LIMIT $1::integer");

static apr_array_header_t *first_column(iimg_context_t *context, const iimg_rows_t *rows)
{
    apr_array_header_t *texts = apr_array_make(context->pool, rows->count + 1,
                                               sizeof(const char *));

    for (int row = 0; row < rows->count; row++) {
        APR_ARRAY_PUSH(texts, const char *) = iimg_rows_text(rows, row, 0);
    }
    return texts;
}

static iimg_error_t *take(iimg_context_t *context, const iimg_statement_t *statement, int count,
                          const char *const *params, const char *id, iimg_claim_t *claim)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    if (!err) {
        claim->id = id;
        claim->keys = first_column(context, rows);
        claim->again = apr_array_make(context->pool, rows->count + 1, sizeof(bool));
        for (int row = 0; row < rows->count; row++) {
            APR_ARRAY_PUSH(claim->again, bool) = iimg_rows_bool(rows, row, 1);
        }
    }
    return err;
}

iimg_error_t *iimg_stored_object_announce(iimg_context_t *context, const char *picture,
                                          const apr_array_header_t *keys)
{
    return iimg_db_query(context, &announce,
                         IIMG_PARAMS(picture, iimg_db_array_format(context->pool, keys)), NULL);
}

iimg_error_t *iimg_stored_object_publish(iimg_context_t *context, const char *picture, int count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &publish, IIMG_PARAMS(picture), &rows);

    if (!err && rows->affected != count) {
        err = iimg_error_detail(iimg_error(context->pool, IIMG_UNAVAILABLE,
                                           "Storing the picture took too long. "
                                           "Nothing was changed."),
                                "%d of %d objects of %s were still pending", rows->affected, count,
                                picture);
    }
    return err;
}

iimg_error_t *iimg_stored_object_abandon(iimg_context_t *context, const char *picture,
                                         const apr_array_header_t *keys, iimg_claim_t *claim)
{
    const char *id = iimg_uuid_create(context->pool);

    return take(context, &abandon,
                IIMG_PARAMS(picture, iimg_db_array_format(context->pool, keys), id), id, claim);
}

iimg_error_t *iimg_stored_object_claim_own(iimg_context_t *context, iimg_claim_t *claim)
{
    const char *id = iimg_uuid_create(context->pool);

    return take(context, &claim_own, IIMG_PARAMS(id), id, claim);
}

iimg_error_t *iimg_stored_object_claim_due(iimg_context_t *context, int limit, iimg_claim_t *claim)
{
    const char *id = iimg_uuid_create(context->pool);

    return take(context, &claim_due, IIMG_PARAMS(id, apr_itoa(context->pool, limit)), id, claim);
}

iimg_error_t *iimg_stored_object_expire(iimg_context_t *context)
{
    return iimg_db_query(context, &expire, 0, NULL, NULL);
}

iimg_error_t *iimg_stored_object_forget(iimg_context_t *context, const iimg_claim_t *claim,
                                        const apr_array_header_t *keys)
{
    return iimg_db_query(context, &forget,
                         IIMG_PARAMS(claim->id, iimg_db_array_format(context->pool, keys)), NULL);
}

iimg_error_t *iimg_stored_object_hurry(iimg_context_t *context, const char **now)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &hurry, 0, NULL, &rows);

    if (!err) {
        *now = iimg_rows_text(rows, 0, 0);
    }
    return err;
}

iimg_error_t *iimg_stored_object_count_doomed(iimg_context_t *context, const char *time,
                                              long long *count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &count_doomed, IIMG_PARAMS(time), &rows);

    if (!err) {
        *count = iimg_rows_integer(rows, 0, 0);
    }
    return err;
}

iimg_error_t *iimg_stored_object_unknown(iimg_context_t *context, const apr_array_header_t *keys,
                                         apr_array_header_t **unknown)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(
        context, &unknown_keys, IIMG_PARAMS(iimg_db_array_format(context->pool, keys)), &rows);

    if (!err) {
        *unknown = first_column(context, rows);
    }
    return err;
}

iimg_error_t *iimg_stored_object_shown(iimg_context_t *context, const char *after, int limit,
                                       apr_array_header_t **objects)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &shown,
                                      IIMG_PARAMS(after, apr_itoa(context->pool, limit)), &rows);

    if (err) {
        return err;
    }
    *objects = apr_array_make(context->pool, rows->count + 1, sizeof(iimg_stored_object_t));
    for (int row = 0; row < rows->count; row++) {
        APR_ARRAY_PUSH(*objects, iimg_stored_object_t) = (iimg_stored_object_t){
            iimg_rows_text(rows, row, 0), iimg_rows_text(rows, row, 1)
        };
    }
    return NULL;
}

iimg_error_t *iimg_stored_object_sample(iimg_context_t *context, int limit,
                                        apr_array_header_t **keys)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &sample, IIMG_PARAMS(apr_itoa(context->pool, limit)),
                                      &rows);

    if (!err) {
        *keys = first_column(context, rows);
    }
    return err;
}

iimg_error_t *iimg_stored_object_state(iimg_context_t *context, const char *key, const char **state)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &state_of, IIMG_PARAMS(key), &rows);

    *state = !err && rows->count > 0 ? iimg_rows_text(rows, 0, 0) : NULL;
    return err;
}

iimg_error_t *iimg_stored_object_unbacked(iimg_context_t *context, int limit,
                                          apr_array_header_t **found)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &unbacked,
                                      IIMG_PARAMS(apr_itoa(context->pool, limit)), &rows);

    if (!err) {
        *found = first_column(context, rows);
    }
    return err;
}
