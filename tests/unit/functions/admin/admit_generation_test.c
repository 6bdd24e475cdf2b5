/* admit_generation_test.c - which limit refuses a generation, when it waits, and what is said. */
#include "functions/admin/admin.h"
#include "sql.h"

#define ALICE "00000000-0000-4000-8000-00000000000a"
#define BOB   "00000000-0000-4000-8000-00000000000b"

/* Jobs of these users, 10 seconds old: some run, some wait; and Alice's that ended, some hours old,
 * for $0.5. */
static void make_jobs(iimg_context_t *context, const char *who, int running, int queued,
                      const char *ended)
{
    sql_run(context, "DELETE FROM generation_jobs");
    sql_run(
        context,
        "INSERT INTO generation_jobs (requested_by, state, owner, created_at, lease_expires_at, finished_at, cost,"
        " image, prompt_used, generator, model, aspect_ratio, resolution, reference_image_ids, attempts)"
        " SELECT v.who::uuid, v.state, 'x', now() - v.age, CASE WHEN v.state = 'running' THEN now() + interval '1 s' END,"
        " CASE WHEN v.state = 'succeeded' THEN now() END, v.cost, CASE WHEN v.state = 'succeeded' THEN 'x' END,"
        " '', 'g', 'm', '1:1', '1K', '{}', 1 FROM ("
        "   SELECT '%s', 'running', interval '10 s', 0 FROM generate_series(1, %d)"
        "   UNION ALL SELECT '%s', 'queued', interval '10 s', 0 FROM generate_series(1, %d)"
        "   UNION ALL SELECT '" ALICE
        "', 'succeeded', age, 0.5 FROM unnest('{%s}'::interval[]) age) v (who, state, age, cost)",
        who, running, who, queued, ended);
}

typedef struct row_t {
    iimg_generation_limits_t limits;
    const char *cost, *who;
    int running, queued;
    const char *ended; /* intervals */
    bool room;         /* this process has room to run it now */
    const char *code;  /* NULL: it is admitted */
    bool now;
    int retry;
    const char *message;
} row_t;

#define FULL(n, s, wait) "The queue is full: " n " picture" s " waiting. Try again in " wait "."
#define MADE(n, s, user) \
    "Limit reached: " n " picture" s " being generated" user ". Try again in 20 seconds."

static const row_t rows[] = {
    { { 0 }, "1", BOB, 9, 9, "1 hour", true, NULL, true, 0, NULL },
    /* No limits, and no room in this process: one may wait. */
    { { 0 }, "1", BOB, 9, 0, "", false, NULL, false, 0, NULL },
    { { 0 },
      "1",
      BOB,
      9,
      1,
      "",
      false,
      "generation_queue_full",
      false,
      20,
      FULL("1", "", "20 seconds") },
    { { .queue = 2 }, "1", BOB, 9, 1, "", false, NULL, false, 0, NULL },
    { { .queue = 2 },
      "1",
      BOB,
      9,
      2,
      "",
      false,
      "generation_queue_full",
      false,
      20,
      FULL("2", "s", "20 seconds") },
    /* At once */
    { { .at_once = 2 }, "1", BOB, 1, 0, "", true, NULL, true, 0, NULL },
    { { .at_once = 2 },
      "1",
      BOB,
      2,
      0,
      "",
      true,
      "generations_at_once",
      true,
      20,
      MADE("2", "s", "") },
    { { .at_once = 1 },
      "1",
      BOB,
      1,
      0,
      "",
      true,
      "generations_at_once",
      true,
      20,
      MADE("1", "", "") },
    { { .at_once = 2 },
      "1",
      BOB,
      1,
      1,
      "",
      true,
      "generations_at_once",
      true,
      20,
      MADE("2", "s", "") },
    { { .at_once = 2, .queue = 1 }, "1", BOB, 1, 0, "", true, NULL, true, 0, NULL },
    { { .at_once = 2, .queue = 1 }, "1", BOB, 2, 0, "", true, NULL, false, 0, NULL },
    { { .at_once = 2, .queue = 2 }, "1", BOB, 1, 1, "", true, NULL, false, 0, NULL },
    { { .at_once = 2, .queue = 1 },
      "1",
      BOB,
      2,
      1,
      "",
      true,
      "generation_queue_full",
      false,
      20,
      FULL("1", "", "20 seconds") },
    /* At once for one user, whatever waits */
    { { .at_once_per_user = 2 }, "1", ALICE, 1, 0, "", true, NULL, true, 0, NULL },
    { { .at_once_per_user = 2 },
      "1",
      ALICE,
      1,
      1,
      "",
      true,
      "user_generations_at_once",
      true,
      20,
      MADE("2", "s", " for you") },
    { { .at_once_per_user = 1, .queue = 9 },
      "1",
      ALICE,
      0,
      1,
      "",
      true,
      "user_generations_at_once",
      true,
      20,
      MADE("1", "", " for you") },
    { { .at_once_per_user = 1 }, "1", BOB, 9, 0, "", true, NULL, true, 0, NULL },
    /* A day */
    { { .per_day_per_user = 1 }, "1", BOB, 9, 0, "", true, NULL, true, 0, NULL },
    { { .per_day_per_user = 1 },
      "1",
      BOB,
      0,
      0,
      "23 hours 58 minutes 1 second",
      true,
      "user_generations_per_day",
      true,
      119,
      "Daily limit reached: 1 picture in 24 hours. Try again in 119 seconds." },
    { { .per_day_per_user = 1 },
      "1",
      BOB,
      0,
      0,
      "23 hours 58 minutes",
      true,
      "user_generations_per_day",
      true,
      120,
      "Daily limit reached: 1 picture in 24 hours. Try again in 2 minutes." },
    { { .per_day_per_user = 2 },
      "1",
      BOB,
      0,
      0,
      "1 hour, 22 hours 0 minutes 1 second",
      true,
      "user_generations_per_day",
      true,
      7199,
      "Daily limit reached: 2 pictures in 24 hours. Try again in 120 minutes." },
    { { .per_day_per_user = 2 },
      "1",
      BOB,
      0,
      0,
      "1 hour, 22 hours",
      true,
      "user_generations_per_day",
      true,
      7200,
      "Daily limit reached: 2 pictures in 24 hours. Try again in 2 hours." },
    { { .per_day_per_user = 1 },
      "1",
      BOB,
      0,
      0,
      "23 hours 59 minutes 59 seconds",
      true,
      "user_generations_per_day",
      true,
      1,
      "Daily limit reached: 1 picture in 24 hours. Try again in 1 second." },
    { { .per_day_per_user = 1, .queue = 9, .at_once = 1 },
      "1",
      BOB,
      1,
      0,
      "1 hour",
      true,
      "user_generations_per_day",
      false,
      82800,
      "Daily limit reached: 1 picture in 24 hours. Try again in 23 hours." },
    /* Money */
    { { .budget = "1" }, "0.5", BOB, 9, 0, "1 hour", true, NULL, true, 0, NULL },
    { { .budget = "1" },
      "0.51",
      BOB,
      9,
      0,
      "1 hour",
      true,
      "generation_budget",
      true,
      82800,
      "Budget reached: $1 in 24 hours, including pictures in progress. Try again in 23 hours." },
    { { .budget = "0.5" },
      "0.1",
      BOB,
      0,
      0,
      "23 hours 59 minutes 59 seconds",
      true,
      "generation_budget",
      true,
      1,
      "Budget reached: $0.5 in 24 hours, including pictures in progress. Try again in 1 second." },
    { { .budget = "1" },
      "1.01",
      BOB,
      0,
      0,
      "",
      true,
      "generation_budget",
      true,
      86400,
      "This picture is expected to cost more than the budget, $1 in 24 hours. Ask the operator to raise it." },
    { { .budget = "1" }, "0", BOB, 9, 0, "1 hour, 1 hour, 1 hour", true, NULL, true, 0, NULL },
};

