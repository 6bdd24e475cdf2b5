/* stored_object.c - the manifest of the picture store: rows of stored_objects. */
#include "models/stored_object.h"

#include <apr_strings.h>
#include "base/db/array.h"
#include "base/uuid.h"
#include "models/query.h"
#include "services/pictures/derivatives.h"

/* The store changes right after the commit, which therefore must survive a crash of PostgreSQL,
 * even if the operator has set synchronous_commit to off. (The flush includes all earlier commits.)
 */
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

/* An object that was swept while being written may exist in the store again. It is doomed again,
 * and the new claim prevents that a sweeper that has already deleted it forgets it. */
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

/* now() is the start of the transaction: the time with which its triggers doom objects. */
static const iimg_statement_t claim_own = IIMG_STATEMENT(
    "iimg_stored_object_claim_own",
    CLAIM " WHERE state = 'doomed' AND changed_at = now() RETURNING key, attempts > 1");

static const iimg_statement_t claim_due = IIMG_STATEMENT(
    "iimg_stored_object_claim_due",
    CLAIM " WHERE key IN (SELECT key FROM stored_objects"
    "                      WHERE state = 'doomed' AND retry_at <= now()"
    "                      ORDER BY retry_at, key LIMIT $2::integer FOR UPDATE SKIP LOCKED)"
    " RETURNING key, attempts > 1");

/* Skips rows that another node has locked. */
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

/* Does not wait for the disk: rows that a crash of PostgreSQL restores are deleted again. */
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

#define IIMG_ROW iimg_stored_object_t

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(key, TEXT, "key") \
    NEXT(state, TEXT, "state")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t object_type = IIMG_ROW_TYPE(columns);

static const iimg_statement_t shown = IIMG_STATEMENT(
    "iimg_stored_object_shown",
    "SELECT " COLUMNS " FROM stored_objects"
    " WHERE key > $1::text AND state IN ('live', 'held') ORDER BY key LIMIT $2::integer");

/* In the order of the index on keys, which are random. */
static const iimg_statement_t sample = IIMG_STATEMENT(
    "iimg_stored_object_sample",
    "SELECT key FROM stored_objects WHERE state IN ('live', 'held')"
    " ORDER BY key LIMIT $1::integer");

static const iimg_statement_t state_of = IIMG_STATEMENT(
    "iimg_stored_object_state",
    "SELECT state FROM stored_objects WHERE key = $1::text AND state IN ('live', 'held')");

/* $2 is IIMG_PICTURE_OBJECTS. A generated picture has one object. */
static const iimg_statement_t unbacked = IIMG_STATEMENT(
    "iimg_stored_object_unbacked",
    "SELECT place || ' ' || id || ' ' || image FROM ("
    "    SELECT 'reference_images' AS place, id, image, $2::integer AS objects, 'live' AS state"
    "      FROM reference_images"
    "    UNION ALL SELECT 'identities', id, image, $2::integer, 'live' FROM identities"
    "    UNION ALL SELECT 'identities', id, previous_image, $2::integer, 'held' FROM identities"
    "    UNION ALL SELECT 'generation_jobs', id, image, 1, 'live' FROM generation_jobs) AS r"
    " WHERE image IS NOT NULL"
    "   AND (NOT EXISTS (SELECT FROM stored_objects o WHERE o.key = r.image AND o.state = r.state)"
    "        OR objects <> (SELECT count(*) FROM stored_objects o"
    "                        WHERE o.picture = iimg_picture_of(r.image) AND o.state = r.state))"
    " ORDER BY 1 LIMIT $1::integer");

static iimg_error_t *query_claim(iimg_context_t *context, const iimg_statement_t *statement,
                                 int count, const char *const *params, const char *id,
                                 iimg_claim_t *claim)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    if (err) {
        return err;
    }
    claim->id = id;
    claim->keys = apr_array_make(context->pool, rows->count + 1, sizeof(const char *));
    claim->again = apr_array_make(context->pool, rows->count + 1, sizeof(bool));
    for (int row = 0; row < rows->count; row++) {
        APR_ARRAY_PUSH(claim->keys, const char *) = iimg_rows_text(rows, row, 0);
        APR_ARRAY_PUSH(claim->again, bool) = iimg_rows_bool(rows, row, 1);
    }
    return NULL;
}

iimg_error_t *iimg_stored_object_announce(iimg_context_t *context, const char *picture,
                                          const apr_array_header_t *keys)
{
    return iimg_db_query(context, &announce,
                         IIMG_PARAMS(picture, iimg_db_array_format(context->pool, keys)), NULL);
}

iimg_error_t *iimg_stored_object_publish(iimg_context_t *context, const char *picture, int count)
{
    int published;
    iimg_error_t *err = iimg_query_change(context, &publish, IIMG_PARAMS(picture), &published);

    if (err) {
        return err;
    }
    if (published != count) {
        return iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, NULL,
                                      "Storing the picture took too long. Nothing was changed.",
                                      "%d of %d objects of %s were still pending", published, count,
                                      picture);
    }
    return NULL;
}

iimg_error_t *iimg_stored_object_abandon(iimg_context_t *context, const char *picture,
                                         const apr_array_header_t *keys, iimg_claim_t *claim)
{
    const char *id = iimg_uuid_create(context->pool);

    return query_claim(context, &abandon,
                       IIMG_PARAMS(picture, iimg_db_array_format(context->pool, keys), id), id,
                       claim);
}

iimg_error_t *iimg_stored_object_claim_own(iimg_context_t *context, iimg_claim_t *claim)
{
    const char *id = iimg_uuid_create(context->pool);

    return query_claim(context, &claim_own, IIMG_PARAMS(id), id, claim);
}

iimg_error_t *iimg_stored_object_claim_due(iimg_context_t *context, int limit, iimg_claim_t *claim)
{
    const char *id = iimg_uuid_create(context->pool);

    return query_claim(context, &claim_due, IIMG_PARAMS(id, apr_itoa(context->pool, limit)), id,
                       claim);
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

    if (err) {
        return err;
    }
    *now = iimg_rows_text(rows, 0, 0);
    return NULL;
}

iimg_error_t *iimg_stored_object_count_doomed(iimg_context_t *context, const char *time,
                                              long long *count)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &count_doomed, IIMG_PARAMS(time), &rows);

    if (err) {
        return err;
    }
    *count = iimg_rows_integer(rows, 0, 0);
    return NULL;
}

iimg_error_t *iimg_stored_object_unknown(iimg_context_t *context, const apr_array_header_t *keys,
                                         apr_array_header_t **unknown)
{
    return iimg_query_texts(context, &unknown_keys,
                            IIMG_PARAMS(iimg_db_array_format(context->pool, keys)), unknown);
}

iimg_error_t *iimg_stored_object_shown(iimg_context_t *context, const char *after, int limit,
                                       apr_array_header_t **objects)
{
    return iimg_query_list(context, &object_type, &shown,
                           IIMG_PARAMS(after, apr_itoa(context->pool, limit)), objects);
}

iimg_error_t *iimg_stored_object_sample(iimg_context_t *context, int limit,
                                        apr_array_header_t **keys)
{
    return iimg_query_texts(context, &sample, IIMG_PARAMS(apr_itoa(context->pool, limit)), keys);
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
    const char *limit_text = apr_itoa(context->pool, limit);
    const char *objects = apr_itoa(context->pool, IIMG_PICTURE_OBJECTS);

    return iimg_query_texts(context, &unbacked, IIMG_PARAMS(limit_text, objects), found);
}
