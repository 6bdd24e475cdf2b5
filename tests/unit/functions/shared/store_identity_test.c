/*
 * store_identity_test.c - functions/shared/store_identity.c: which stores are the database's, which
 * are marked, and how long a marker that was seen counts.
 */
#include "functions/shared/store_identity.h"

#include "functions/admin/adopt_store.h"
#include "manifest.h"

static iimg_context_t *work;

static const char *row(void)
{
    return manifest_sql(
        work,
        "SELECT id || CASE WHEN marked_at IS NULL THEN '' ELSE ' marked' END FROM picture_store");
}

static void knowing(void)
{
    iimg_error_t *err;

    memory_begin(work, true);
    tap_ok(!iimg_store_check(work), "the database's store is right");
    tap_ok(!iimg_store_check(work) && memory.marker_reads == 2,
           "... and is looked at before each change");
    memory.marker = MEMORY_MARKER(MEMORY_OTHER);
    err = iimg_store_check(work);
    tap_ok(err && err->kind == IIMG_UNAVAILABLE && strstr(err->detail, MEMORY_OTHER),
           "another one is not");
    tap_ok(iimg_store_check(work) != NULL, "... the next time neither");
    memory.marker = NULL;
    tap_ok(iimg_store_check(work) != NULL, "nor is one without a marker");
    tap_is_number(memory.marker_writes, 0, "... which gets none");
    memory.marker = "{}";
    tap_ok(iimg_store_check(work) != NULL, "nor one whose marker says nothing");
    memory.marker = MEMORY_MARKER(MEMORY_ID);
    tap_ok(!iimg_store_check(work), "when the right one is back it is right");
    tap_is(row(), MEMORY_ID " marked", "the database stays what it is");
    memory.silent = true;
    tap_ok(iimg_store_check(work) != NULL, "a directory that cannot be read is not right");
    memory_begin(work, true);
    manifest_sql(work, "UPDATE picture_store SET marked_at = NULL");
    tap_ok(!iimg_store_check(work), "a process died when it had written the marker");
    tap_is(row(), MEMORY_ID " marked", "... the next one notes that");
    memory_begin(work, true);
    manifest_sql(work, "UPDATE picture_store SET marked_at = NULL");
    memory.marker = MEMORY_MARKER(MEMORY_OTHER);
    tap_ok(iimg_store_check(work) != NULL && memory.marker_writes == 0,
           "... another store is none of its");
    tap_is(row(), MEMORY_ID, "... and is not noted");
}

static void first_use(void)
{
    memory_begin(work, false);
    tap_ok(!iimg_store_check(work), "a new store of a new database is right");
    tap_ok(memory.marker && strstr(row(), " marked")
               && strstr(memory.marker, apr_pstrndup(work->pool, row(), 36)),
           "... it is marked with the id that the database has");
    memory_begin(work, false);
    memory.full = true;
    tap_ok(iimg_store_check(work) != NULL, "one that cannot be marked is not");
    tap_ok(*row() && !strstr(row(), "marked"), "... nor does the database say so");
    memory_begin(work, false);
    memory.marker = MEMORY_MARKER(MEMORY_OTHER);
    tap_ok(iimg_store_check(work) != NULL,
           "a new database does not take over a store that has a marker");
    tap_is(row(), "", "... and learns nothing of it");
    memory_begin(work, false);
    manifest_sql(work, "INSERT INTO picture_store (id) VALUES ('" MEMORY_ID "')");
    tap_ok(!iimg_store_check(work) && strstr(memory.marker, MEMORY_ID),
           "a process died before it wrote the marker: the next one writes it");
    memory_begin(work, false);
    memory.first = MEMORY_MARKER(MEMORY_OTHER);
    tap_ok(iimg_store_check(work) != NULL,
           "another database marks the store at the same time: it is not ours");
    tap_ok(!strstr(row(), "marked"), "... the database notes no marker");
    memory_begin(work, false);
    memory.first = "{}";
    tap_ok(iimg_store_check(work) != NULL && !strstr(row(), "marked"),
           "... nor one that says nothing");
}

/* Without a marker the pictures tell. FOUND of COUNT that must be there are. */
static bool is_taken(int found, int count)
{
    memory_begin(work, false);
    for (int i = 0; i < count; i++) {
        const char *key = apr_psprintf(work->pool, "key%02d", i);

        manifest_add(work, key, 1, i % 2 ? "live" : "held", NULL);
        if (i < found) {
            memory_add(key);
        }
    }
    manifest_add(work, "a", 1, "doomed", NULL);
    return !iimg_store_check(work) && memory.marker;
}

static bool is_empty_manifest_taken(int known, int unknown)
{
    memory_begin(work, false);
    for (int i = 0; i < known + unknown; i++) {
        const char *key = apr_psprintf(work->pool, "key%02d", i);

        memory_add(key);
        if (i < known) {
            manifest_add(work, key, 1, "doomed", NULL);
        }
    }
    return !iimg_store_check(work) && memory.marker;
}

