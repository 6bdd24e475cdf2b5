/* idempotency_test.c - what a request under a key hears: go on, the answer again, or why not. */
#include "functions/shared/idempotency.h"
#include "sql.h"

#define ALICE  "00000000-0000-4000-8000-00000000000a"
#define THEIRS "00000000-0000-4000-8000-00000000c1a2"
#define JOB    "00000000-0000-4000-8000-000000000001"

static const iimg_idempotency_key_t key = { ALICE, "k", "print",
                                            "00000000-0000-4000-8000-00000000c1a1" };

static void make_row(iimg_context_t *context, const char *set)
{
    sql_run(context, "DELETE FROM idempotency_keys");
    if (set) {
        sql_run(context,
                "INSERT INTO idempotency_keys (user_id, key, fingerprint, claim, lease_expires_at)"
                " VALUES ('" ALICE "', 'k', 'print', '" THEIRS "', now() + interval '1 hour')");
        sql_run(context, "UPDATE idempotency_keys SET %s", set);
    }
}

static void test_begin(iimg_context_t *context)
{
    static const struct {
        const char *set, *code;
        bool held;
        int status;
        const char *sentence;
    } rows[] = {
        { NULL, NULL, true, 0, "a new key is claimed" },
        { "lease_expires_at = now() - interval '1 s'", NULL, true, 0,
          "so is one whose request has died" },
        { "key = 'k'", "idempotency_key_in_use", false, 0,
          "a request under way is waited for, in bounded time" },
        { "fingerprint = 'x'", "idempotency_key_reused", false, 0, "another request has the key" },
        { "fingerprint = 'x', status = 200", "idempotency_key_reused", false, 0,
          "also when it has ended" },
        { "status = 201, resource_id = '" JOB "'", NULL, false, 201,
          "what was answered is answered again" },
        { "status = 404, error_detail = 'No.'", NULL, false, 404, "a refusal, too" },
    };
    const iimg_idempotency_outcome_t *replay;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t *err;

        make_row(context, rows[i].set);
        context->idempotency = NULL;
        replay = NULL;
        err = iimg_idempotency_begin(context, &key, 90, 0, &replay);
        tap_is(err ? err->code : NULL, rows[i].code, "%s", rows[i].sentence);
        tap_ok((context->idempotency == &key) == rows[i].held, "... the key is %s",
               rows[i].held ? "held" : "not held");
        tap_is_number(!err && replay ? replay->status : 0, rows[i].status,
                      "... with the answer of before");
        tap_ok(!err || err->kind == (strstr(err->code, "reused") ? IIMG_REFUSED : IIMG_CONFLICT),
               "... as such an error");
        tap_is_number(err ? err->retry_after : 0,
                      rows[i].code && strstr(rows[i].code, "in_use") ? 1 : 0,
                      "... and when to ask again");
    }
}

static void test_record(iimg_context_t *context)
{
    static const iimg_error_t cause = { .message = "No.", .code = "code", .field = "field" };
    iimg_error_t *err;

    make_row(context, NULL);
    context->idempotency = NULL;
    tap_ok(!iimg_idempotency_record(context, 201, JOB), "without a key nothing is recorded");
    make_row(context, "claim = '00000000-0000-4000-8000-00000000c1a1'");
    context->idempotency = &key;
    tap_ok(!iimg_idempotency_record(context, 201, JOB), "with one the row is");
    tap_is(sql_run(context, "SELECT status || ' ' || resource_id FROM idempotency_keys"),
           "201 " JOB, "... that was made");
    err = iimg_idempotency_record(context, 201, JOB);
    tap_is(err ? err->code : NULL, "idempotency_key_in_use", "only once");
    make_row(context, "key = 'k'");
    err = iimg_idempotency_record(context, 201, JOB);
    tap_is(err ? err->code : NULL, "idempotency_key_in_use",
           "and not where another request has the key");
    make_row(context, "claim = '00000000-0000-4000-8000-00000000c1a1'");
    iimg_idempotency_record_error(context, 400, &cause);
    tap_is(
        sql_run(
            context,
            "SELECT concat_ws('|', status, error_detail, error_code, error_field) FROM idempotency_keys"),
        "400|No.|code|field", "a refusal is kept");
    iimg_idempotency_spoil(context, &(iimg_error_t){ .message = "Lost." });
    tap_is(sql_run(context, "SELECT status || error_detail FROM idempotency_keys"), "400Lost.",
           "what went wrong after it is noted");
    make_row(context, "claim = '00000000-0000-4000-8000-00000000c1a1'");
    iimg_idempotency_release(context);
    tap_is(sql_run(context, "SELECT count(*) FROM idempotency_keys"), "0", "a key is given back");
    tap_is_number(iimg_idempotency_gone(context)->kind, IIMG_GONE,
                  "a replay of a deleted row is gone");
}

int main(void)
{
    static const char *const tables[] = { "generation_jobs", "idempotency_keys", NULL };
    iimg_context_t *context = work_begin();

    if (sql_begin(context, tables)) {
        test_begin(context);
        test_record(context);
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
