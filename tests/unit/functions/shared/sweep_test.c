/*
 * sweep_test.c - functions/shared/sweep.c: which objects a sweep asks the store to delete, what it
 * forgets afterwards, and what it does when the store or its marker goes away.
 */
#include "functions/shared/sweep.h"
#include "models/stored_object.h"

#include "manifest.h"

static iimg_context_t *work;

/* Objects "PREFIX00", "PREFIX01", ... */
static void doom(const char *prefix, int count)
{
    for (int i = 0; i < count; i++) {
        manifest_add(work, apr_psprintf(work->pool, "%s%02d", prefix, i), 1, "doomed", NULL);
    }
}

static const char *left_over(void)
{
    return manifest_sql(work, "SELECT count(*) FROM stored_objects");
}

static void sweeping(void)
{
    int left = -1;

    memory_begin(work, true);
    manifest_add(work, "a", 1, "live", NULL);
    manifest_add(work, "b", 1, "held", NULL);
    manifest_add(work, "c", 1, "pending", NULL);
    manifest_add(work, "d", 1, "doomed", "retry_at = now() + interval '1 second'");
    manifest_add(work, "e", 1, "doomed", NULL);
    manifest_add(work, "f", 1, "doomed", "attempts = 1");
    tap_is_number(iimg_sweep(work, 0, &left), 2, "a sweep deletes what is doomed and due");
    tap_is_number(left, 0, "... nothing of that is left");
    tap_ok(memory.call_count == 2 && strstr(memory.calls, "remove e")
               && strstr(memory.calls, "remove f again"),
           "... no other object is touched; the store hears which may have been tried before");
    tap_is(manifest_states(work), "a live, b held, c pending, d doomed", "... it is forgotten");
    memory_begin(work, true);
    doom("x", 1);
    tap_is_number(iimg_sweep(work, 0, &left), 1, "a single object is deleted, too");
    memory_begin(work, true);
    doom("x", 45);
    tap_is_number(iimg_sweep(work, apr_time_from_sec(600), &left), 45,
                  "one sweep takes more than two batches");
    tap_is(left_over(), "0", "... and forgets all of them");
    memory_begin(work, true);
    doom("x", 45);
    tap_is_number(iimg_sweep(work, 0, &left), 20, "one that has no time takes one batch");
    tap_is(left_over(), "25", "... and leaves the others");
    tap_is(manifest_sql(work, "SELECT max(attempts) FROM stored_objects"), "0",
           "... which it has not claimed");
}

static void failing(void)
{
    int left = -1;

    memory_begin(work, true);
    doom("x", 5);
    memory.refused = "x";
    tap_is_number(iimg_sweep(work, 0, &left), 0, "a store that refuses objects");
    tap_is_number(memory.call_count, 5, "... is asked for each of them");
    tap_is_number(left, 5, "... they are left");
    tap_ok(!work_logged(work, "IIMG0107") && work_logged(work, "IIMG0102: cannot delete x04"),
           "... each is named");
    tap_is(left_over(), "5", "... in the manifest too");
    memory_begin(work, true);
    doom("x", 5);
    memory.away = "x";
    tap_is_number(iimg_sweep(work, 0, &left), 0, "a store that is away");
    tap_is_number(memory.call_count, 3, "... is asked three times");
    tap_is_number(left, 5, "... all are left");
    tap_ok(work_logged(work, "IIMG0107: deletion of 2 more") && work_logged(work, "IIMG0102"),
           "... those that were tried are named, the others counted");
    memory_begin(work, true);
    doom("x0", 2);
    doom("x1", 1);
    doom("x2", 2);
    doom("x3", 1);
    memory.away = "x0";
    tap_is_number(iimg_sweep(work, 0, &left), 4, "two failures");
    tap_is_number(memory.call_count, 6, "... are not three");
    memory_begin(work, true);
    doom("x", 6);
    memory.script = "aagaag";
    tap_is_number(iimg_sweep(work, 0, &left), 2, "failures with a success between them");
    tap_is_number(memory.call_count, 6, "... are counted anew");
    tap_is(left_over(), "4", "... only what was deleted is forgotten");
    memory_begin(work, true);
    doom("x", 2);
    memory.unsettled = true;
    tap_is_number(iimg_sweep(work, 0, &left), 0, "what a power failure may bring back is not gone");
    tap_is(left_over(), "2", "... and not forgotten");
}

static int count_again(void)
{
    int count = 0;

    for (const char *at = memory.calls; (at = strstr(at, " again")) != NULL; at++) {
        count++;
    }
    return count;
}

