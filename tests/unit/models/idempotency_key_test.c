/* idempotency_key_test.c - when a key is free, and who may write under it, to the microsecond. */
#include "models/idempotency_key.h"
#include "sql.h"

#define ALICE  "00000000-0000-4000-8000-00000000000a"
#define BOB    "00000000-0000-4000-8000-00000000000b"
#define MINE   "00000000-0000-4000-8000-00000000c1a1"
#define THEIRS "00000000-0000-4000-8000-00000000c1a2"
#define JOB    "00000000-0000-4000-8000-000000000001"

static const iimg_idempotency_key_t key = { ALICE, "k", "print", MINE };

/* A row under the key, and two beside it: of the same user and of another one. */
static void make_row(iimg_context_t *context, const char *set)
{
    static const char *const beside[][2] = { { ALICE, "k" }, { ALICE, "other" }, { BOB, "k" } };

    sql_run(context, "DELETE FROM idempotency_keys");
    for (size_t i = 0; i < sizeof(beside) / sizeof(beside[0]); i++) {
        sql_run(context,
                "INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, lease_expires_at)"
                " VALUES ('%s', '%s', 'print', '" MINE "', now() + interval '1 hour')",
                beside[i][0], beside[i][1]);
    }
    sql_run(context, "UPDATE idempotency_keys SET %s WHERE user_id = '" ALICE "' AND key = 'k'",
            set);
}

static const char *row(iimg_context_t *context, const char *columns)
{
    return sql_run(context,
                   "SELECT concat_ws('|', %s) FROM idempotency_keys WHERE user_id = '" ALICE
                   "' AND key = 'k'",
                   columns);
}

static void others_are_untouched(iimg_context_t *context)
{
    tap_is(
        sql_run(
            context,
            "SELECT string_agg(concat_ws('|', claim, status, error_detail, lease_expires_at - now()), ' ')"
            " FROM idempotency_keys WHERE (user_id, key) <> ('" ALICE "', 'k')"),
        MINE "|01:00:00 " MINE "|01:00:00", "other keys do not change");
}

#define DONE(claimed) \
    "claim = '" claimed "', status = 200, resource_id = '" JOB \
    "', lease_expires_at = now() - interval '1 hour'"

static void test_claim(iimg_context_t *context)
{
    static const struct {
        const char *set, *job, *sentence;
        bool claimed;
    } rows[] = {
        { "claim = '" MINE "'", "", "a claim that is sent twice is one's own", true },
        { "claim = '" THEIRS "'", "", "a key under way is another request's", false },
        { "claim = '" THEIRS "', lease_expires_at = now()", "",
          "a key whose lease ends now is not free", false },
        { "claim = '" THEIRS "', lease_expires_at = now() - interval '1 microsecond'", "",
          "after its lease it is free", true },
        { "claim = '" THEIRS
          "', lease_expires_at = now() - interval '1 microsecond', fingerprint = 'x'",
          "", "an expired key is free for any request", true },
        { DONE(THEIRS), "", "a request that has ended keeps its key after the lease", false },
        { DONE(THEIRS) ", created_at = now() - interval '24 hours'", "",
          "an outcome stays for 24 hours", false },
        { DONE(THEIRS) ", created_at = now() - interval '24 hours 1 microsecond'", "",
          "after 24 hours a key is free", true },
        { DONE(THEIRS), "'succeeded', NULL", "a key whose job succeeded is not free", false },
        { DONE(THEIRS), "'canceled', 503", "a key whose job was canceled is not free", false },
        { DONE(THEIRS), "'failed', 422", "a key whose job was refused is not free", false },
        { DONE(THEIRS), "'failed', 499", "a key whose job failed with 499 is not free", false },
        { DONE(THEIRS), "'failed', 409", "a key whose job failed with 409 is not free", false },
        { DONE(THEIRS), "'failed', 500", "a job that failed with 500 is begun again", true },
        { DONE(THEIRS), "'failed', NULL", "a key whose job failed with an unknown status is free",
          true },
        { DONE(THEIRS), "'failed', 408", "a key whose job failed with 408 is free", true },
        { DONE(THEIRS), "'failed', 429", "a key whose job failed with 429 is free", true },
        { DONE(THEIRS), "'running', 500", "a key whose job runs is not free", false },
        { DONE(THEIRS) ", fingerprint = 'x'", "'failed', 503",
          "a key of a failed job is not free for another request", false },
        { "claim = '" THEIRS "', resource_id = '" JOB "'", "'failed', 503",
          "a key is not free while another request repeats it", false },
    };
    bool claimed;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make_row(context, rows[i].set);
        sql_run(context, "DELETE FROM generation_jobs");
        /* Another job that failed counts for nothing. */
        sql_run(
            context,
            "INSERT INTO generation_jobs (prompt_used, generator, model, aspect_ratio, resolution, reference_image_ids,"
            " state, error_status, finished_at) VALUES ('', 'g', 'm', '1:1', '1K', '{}', 'failed', 503, now())");
        if (*rows[i].job) {
            sql_run(
                context,
                "INSERT INTO generation_jobs (id, prompt_used, generator, model, aspect_ratio, resolution,"
                " reference_image_ids, owner, lease_expires_at, state, error_status, finished_at)"
                " SELECT '" JOB
                "', '', 'g', 'm', '1:1', '1K', '{}', 'x', now(), s, e, CASE WHEN s <> 'running' THEN now() END"
                " FROM (VALUES (%s::integer)) v (s, e)",
                rows[i].job);
        }
        tap_ok(!iimg_idempotency_key_claim(context, &key, 90, &claimed)
                   && claimed == rows[i].claimed,
               "%s", rows[i].sentence);
        if (rows[i].claimed) {
            tap_is(
                row(context,
                    "claim, fingerprint, lease_expires_at - now(), created_at - now(), status, resource_id"),
                MINE "|print|00:01:30|00:00:00", "a claimed key is reset");
        }
        others_are_untouched(context);
    }
}

