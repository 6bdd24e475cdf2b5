/* generation_load_test.c - which generations count against limits, until when, and how much money
 * is left. */
#include "models/generation_load.h"
#include "sql.h"

#define ALICE "00000000-0000-4000-8000-00000000000a"
#define BOB   "00000000-0000-4000-8000-00000000000b"

/* Rows of generation_jobs: values of requested_by, state, created_at, started_at, finished_at,
 * lease_expires_at, attempts, error_billed, image, cost, expected_cost. */
static void add(iimg_context_t *context, const char *values)
{
    sql_run(
        context,
        "INSERT INTO generation_jobs (requested_by, state, created_at, started_at, finished_at,"
        " lease_expires_at, attempts, error_billed, image, cost, expected_cost, owner, prompt_used,"
        " generator, model, aspect_ratio, resolution, reference_image_ids)"
        " SELECT v.*, 'x', '', 'gemini', 'm', '1:1', '1K', '{}' FROM (VALUES %s) v"
        " (requested_by, state, created_at, started_at, finished_at, lease, attempts, billed, image, cost,"
        "  expected)",
        values);
}

/* One row of Alice's. `ago` and `cost` are SQL. */
#define JOB(who, state, created, started, finished, lease, attempts, billed, image, cost, \
            expected) \
    "('" who "'::uuid, '" state "', now() - interval '" created "', " started ", " finished \
    ", " lease ", " #attempts ", " billed "::boolean, " image "::text, " cost \
    "::numeric, " #expected "::numeric)"
#define DONE(who, created, cost) \
    JOB(who, "succeeded", created, "now() - interval '" created "'", "now()", "NULL::timestamptz", \
        1, "NULL", "'x'", cost, 0)
#define ENDED(state, attempts, billed, image, cost, expected) \
    JOB(ALICE, state, "1 hour", "now()", "now()", "NULL::timestamptz", attempts, billed, image, \
        cost, expected)
#define ACTIVE(who, state, created, started, lease) \
    JOB(who, state, created, started, "NULL::timestamptz", lease, 1, "NULL", "NULL", "NULL", 0.5)

static iimg_generation_load_t load;

static void read_load(iimg_context_t *context, const char *rows, int per_day, const char *expected,
                      const char *budget)
{
    iimg_generation_wish_t wish = { ALICE, expected, per_day, budget };

    sql_run(context, "DELETE FROM generation_jobs");
    if (*rows) {
        add(context, rows);
    }
    memset(&load, 0, sizeof(load));
    tap_ok(!iimg_generation_load_read(context, &wish, &load), "the load is read");
}