static void resembling(void)
{
    tap_ok(is_taken(1, 1), "a store without a marker that has the one picture is taken");
    tap_ok(!is_taken(0, 1), "... not one that does not");
    tap_ok(is_taken(1, 2), "half of them is enough");
    tap_ok(!is_taken(1, 4), "a quarter is not");
    tap_ok(is_taken(2, 4), "... of four too");
    tap_ok(!is_taken(1, 3), "less is not");
    tap_ok(is_taken(8, 16), "... of sixteen eight");
    tap_ok(!is_taken(7, 16), "... and not seven");
    tap_ok(is_taken(8, 40), "of many sixteen are looked up");
    tap_ok(!is_taken(7, 40), "... no more");
    tap_ok(is_empty_manifest_taken(0, 0), "where there must be nothing, nothing is right");
    tap_ok(!is_empty_manifest_taken(0, 1), "a picture that the database does not know is wrong");
    tap_ok(!is_empty_manifest_taken(0, 200), "... many are");
    tap_ok(is_empty_manifest_taken(1, 0), "what is doomed may be there");
    tap_ok(is_empty_manifest_taken(1, 5), "... and says whose the others are");
    tap_ok(is_empty_manifest_taken(100, 1), "a hundred are looked up");
}

/* A bucket's marker counts for a while. */
static void remembering(void)
{
    memory_begin(work, true);
    memory_driver.marker_age = apr_time_from_sec(100000);
    memory.silent = true;
    tap_ok(iimg_store_check(work) != NULL, "a bucket that never answered is not tried");
    memory.silent = false;
    tap_ok(!iimg_store_check(work), "one that answers is right");
    memory.marker_reads = 0;
    tap_ok(!iimg_store_check(work) && !iimg_store_ready(work) && memory.marker_reads == 0,
           "... and is not asked again for a while");
    memory_driver.marker_age = 1;
    apr_sleep(2);
    memory.silent = true;
    tap_ok(!iimg_store_check(work), "one that stops answering may be tried");
    tap_ok(iimg_store_ready(work) != NULL, "... but it is not ready");
    memory.silent = false;
    memory.marker = MEMORY_MARKER(MEMORY_OTHER);
    apr_sleep(2);
    tap_ok(iimg_store_check(work) != NULL, "one that is another's may not");
    memory.silent = true;
    apr_sleep(2);
    tap_ok(iimg_store_check(work) != NULL, "... also when it stops answering then");
    memory_driver.marker_age = 0;
}

static int count_lines(const char *text)
{
    const apr_array_header_t *lines = work->log->baton;
    int count = 0;

    for (int i = 0; i < lines->nelts; i++) {
        count += strstr(APR_ARRAY_IDX(lines, i, work_line_t).text, text) != NULL;
    }
    return count;
}

static void telling(void)
{
    memory_begin(work, true);
    memory.marker = NULL;
    for (int i = 0; i < 3; i++) {
        (void)!iimg_store_check(work);
    }
    tap_is_number(count_lines("IIMG0204"), 1, "the log says once that the store is wrong");
    memory.marker = MEMORY_MARKER(MEMORY_ID);
    (void)!iimg_store_check(work);
    (void)!iimg_store_check(work);
    tap_is_number(count_lines("database's again"), 1, "... and once that it is right again");
    memory.marker = NULL;
    (void)!iimg_store_check(work);
    tap_is_number(count_lines("IIMG0204"), 2, "... and the next time again");
    memory_begin(work, true);
    memory.silent = true;
    (void)!iimg_store_check(work);
    tap_is_number(count_lines("IIMG0204"), 0, "a store that does not answer is not a wrong one");
}

static void adopting(void)
{
    const char *id = NULL;

    memory_begin(work, true);
    memory.marker = MEMORY_MARKER(MEMORY_OTHER);
    tap_ok(!iimg_adopt_store(work, false, &id), "an operator adopts a store with another marker");
    tap_is(id, MEMORY_OTHER, "... whose id the command tells");
    tap_is(row(), MEMORY_OTHER " marked", "... and the database has");
    memory_begin(work, true);
    memory.marker = NULL;
    tap_ok(!iimg_adopt_store(work, false, &id) && strstr(memory.marker, MEMORY_ID),
           "one without a marker gets that of the database");
    memory_begin(work, true);
    memory.marker = MEMORY_MARKER(MEMORY_OTHER);
    manifest_add(work, "a", 1, "live", NULL);
    tap_ok(iimg_adopt_store(work, false, &id) != NULL,
           "one that lacks the pictures is not adopted");
    tap_is(row(), MEMORY_ID " marked", "... the database stays what it is");
    tap_ok(!iimg_adopt_store(work, true, &id), "... unless the operator insists");
    tap_is(row(), MEMORY_OTHER " marked", "... then it is");
    memory_begin(work, true);
    memory.marker = "{}";
    tap_ok(iimg_adopt_store(work, true, &id) != NULL,
           "a marker that says nothing cannot be adopted");
    tap_is(row(), MEMORY_ID " marked", "... the database stays what it is");
    memory_begin(work, true);
    memory.silent = true;
    tap_ok(iimg_adopt_store(work, true, &id) != NULL && memory.marker_writes == 0,
           "nor can a store that does not answer");
}

int main(void)
{
    work = work_begin();
    if (manifest_begin(work)) {
        knowing();
        first_use();
        resembling();
        remembering();
        telling();
        adopting();
        manifest_end();
    }
    work_end(work);
    return tap_done();
}