/* Whether record, spoil and release may write what is under the key. */
static void test_writes(iimg_context_t *context)
{
    static const iimg_idempotency_outcome_t made = { .status = 201, .resource_id = JOB },
                                            refused = { .status = 400,
                                                        .error_detail = "No.",
                                                        .error_code = "code",
                                                        .error_field = "field" };
    static const struct {
        const char *set, *sentence;
        bool open, done;
    } rows[] = {
        { "claim = '" MINE "'", "a request under way", true, false },
        { "claim = '" MINE "', status = 200", "a key with a status", false, true },
        { "claim = '" THEIRS "'", "another request that is under way", false, false },
        { "claim = '" THEIRS "', status = 200", "another request that has ended", false, false },
    };
    bool held;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *before;

        make_row(context, rows[i].set);
        before = row(context, "status");
        tap_ok(!iimg_idempotency_key_spoil(context, &key, "Lost."), "%s: spoiled",
               rows[i].sentence);
        tap_is(row(context, "status, error_detail"), rows[i].done ? "200|Lost." : before,
               "only a request with a status is changed");
        others_are_untouched(context);
        make_row(context, rows[i].set);
        tap_ok(!iimg_idempotency_key_record(context, &key, &made, &held) && held == rows[i].open,
               "%s: recorded", rows[i].sentence);
        tap_is(row(context, "status, resource_id"), rows[i].open ? "201|" JOB : before,
               "only a running request with this claim is changed");
        others_are_untouched(context);
        make_row(context, rows[i].set);
        tap_ok(!iimg_idempotency_key_release(context, &key), "%s: released", rows[i].sentence);
        tap_ok(!row(context, "status") == rows[i].open,
               "only a running request with this claim is changed");
        others_are_untouched(context);
    }
    make_row(context, "resource_id = '" JOB "'");
    tap_ok(!iimg_idempotency_key_record(context, &key, &refused, &held) && held,
           "a refusal is recorded");
    tap_is(row(context, "status, resource_id, error_detail, error_code, error_field"),
           "400|No.|code|field", "an error has no row");
    make_row(context, "resource_id = '" JOB "'");
    tap_ok(!iimg_idempotency_key_record(context, &key,
                                        &(iimg_idempotency_outcome_t){ .status = 200 }, &held),
           "an answer without a row of its own");
    tap_is(row(context, "status, resource_id"), "200|" JOB, "a recorded row is kept");
}

static void test_read(iimg_context_t *context)
{
    iimg_idempotency_outcome_t *outcome;
    int count;

    make_row(
        context,
        "status = 400, error_detail = 'No.', error_code = 'code', error_field = 'field', fingerprint = 'x'");
    tap_ok(!iimg_idempotency_key_read(context, &key, &outcome) && outcome && outcome->status == 400
               && !outcome->resource_id && strcmp(outcome->error_detail, "No.") == 0
               && strcmp(outcome->error_code, "code") == 0
               && strcmp(outcome->error_field, "field") == 0
               && strcmp(outcome->fingerprint, "x") == 0,
           "a recorded outcome is read");
    sql_run(context, "DELETE FROM idempotency_keys WHERE user_id = '" ALICE "' AND key = 'k'");
    tap_ok(!iimg_idempotency_key_read(context, &key, &outcome) && !outcome,
           "another user's and another request's key are not");
    make_row(context, "created_at = now() - interval '24 hours'");
    tap_ok(!iimg_idempotency_key_expire(context, &count) && count == 0,
           "a key is kept for 24 hours");
    make_row(context, "created_at = now() - interval '24 hours 1 microsecond'");
    tap_ok(!iimg_idempotency_key_expire(context, &count) && count == 1 && !row(context, "key"),
           "older keys are deleted");
    others_are_untouched(context);
}

int main(void)
{
    static const char *const tables[] = { "generation_jobs", "idempotency_keys", NULL };
    iimg_context_t *context = work_begin();

    if (sql_begin(context, tables)) {
        test_claim(context);
        test_writes(context);
        test_read(context);
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