/* It comes back to what failed, after half a second first. */
static void coming_back(void)
{
    int left = -1;

    memory_begin(work, true);
    doom("x", 23);
    memory.script = "aaa";
    tap_is_number(iimg_sweep(work, apr_time_from_sec(600), &left), 23,
                  "a store that is away for a moment");
    tap_is_number(left, 0, "... nothing is left of that");
    tap_is_number(memory.call_count, 26, "... three objects failed once, all are deleted once");
    tap_ok(count_again() == 3, "... the store hears that these have been tried before");
    tap_is(left_over(), "0", "... and forgotten");
    memory_begin(work, true);
    doom("x", 22);
    memory.refused = "x";
    manifest_add(work, "zgood", 1, "doomed", NULL);
    tap_is_number(iimg_sweep(work, apr_time_from_sec(600), &left), 1,
                  "of objects that are refused for good");
    tap_is_number(memory.call_count, 23 + 3 * 20, "... twenty are tried three times more");
    tap_is_number(left, 22, "... all are left");
    tap_is(left_over(), "22", "... in the manifest too");
    tap_is(manifest_sql(
               work, "SELECT count(*) FROM stored_objects WHERE attempts = 1 AND retry_at > now()"),
           "22", "... each of them claimed once");
    memory_begin(work, true);
    doom("x", 23);
    memory.away = "x";
    tap_is_number(iimg_sweep(work, apr_time_from_sec(600), &left), 0, "a store that stays away");
    tap_is_number(memory.call_count, 3 + 3 * 3, "... is asked three times in each of four rounds");
    tap_is_number(left, 20, "... one batch is left");
    tap_is(manifest_sql(work, "SELECT count(*) FROM stored_objects WHERE attempts = 0"), "3",
           "... no other was claimed meanwhile");
}

static void claim_of_another(iimg_context_t *context, const char *key)
{
    manifest_sql(
        context,
        "UPDATE stored_objects SET claim = gen_random_uuid() WHERE key = '%s' AND key = 'x01'",
        key);
}

static void unmount(iimg_context_t *context, const char *key)
{
    (void)context;
    if (strcmp(key, "x01") == 0) {
        memory.marker = NULL;
    }
}

static void meanwhile(void)
{
    int left;

    memory_begin(work, true);
    doom("x", 3);
    memory.during = claim_of_another;
    iimg_sweep(work, 0, &left);
    tap_is(manifest_states(work), "x01 doomed",
           "what another process claims meanwhile is left to it");
    memory_begin(work, true);
    doom("x", 3);
    memory.during = unmount;
    tap_is_number(iimg_sweep(work, 0, &left), 0, "a store that is unmounted meanwhile");
    tap_is(left_over(), "3", "... makes a sweep forget nothing");
    tap_is_number(left, 3, "... all is left");
    tap_ok(work_logged(work, "IIMG0102: cannot delete x00"), "... also what seemed to be deleted");
}

static void foreign(void)
{
    iimg_claim_t claim = { NULL };
    int left;

    memory_begin(work, true);
    doom("x", 3);
    memory.marker = MEMORY_MARKER(MEMORY_OTHER);
    tap_is_number(iimg_sweep(work, 0, &left), 0, "in the store of another database");
    tap_is(memory.calls, "", "... a sweep deletes nothing");
    tap_is(manifest_sql(work, "SELECT max(attempts) FROM stored_objects"), "0",
           "... and claims nothing");
    claim = (iimg_claim_t){ MEMORY_ID, manifest_keys(work, "x00", NULL),
                            apr_array_make(work->pool, 1, 1) };
    APR_ARRAY_PUSH(claim.again, bool) = false;
    iimg_sweep_claim(work, &claim);
    tap_is(memory.calls, "", "... nor does a request");
}

/* Objects that a request has doomed. */
static void own(void)
{
    iimg_claim_t claim = { NULL };

    memory_begin(work, true);
    doom("x", 3);
    iimg_sweep_claim(work, &claim);
    tap_is(memory.calls, "", "a request that has claimed nothing deletes nothing");
    iimg_stored_object_claim_own(work, &claim);
    doom("y", 1);
    iimg_sweep_claim(work, &claim);
    tap_ok(memory.call_count == 3 && !strstr(memory.calls, "y00"),
           "a request deletes what it has claimed");
    tap_is(manifest_states(work), "y00 doomed", "... and forgets that alone");
    memory_begin(work, true);
    doom("x", 3);
    memory.away = "x";
    iimg_stored_object_claim_own(work, &claim);
    iimg_sweep_claim(work, &claim);
    tap_is_number(memory.call_count, 1, "... at the first failure it leaves all to the sweeper");
    tap_is(left_over(), "3", "... nothing is forgotten");
}

int main(void)
{
    work = work_begin();
    if (manifest_begin(work)) {
        sweeping();
        failing();
        coming_back();
        meanwhile();
        foreign();
        own();
        manifest_end();
    }
    work_end(work);
    return tap_done();
}