static void test_active(iimg_context_t *context)
{
    static const struct {
        const char *row, *sentence;
        int running, queued, user;
    } rows[] = {
        { ACTIVE(ALICE, "running", "5 s", "now() - interval '5 s'", "now() + interval '1 s'"),
          "a job that runs", 1, 0, 1 },
        { ACTIVE(ALICE, "running", "5 s", "now()", "now()"), "a job whose lease ends now", 0, 0,
          0 },
        { ACTIVE(ALICE, "running", "5 s", "now()", "now() - interval '1 s'"),
          "a job whose lease has ended", 0, 0, 0 },
        { ACTIVE(ALICE, "queued", "5 s", "NULL::timestamptz", "NULL::timestamptz"), "a queued job",
          0, 1, 1 },
        { ACTIVE(ALICE, "queued", "5 s", "NULL::timestamptz", "now() + interval '1 s'"),
          "a job that is being claimed", 0, 1, 1 },
        { ACTIVE(BOB, "running", "5 s", "now()", "now() + interval '1 s'"),
          "another user's that runs", 1, 0, 0 },
        { ACTIVE(BOB, "queued", "5 s", "NULL::timestamptz", "NULL::timestamptz"),
          "another user's that waits", 0, 1, 0 },
        { DONE(ALICE, "5 s", "1"), "a finished job", 0, 0, 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_load(context, rows[i].row, 0, "0", NULL);
        tap_is_number(load.running, rows[i].running, "%s: so many run", rows[i].sentence);
        tap_is_number(load.queued, rows[i].queued, "%s: so many wait", rows[i].sentence);
        tap_is_number(load.running_of_user, rows[i].user, "%s: so many are this user's",
                      rows[i].sentence);
    }
}

static void test_seconds(iimg_context_t *context)
{
    read_load(context, "", 0, "0", NULL);
    tap_is_number(load.seconds, 1, "without jobs the wait is a second");
    read_load(context,
              ACTIVE(BOB, "running", "9 s", "now() - interval '8 s'",
                     "now() + interval '1 s'") ", " ACTIVE(ALICE, "running", "9 s",
                                                           "now() - interval '3 s'",
                                                           "now() + interval '1 s'"),
              0, "0", NULL);
    tap_is_number(load.seconds, 22,
                  "a picture takes 30 seconds at first: the wait is for the oldest job");
    tap_is_number(load.seconds_of_user, 27, "the wait for the oldest job of the user");
    read_load(context, ACTIVE(ALICE, "queued", "9 s", "NULL::timestamptz", "NULL::timestamptz"), 0,
              "0", NULL);
    tap_is_number(load.seconds, 21, "a job that waits counts from its creation");
    read_load(context,
              ACTIVE(ALICE, "running", "90 s", "now() - interval '90 s'", "now() + interval '1 s'"),
              0, "0", NULL);
    tap_is_number(load.seconds, 1, "a job that takes longer than usual may end in a second");
    read_load(context,
              DONE(ALICE, "40 s", "0") ", " DONE(BOB, "60 s", "0") ", " ENDED(
                  "failed", 1, "NULL", "NULL", "0", 0) ", " ACTIVE(ALICE, "running", "9 s",
                                                                   "now() - interval '8 s'",
                                                                   "now() + interval '1 s'"),
              0, "0", NULL);
    tap_is_number(load.seconds, 42, "the median of pictures that were made counts, and no failure");
    sql_run(
        context,
        "INSERT INTO generation_jobs (state, created_at, started_at, finished_at, prompt_used, generator, model,"
        " aspect_ratio, resolution, reference_image_ids) SELECT 'succeeded', now() - interval '1 hour' + n * interval '1 s',"
        " now() - CASE WHEN n > 60 THEN interval '28 s' ELSE interval '300 s' END, now(), '', 'g', 'm', '1:1', '1K', '{}'"
        " FROM generate_series(1, 110) n");
    sql_run(
        context,
        "DELETE FROM generation_jobs WHERE created_at > now() - interval '61 s' AND state = 'succeeded'");
    tap_ok(!iimg_generation_load_read(context, &(iimg_generation_wish_t){ ALICE, "0", 0, NULL },
                                      &load),
           "the load is read");
    tap_is_number(load.seconds, 20, "the median of the last fifty pictures");
}

static void test_day(iimg_context_t *context)
{
    static const struct {
        const char *rows, *sentence;
        int per_day, seconds;
    } rows[] = {
        { "", "no job", 1, 0 },
        { DONE(ALICE, "1 hour", "0"), "one job with a limit of one", 1, 82800 },
        { DONE(ALICE, "1 hour", "0"), "one job with a limit of two", 2, 0 },
        { DONE(ALICE, "1 hour", "0"), "one job without a limit", 0, 0 },
        { DONE(BOB, "1 hour", "0"), "a job of another user", 1, 0 },
        { DONE(ALICE, "24 hours", "0"), "a job that is a day old", 1, 0 },
        { DONE(ALICE, "23 hours 59 minutes 59.9 seconds", "0"), "a job that is nearly a day old", 1,
          1 },
        { DONE(ALICE, "1 hour", "0") ", " DONE(ALICE, "3 hours", "0") ", " DONE(ALICE, "2 hours",
                                                                                "0"),
          "three of two: the second newest", 2, 79200 },
        { DONE(ALICE, "1 hour", "0") ", " DONE(ALICE, "3 hours", "0") ", " DONE(ALICE, "2 hours",
                                                                                "0"),
          "three of three: the oldest", 3, 75600 },
        { ACTIVE(ALICE, "running", "1 hour", "now()", "now() - interval '1 s'"),
          "a running job without a lease", 1, 82800 },
        { ACTIVE(ALICE, "queued", "1 hour", "NULL::timestamptz", "NULL::timestamptz"),
          "a queued job", 1, 82800 },
        { ENDED("failed", 0, "NULL", "NULL", "NULL", 0), "a failed job without an attempt", 1, 0 },
        { ENDED("failed", 0, "true", "NULL", "NULL", 0), "a billed job without an attempt", 1, 0 },
        { ENDED("failed", 1, "false", "NULL", "NULL", 0), "a failed job that was not billed", 1,
          0 },
        { ENDED("failed", 1, "NULL", "NULL", "NULL", 0), "a failed job that may be billed", 1,
          82800 },
        { ENDED("failed", 1, "true", "NULL", "NULL", 0), "a failed job that was billed", 1, 82800 },
        { ENDED("canceled", 0, "NULL", "NULL", "NULL", 0), "a job that was canceled while queued",
          1, 0 },
        { ENDED("canceled", 1, "false", "NULL", "NULL", 0), "a canceled job that was not billed", 1,
          0 },
        { ENDED("canceled", 1, "NULL", "NULL", "NULL", 0), "a canceled job that may be billed", 1,
          82800 },
        { ENDED("canceled", 1, "false", "'x'", "NULL", 0), "a canceled job with a picture", 1,
          82800 },
        { ENDED("succeeded", 1, "false", "NULL", "NULL", 0), "a job whose picture was deleted", 1,
          82800 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_load(context, rows[i].rows, rows[i].per_day, "0", NULL);
        tap_is_number(load.day_seconds, rows[i].seconds,
                      "%s: so many seconds until there may be one more", rows[i].sentence);
    }
}

static void test_budget(iimg_context_t *context)
{
    static const struct {
        const char *rows, *sentence, *expected, *budget;
        int seconds;
    } rows[] = {
        { "", "a picture that costs the whole budget", "1.00", "1", 0 },
        { "", "a cost of a millionth over the budget", "1.000001", "1", -1 },
        { "", "no cost with no budget", "0", "0", 0 },
        { DONE(ALICE, "1 hour", "9"), "no cost with a spent budget", "0", "1", 0 },
        { DONE(ALICE, "1 hour", "9"), "any, without a budget", "5", NULL, 0 },
        { DONE(BOB, "1 hour", "0.5"), "half of the budget is spent by another user", "0.5", "1",
          0 },
        { DONE(BOB, "1 hour", "0.5"), "a cost of a millionth over the rest of the budget",
          "0.500001", "1", 82800 },
        { DONE(ALICE, "24 hours", "1"), "costs of a day ago do not count", "1", "1", 0 },
        { DONE(ALICE, "23 hours 59 minutes 59.9 seconds", "1"), "costs of almost a day ago count",
          "1", "1", 1 },
        { ACTIVE(BOB, "running", "1 hour", "now()", "now()"),
          "a running job counts its expected cost", "0.500001", "1", 82800 },
        { ACTIVE(BOB, "queued", "2 hours", "NULL::timestamptz", "NULL::timestamptz"),
          "a queued job counts its expected cost", "0.500001", "1", 79200 },
        { ENDED("failed", 1, "false", "NULL", "NULL", 1), "a job that was not billed costs nothing",
          "1", "1", 0 },
        { ENDED("failed", 1, "NULL", "NULL", "NULL", 1),
          "a job that may be billed counts its expected cost", "1", "1", 82800 },
        { ENDED("failed", 1, "true", "NULL", "0.25", 1), "a billed job counts its cost", "0.75",
          "1", 0 },
        { ENDED("succeeded", 1, "NULL", "'x'", "0", 1), "a cost of nothing is known", "1", "1", 0 },
        { DONE(ALICE, "1 hour", "0.6") ", " DONE(ALICE, "2 hours",
                                                 "0.4") ", " DONE(ALICE, "3 hours", "0.4"),
          "the wait lasts until enough is a day old: the two oldest", "0.4", "1", 79200 },
        { DONE(ALICE, "1 hour", "0.6") ", " DONE(ALICE, "2 hours",
                                                 "0.4") ", " DONE(ALICE, "3 hours", "0.4"),
          "the cost of all three jobs must expire", "0.5", "1", 82800 },
        { DONE(ALICE, "1 hour", "0.6") ", " DONE(ALICE, "2 hours",
                                                 "0.4") ", " DONE(ALICE, "3 hours", "0.4"),
          "a millionth of cost needs one more job to expire", "0.400001", "1", 82800 },
        { DONE(ALICE, "1 hour", "0.2") ", " DONE(ALICE, "2 hours",
                                                 "0.4") ", " DONE(ALICE, "3 hours", "0.4"),
          "the cost of the oldest job must expire", "0.4", "1", 75600 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_load(context, rows[i].rows, 0, rows[i].expected, rows[i].budget);
        tap_is_number(load.budget_seconds, rows[i].seconds, "%s (%zu)", rows[i].sentence, i);
    }
}

int main(void)
{
    static const char *const tables[] = { "generation_jobs", NULL };
    iimg_context_t *context = work_begin();

    if (sql_begin(context, tables)) {
        test_active(context);
        test_seconds(context);
        test_day(context);
        test_budget(context);
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
