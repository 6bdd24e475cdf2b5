/*
 * stored_object_test.c - models/stored_object.c: which rows of the manifest each statement takes,
 * to the microsecond, and which it leaves.
 */
#include "models/stored_object.h"

#include "manifest.h"

#define PICTURE_1 "00000000-0000-0000-0000-000000000001"
#define CLAIM_1   "00000000-0000-4000-8000-000000000001"
#define CLAIM_2   "00000000-0000-4000-8000-000000000002"
#define FOUR      "'" PICTURE_1 "/1', '" PICTURE_1 "/2', '" PICTURE_1 "/3', '" PICTURE_1 "/4'"

static const char *again(iimg_context_t *context, const iimg_claim_t *claim)
{
    const char *text = "";

    for (int i = 0; i < claim->again->nelts; i++) {
        text = apr_pstrcat(context->pool, text, APR_ARRAY_IDX(claim->again, i, bool) ? "t" : "f",
                           NULL);
    }
    return text;
}

static void announcing(iimg_context_t *context)
{
    manifest_clear(context);
    manifest_add(context, "b", 2, "live", NULL);
    manifest_add(context, "c", 1, "doomed", NULL);
    manifest_add(context, "d", 2, "pending", NULL);
    manifest_add(context, "e", 1, "live", NULL);
    tap_ok(!iimg_stored_object_announce(context, PICTURE_1, manifest_keys(context, "a", "b", NULL)),
           "keys are announced");
    tap_is(manifest_states(context), "a pending, b live, c doomed, d pending, e live",
           "existing rows do not change");
    tap_ok(iimg_stored_object_publish(context, PICTURE_1, 2) != NULL,
           "a picture of two objects, one of which is pending, cannot be shown");
    tap_is(manifest_states(context), "a live, b live, c doomed, d pending, e live",
           "publishing concerns what is pending, of this picture");
    manifest_sql(context, "UPDATE stored_objects SET state = 'pending' WHERE key = 'a'");
    tap_ok(!iimg_stored_object_publish(context, PICTURE_1, 1),
           "a picture whose objects are all pending can");
    tap_ok(iimg_stored_object_publish(context, PICTURE_1, 1) != NULL,
           "a picture is published once only");
}

static void abandoning(iimg_context_t *context)
{
    iimg_claim_t claim = { NULL };

    manifest_clear(context);
    manifest_add(context, "a", 1, "pending", NULL);
    manifest_add(context, "b", 1, "live", NULL);
    manifest_add(context, "c", 1, "held", NULL);
    manifest_add(context, "d", 1, "doomed", "claim = '" CLAIM_1 "', attempts = 1");
    manifest_add(context, "f", 1, "pending", NULL);
    tap_ok(!iimg_stored_object_abandon(
               context, PICTURE_1, manifest_keys(context, "a", "b", "c", "d", "e", NULL), &claim),
           "keys are abandoned");
    tap_is(manifest_joined(context, claim.keys), "a d e", "live and held objects are not claimed");
    tap_is(again(context, &claim), "ftf", "objects that were claimed before are marked");
    tap_is(manifest_states(context), "a doomed, b live, c held, d doomed, e doomed, f pending",
           "forgotten objects are doomed again, live and held ones are not");
    tap_is(manifest_sql(context,
                        "SELECT string_agg(key, ' ' ORDER BY key) FROM stored_objects"
                        " WHERE claim = '%s' AND retry_at = now() + interval '1 minute'",
                        claim.id),
           "a d e", "the new claim holds for a minute");
    tap_is(manifest_sql(context,
                        "SELECT string_agg(attempts::text, ' ' ORDER BY key) FROM stored_objects"
                        " WHERE state = 'doomed'"),
           "1 2 1", "each claim is counted");
}

