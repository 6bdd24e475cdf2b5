/* cancel_generation_job_test.c - who may cancel which generation, and what the audit log tells of
 * it. */
#include "functions/admin/admin.h"
#include "sql.h"

#define ID           "00000000-0000-4000-8000-000000000001"
#define ENDED(state) "state = '" state "', finished_at = now()"

static const struct {
    const char *user, *set, *if_match;
    int kind; /* -1: it is canceled */
    const char *code, *after, *sentence;
    int audits;
} rows[] = {
    { "is_staff = true", "state = 'queued'", NULL, -1, NULL, "canceled",
      "staff cancel a job that waits", 1 },
    { "is_staff = true", "state = 'running', owner = 'x', lease_expires_at = now()", NULL, -1, NULL,
      "running", "or ask one that runs to end", 1 },
    { "is_staff = false", "state = 'queued'", NULL, IIMG_FORBIDDEN, "permission_denied", "queued",
      "others may not", 0 },
    { "is_staff = true, is_active = false", "state = 'queued'", NULL, IIMG_UNAUTHENTICATED,
      "user_inactive", "queued", "nor may staff who were switched off", 0 },
    { "is_staff = true", "version = 3", "\"3\"", -1, NULL, "canceled",
      "the version that is named is canceled", 1 },
    { "is_staff = true", "version = 3", "\"2\"", IIMG_PRECONDITION, NULL, "queued", "and no other",
      0 },
    { "is_staff = true", ENDED("canceled"), NULL, -1, NULL, "canceled",
      "what is canceled is canceled", 0 },
    { "is_staff = true", ENDED("succeeded"), NULL, IIMG_CONFLICT, "job_finished", "succeeded",
      "what has succeeded is not", 0 },
    { "is_staff = true", ENDED("failed"), NULL, IIMG_CONFLICT, "job_finished", "failed",
      "nor what has failed", 0 },
};

int main(void)
{
    static const char *const tables[] = { "generation_jobs", "users", "audit_log", NULL };
    iimg_context_t *context = work_begin();
    iimg_generation_job_t *job;
    iimg_error_t *err;

    if (sql_open(context, tables)) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            sql_run(context,
                    "DELETE FROM users; DELETE FROM generation_jobs; DELETE FROM audit_log");
            sql_run(context,
                    "INSERT INTO users (email) VALUES ('a@example.com'); UPDATE users SET %s",
                    rows[i].user);
            sql_run(
                context,
                "INSERT INTO generation_jobs (id, prompt_used, generator, model, aspect_ratio, resolution, reference_image_ids)"
                " VALUES ('" ID "', '', 'g', 'm', '1:1', '1K', '{}')");
            sql_run(context, "UPDATE generation_jobs SET %s", rows[i].set);
            context->login = "a@example.com";
            context->caller = NULL;
            context->if_match = rows[i].if_match;
            err = iimg_cancel_generation_job(context, ID, &job);
            tap_is_number(err ? (int)err->kind : -1, rows[i].kind, "%s", rows[i].sentence);
            tap_ok(!rows[i].code || (err && err->code && strcmp(err->code, rows[i].code) == 0),
                   "... the code says so");
            tap_is(sql_run(context, "SELECT state FROM generation_jobs"), rows[i].after,
                   "... its state after it");
            tap_is_number(atoi(sql_run(context, "SELECT count(*) FROM audit_log")), rows[i].audits,
                          "... lines of the audit log");
        }
        sql_run(context, "UPDATE users SET is_staff = true");
        context->if_match = NULL;
        err = iimg_cancel_generation_job(context, "00000000-0000-4000-8000-000000000002", &job);
        tap_ok(err && err->kind == IIMG_NOT_FOUND, "what is not there is not found");
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
