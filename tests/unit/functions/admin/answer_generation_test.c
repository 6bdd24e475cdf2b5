/* answer_generation_test.c - what a request for a picture is answered, by the row of its job. */
#include "functions/admin/admin.h"
#include "sql.h"

#define ID       "00000000-0000-4000-8000-000000000001"
#define USER     "00000000-0000-4000-8000-00000000000a"
#define IDENTITY "00000000-0000-4000-8000-00000000001d"

#define ENDED(state) "state = '" state "', finished_at = now()"
#define FAILED(status) \
    ENDED("failed") \
    ", error_detail = 'It failed.', error_code = 'code', error_retry_after = 30, error_status = " status
#define STILL \
    "The picture is not ready yet, and this request cannot wait longer. It will be stored with job " ID \
    "."
#define KEPT \
    "The generation was canceled after the provider had been called. Its picture is stored with job " ID \
    "."
#define GONE "The row created with this Idempotency-Key has been deleted."

static const struct {
    const char *set;
    int kind; /* -1: it is answered with the picture */
    const char *code, *message;
    int retry;
    const char *identity; /* that comes with it */
} rows[] = {
    { "state = 'queued'", IIMG_BUSY, "generation_unfinished", STILL, 0, NULL },
    { "state = 'running', owner = 'x', lease_expires_at = now()", IIMG_BUSY,
      "generation_unfinished", STILL, 0, NULL },
    { "state = 'running', owner = 'x', lease_expires_at = now(), image = 'x'", IIMG_BUSY,
      "generation_unfinished", STILL, 0, NULL },
    { FAILED("400"), IIMG_INVALID, "code", "It failed.", 30, NULL },
    { FAILED("404"), IIMG_NOT_FOUND, "code", "It failed.", 30, NULL },
    { FAILED("409"), IIMG_CONFLICT, "code", "It failed.", 30, NULL },
    { FAILED("422"), IIMG_REFUSED, "code", "It failed.", 30, NULL },
    { FAILED("429"), IIMG_LIMITED, "code", "It failed.", 30, NULL },
    { FAILED("500"), IIMG_INTERNAL, "code", "It failed.", 30, NULL },
    { FAILED("502"), IIMG_UPSTREAM, "code", "It failed.", 30, NULL },
    { FAILED("503"), IIMG_UNAVAILABLE, "code", "It failed.", 30, NULL },
    { FAILED("504"), IIMG_UPSTREAM_TIMEOUT, "code", "It failed.", 30, NULL },
    { FAILED("NULL"), IIMG_UPSTREAM, "code", "It failed.", 30, NULL },
    { ENDED("failed") ", image = 'x'", IIMG_UPSTREAM, NULL, "The generation failed.", 0, NULL },
    { ENDED("canceled"), IIMG_CONFLICT, "generation_canceled", "The generation was canceled.", 0,
      NULL },
    { ENDED("canceled") ", image = 'x'", IIMG_CONFLICT, "generation_canceled", KEPT, 0, NULL },
    { ENDED("succeeded") ", image = 'x'", -1, NULL, NULL, 0, NULL },
    { ENDED("succeeded") ", image = 'x', saved_at = now()", -1, NULL, NULL, 0, NULL },
    { ENDED("succeeded") ", image = 'x', saved_at = now(), save_to_identity = true", -1, NULL, NULL,
      0, IDENTITY },
    { ENDED("succeeded"), IIMG_GONE, NULL, GONE, 0, NULL },
};

static void make_job(iimg_context_t *context, const char *set)
{
    sql_run(context, "DELETE FROM generation_jobs");
    sql_run(
        context,
        "INSERT INTO generation_jobs (id, user_id, identity_id, prompt_used, generator, model, aspect_ratio, resolution,"
        " reference_image_ids) VALUES ('" ID "', '" USER "', '" IDENTITY
        "', '', 'g', 'm', '1:1', '1K', '{}')");
    sql_run(context, "UPDATE generation_jobs SET %s", set);
}

int main(void)
{
    static const char *const tables[] = { "generation_jobs", "identities", "users", NULL };
    iimg_context_t *context = work_begin();
    iimg_generation_t made;
    iimg_error_t *err;

    if (sql_begin(context, tables)) {
        sql_run(context, "INSERT INTO users (id, email) VALUES ('" USER "', 'a@example.com')");
        sql_run(context, "INSERT INTO identities (id, user_id, name, category) VALUES ('" IDENTITY
                         "', '" USER "', 'n', 'c')");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            make_job(context, rows[i].set);
            err = iimg_answer_generation(context, ID, &made);
            tap_is_number(err ? (int)err->kind : -1, rows[i].kind, "%s: its kind", rows[i].set);
            tap_is(err ? err->code : NULL, rows[i].code, "... its code");
            tap_is(err ? err->message : NULL, rows[i].message, "... in these words");
            tap_is_number(err ? err->retry_after : 0, rows[i].retry, "... when to ask again");
            tap_is(made.identity ? made.identity->id : NULL, rows[i].identity,
                   "... the identity that comes with it");
        }
        err = iimg_answer_generation(context, USER, &made);
        tap_ok(err && err->kind == IIMG_GONE, "a job that is deleted is gone");
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