static void claiming(iimg_context_t *context)
{
    iimg_claim_t claim = { NULL };

    manifest_clear(context);
    manifest_add(context, "a", 1, "doomed", NULL);
    manifest_add(context, "b", 1, "doomed", "changed_at = now() - interval '1 microsecond'");
    manifest_add(context, "c", 1, "pending", NULL);
    manifest_add(context, "d", 1, "live", NULL);
    tap_ok(!iimg_stored_object_claim_own(context, &claim),
           "a transaction claims what it has doomed");
    tap_is(manifest_joined(context, claim.keys), "a",
           "objects that another transaction doomed are not claimed");
    tap_is(manifest_sql(context,
                        "SELECT string_agg(key, ' ') FROM stored_objects WHERE claim IS NOT NULL"),
           "a", "other rows do not change");

    manifest_clear(context);
    manifest_add(context, "a", 1, "doomed", "retry_at = now()");
    manifest_add(context, "b", 1, "doomed", "retry_at = now() + interval '1 microsecond'");
    manifest_add(context, "c", 1, "doomed", "attempts = 1, retry_at = now() - interval '1 hour'");
    manifest_add(context, "d", 1, "live", NULL);
    manifest_add(context, "e", 1, "pending", NULL);
    manifest_add(context, "f", 1, "held", NULL);
    tap_ok(!iimg_stored_object_claim_due(context, 1, &claim), "a sweeper claims what is due");
    tap_is(manifest_joined(context, claim.keys), "c",
           "the oldest objects are claimed, up to the limit");
    tap_is(again(context, &claim), "t", "an object that was claimed before is marked");
    tap_ok(!iimg_stored_object_claim_due(context, 9, &claim), "more objects are claimed");
    tap_is(manifest_joined(context, claim.keys), "a",
           "only doomed objects that are due are claimed");
    tap_is(again(context, &claim), "f", "objects that were never claimed are not marked");
    tap_ok(!iimg_stored_object_claim_due(context, 9, &claim) && claim.keys->nelts == 0,
           "claimed objects are not due");
}

/* For how long a claim holds, by how often it was claimed before. */
static void backing_off(iimg_context_t *context)
{
    static const struct {
        int attempts;
        const char *minutes;
    } rows[] = { { 0, "1" },  { 1, "2" },  { 2, "4" },       { 3, "8" },
                 { 4, "15" }, { 5, "15" }, { 1000000, "15" } };
    iimg_claim_t claim;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        manifest_clear(context);
        manifest_add(context, "a", 1, "doomed",
                     apr_psprintf(context->pool, "attempts = %d", rows[i].attempts));
        tap_ok(!iimg_stored_object_claim_due(context, 1, &claim), "claim %d", rows[i].attempts + 1);
        tap_is(manifest_sql(context, "SELECT round(extract(epoch FROM retry_at - now()) / 60)"
                                     " || ' ' || attempts FROM stored_objects"),
               apr_psprintf(context->pool, "%s %d", rows[i].minutes, rows[i].attempts + 1),
               "the claim holds for %s minutes and is counted", rows[i].minutes);
    }
}

static void expiring(iimg_context_t *context)
{
    manifest_clear(context);
    manifest_add(context, "a", 1, "pending", "changed_at = now() - interval '1 hour'");
    manifest_add(context, "b", 1, "pending",
                 "changed_at = now() - interval '1 hour 1 microsecond'");
    manifest_add(context, "c", 1, "live", "changed_at = now() - interval '1 year'");
    manifest_add(context, "d", 1, "held", "changed_at = now() - interval '1 year'");
    manifest_add(context, "e", 1, "held", "held_until = now() - interval '1 microsecond'");
    manifest_add(context, "g", 1, "held", "held_until = now() - interval '1 year'");
    manifest_sql(context, "INSERT INTO identities (user_id, name, category, previous_image,"
                          " previous_image_sized) SELECT gen_random_uuid(), key, 'x', key, 'jpg'"
                          " FROM unnest('{c,d,e}'::text[]) AS key");
    tap_ok(!iimg_stored_object_expire(context), "old objects expire");
    tap_is(manifest_states(context), "a pending, b doomed, c live, d held, e held, g held",
           "pending objects expire after an hour");
    tap_is(manifest_sql(context, "SELECT changed_at = now() FROM stored_objects WHERE key = 'b'"),
           "t", "the row has the time of the change");
    tap_is(
        manifest_sql(context,
                     "SELECT string_agg(name || coalesce(previous_image, '-')"
                     " || coalesce(previous_image_sized, '-'), ' ' ORDER BY name) FROM identities"),
        "ccjpg ddjpg e--", "identities let go of what was held past its time, and of nothing else");
}