static void test_row(iimg_context_t *context, const row_t *row, int number)
{
    iimg_services_t services = { .generation_limits = row->limits };
    bool now = row->room;
    iimg_error_t *err;

    context->services = &services;
    make_jobs(context, row->who, row->running, row->queued, row->ended);
    err = iimg_admit_generation(context, row->cost, &now);
    tap_is(err ? err->code : NULL, row->code, "case %d: %s", number,
           row->code ? row->code : "admitted");
    tap_ok(now == row->now, "... %s", row->now ? "to run now" : "to wait");
    tap_is(err ? err->message : NULL, row->message, "... in these words");
    tap_is_number(err ? err->retry_after : 0, row->retry, "... with this Retry-After");
    tap_ok(!err
               || err->kind
                      == (strcmp(err->code, "generation_queue_full") ? IIMG_LIMITED : IIMG_BUSY),
           "... as such an error");
}

/* The wait is until one of the jobs ends that fill the limit: the user's own, or any user's. */
static void test_whose_wait(iimg_context_t *context)
{
    iimg_services_t services = { .generation_limits = { .at_once_per_user = 1 } };
    iimg_error_t *err;
    bool now = true;

    context->services = &services;
    make_jobs(context, ALICE, 1, 0, "");
    sql_run(
        context,
        "INSERT INTO generation_jobs (requested_by, state, owner, created_at, lease_expires_at, prompt_used, generator,"
        " model, aspect_ratio, resolution, reference_image_ids) VALUES ('" BOB
        "', 'running', 'x', now() - interval '25 s',"
        " now() + interval '1 s', '', 'g', 'm', '1:1', '1K', '{}')");
    err = iimg_admit_generation(context, "0", &now);
    tap_is_number(err ? err->retry_after : 0, 20, "a user waits for a job of their own");
    services.generation_limits = (iimg_generation_limits_t){ .at_once = 2 };
    err = iimg_admit_generation(context, "0", &now);
    tap_is_number(err ? err->retry_after : 0, 5, "all wait for the oldest job");
}

int main(void)
{
    static const char *const tables[] = { "generation_jobs", NULL };
    static const iimg_caller_t alice = { .id = ALICE };
    iimg_context_t *context = work_begin();

    if (sql_begin(context, tables)) {
        context->caller = &alice;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            test_row(context, &rows[i], (int)i);
        }
        test_whose_wait(context);
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