static void forgetting(iimg_context_t *context)
{
    const iimg_claim_t claim = { CLAIM_1, NULL, NULL };

    manifest_clear(context);
    manifest_add(context, "a", 1, "doomed", "claim = '" CLAIM_1 "'");
    manifest_add(context, "b", 1, "doomed", "claim = '" CLAIM_2 "'");
    manifest_add(context, "c", 1, "doomed", NULL);
    manifest_add(context, "d", 1, "live", "claim = '" CLAIM_1 "'");
    manifest_add(context, "e", 1, "doomed", "claim = '" CLAIM_1 "'");
    tap_ok(!iimg_stored_object_forget(context, &claim,
                                      manifest_keys(context, "a", "b", "c", "d", NULL)),
           "deleted objects are forgotten");
    tap_is(manifest_states(context), "b doomed, c doomed, d live, e doomed",
           "only doomed objects of this claim and these keys are forgotten");
}

static void hurrying(iimg_context_t *context)
{
    const char *now;
    long long count;

    manifest_clear(context);
    manifest_add(context, "a", 1, "doomed", "retry_at = now() + interval '1 minute'");
    manifest_add(context, "b", 1, "live", "retry_at = now() + interval '1 minute'");
    manifest_add(context, "c", 1, "doomed", "retry_at = now() - interval '1 minute'");
    manifest_add(context, "d", 1, "doomed", "changed_at = now() + interval '1 microsecond'");
    tap_ok(!iimg_stored_object_hurry(context, &now), "all that is doomed is made due");
    tap_is(manifest_sql(context,
                        "SELECT string_agg(sign(extract(epoch FROM retry_at - now()))::int::text,"
                        " ' ' ORDER BY key) FROM stored_objects"),
           "0 1 -1 0", "due objects and those that are not doomed do not change");
    tap_ok(!iimg_stored_object_count_doomed(context, now, &count), "doomed objects are counted");
    tap_is_number(count, 2, "only objects that were doomed by that time are counted");
}

static void reading(iimg_context_t *context)
{
    apr_array_header_t *found;
    const char *state;

    manifest_clear(context);
    manifest_add(context, "a", 1, "live", NULL);
    manifest_add(context, "b", 1, "held", NULL);
    manifest_add(context, "c", 1, "doomed", NULL);
    manifest_add(context, "d", 1, "pending", NULL);
    manifest_add(context, "e", 1, "live", NULL);
    tap_ok(!iimg_stored_object_unknown(
               context, manifest_keys(context, "x", "a", "c", "d", "y", NULL), &found),
           "keys are looked up");
    tap_is(manifest_joined(context, found), "x y", "keys without a row of any state are unknown");
    tap_ok(!iimg_stored_object_sample(context, 2, &found), "a sample is taken");
    tap_is(manifest_joined(context, found), "a b", "a sample has live and held objects");
    tap_ok(!iimg_stored_object_sample(context, 9, &found), "a larger sample is read");
    tap_is(manifest_joined(context, found), "a b e", "a sample has no doomed or pending objects");
    tap_ok(!iimg_stored_object_shown(context, "a", 9, &found) && found->nelts == 2
               && strcmp(APR_ARRAY_IDX(found, 0, iimg_stored_object_t).key, "b") == 0
               && strcmp(APR_ARRAY_IDX(found, 1, iimg_stored_object_t).key, "e") == 0,
           "a page begins behind the last key of the one before it");
    tap_ok(!iimg_stored_object_shown(context, "", 1, &found) && found->nelts == 1
               && strcmp(APR_ARRAY_IDX(found, 0, iimg_stored_object_t).key, "a") == 0,
           "a page has the requested length");
    for (const char *key = "abcdx"; *key; key++) {
        const char one[] = { *key, '\0' };

        tap_ok(!iimg_stored_object_state(context, one, &state), "the state of %s", one);
        tap_is(state,
               *key == 'a'   ? "live"
               : *key == 'b' ? "held"
                             : NULL,
               "the state is read of live and held objects only");
    }
}

/* Each place that shows a picture, with a whole one and with what is none. */
static void unbacked(iimg_context_t *context)
{
    static const struct {
        const char *name, *insert, *state;
    } rows[] = {
        { "reference_images",
          "reference_images (user_id, name, \"order\", image, image_sized) VALUES"
          " (gen_random_uuid(), 'x', 1, '" PICTURE_1 "/1', 'jpg')",
          "live" },
        { "identities",
          "identities (user_id, name, category, image, image_sized) VALUES"
          " (gen_random_uuid(), 'x', 'x', '" PICTURE_1 "/1', 'jpg')",
          "live" },
        { "identities",
          "identities (user_id, name, category, previous_image, previous_image_sized) VALUES"
          " (gen_random_uuid(), 'x', 'x', '" PICTURE_1 "/1', 'jpg')",
          "held" },
    };
    apr_array_header_t *found;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static const char *const breaks[] = {
            "DELETE FROM stored_objects WHERE key LIKE '%/4'",
            "UPDATE stored_objects SET state = 'pending', held_until = NULL WHERE key LIKE '%/4'",
            "UPDATE stored_objects SET state = 'doomed', held_until = NULL WHERE key LIKE '%/1'",
            "UPDATE stored_objects SET key = 'elsewhere' WHERE key LIKE '%/1'",
            "UPDATE stored_objects SET picture = gen_random_uuid() WHERE key LIKE '%/2'",
            "INSERT INTO stored_objects (key, picture, state, held_until)"
            " SELECT key || '5', picture, state, held_until FROM stored_objects WHERE key LIKE '%/1'",
            "INSERT INTO stored_objects (key, picture, state, held_until)"
            " SELECT key || '5', picture, state, held_until FROM stored_objects WHERE key LIKE '%/2';"
            " UPDATE stored_objects SET state = 'doomed', held_until = NULL WHERE key LIKE '%/1'",
        };

        for (size_t j = 0; j <= sizeof(breaks) / sizeof(breaks[0]); j++) {
            manifest_clear(context);
            manifest_sql(
                context,
                "INSERT INTO stored_objects (key, picture, state, held_until) SELECT key, '" PICTURE_1
                "', '%s', CASE '%s' WHEN 'held' THEN now() END FROM unnest(ARRAY[" FOUR "]) AS key",
                rows[i].state, rows[i].state);
            manifest_sql(context, "INSERT INTO %s", rows[i].insert);
            if (j > 0) {
                manifest_sql(context, "%s", breaks[j - 1]);
            }
            tap_ok(!iimg_stored_object_unbacked(context, 9, &found), "%s %s are compared",
                   rows[i].state, rows[i].name);
            tap_is_number(found->nelts, j > 0, "unbacked: %s",
                          j > 0 ? breaks[j - 1] : "a whole picture");
        }
    }
}

/* A generated picture is one object. */
static void unbacked_job(iimg_context_t *context)
{
    static const char *const steps[] = {
        "UPDATE stored_objects SET state = 'live'", "UPDATE stored_objects SET state = 'doomed'",
        "UPDATE stored_objects SET state = 'live', key = 'elsewhere'",
        "INSERT INTO stored_objects (key, picture, state) VALUES ('" PICTURE_1 "/1', '" PICTURE_1
        "', 'live')",
        "DELETE FROM stored_objects"
    };
    apr_array_header_t *found;

    manifest_clear(context);
    manifest_add(context, PICTURE_1 "/1", 1, "live", NULL);
    manifest_sql(
        context,
        "INSERT INTO generation_jobs (prompt_used, generator, model, aspect_ratio, resolution,"
        " reference_image_ids, image) VALUES ('x', 'x', 'x', '1:1', '1K', '{}', '" PICTURE_1
        "/1')");
    for (int i = 0; i < 5; i++) {
        manifest_sql(context, "%s", steps[i]);
        tap_ok(!iimg_stored_object_unbacked(context, 9, &found),
               "live generation_jobs are compared");
        tap_is_number(found->nelts, i > 0, "step: %s", steps[i]);
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    if (manifest_begin(context)) {
        announcing(context);
        abandoning(context);
        claiming(context);
        backing_off(context);
        expiring(context);
        forgetting(context);
        hurrying(context);
        reading(context);
        unbacked(context);
        unbacked_job(context);
        manifest_end();
    }
    work_end(context);
    return tap_done();
}
