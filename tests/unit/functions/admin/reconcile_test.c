/*
 * reconcile_test.c - functions/admin/reconcile.c: what differs between a store and a manifest, and
 * what is deleted for it.
 */
#include "functions/admin/reconcile.h"

#include "manifest.h"

static iimg_context_t *work;
static const char *told;

static void tell(void *baton, const iimg_difference_t *difference)
{
    static const char *const kinds[] = { "unknown", "missing", "unbacked" };

    (void)baton;
    told = apr_pstrcat(
        work->pool, told, *told ? ", " : "", kinds[difference->kind], " ", difference->what,
        difference->version ? " " : "", difference->version ? difference->version : "",
        difference->removed ? " removed" : "", difference->young ? " young" : "", NULL);
}

/* @return "LISTED SHOWN REMOVED", or "refused" */
static const char *reconcile(bool remove, bool force)
{
    iimg_reconciliation_t wanted = {
        .remove = remove, .force = force, .min_age = 3600, .report = tell
    };
    iimg_error_t *err;

    told = "";
    err = iimg_reconcile(work, &wanted);
    if (err) {
        return err->kind == IIMG_CONFLICT ? "refused" : "failed";
    }
    return apr_psprintf(work->pool, "%ld %ld %ld", wanted.listed, wanted.shown, wanted.removed);
}

/* A store of COUNT objects, the last UNKNOWN of which the manifest does not know. */
static void fill(int count, int unknown)
{
    memory_begin(work, true);
    for (int i = 0; i < count; i++) {
        const char *key = apr_psprintf(work->pool, "key%04d", i);

        memory_add(key);
        if (i < count - unknown) {
            manifest_add(work, key, 1, "live", NULL);
        }
    }
}

static memory_object_t *last(void)
{
    return &memory.objects[memory.count - 1];
}

static void limits(void)
{
    fill(10, 1);
    tap_is(reconcile(true, false), "10 9 1", "a tenth that is unknown is deleted");
    tap_is(memory.calls, "purge key0009", "... that alone");
    fill(9, 1);
    tap_is(reconcile(true, false), "refused", "more than a tenth is not");
    tap_is(memory.calls, "", "... nothing is");
    fill(19, 2);
    tap_is(reconcile(true, false), "refused", "... two of nineteen neither");
    tap_is(reconcile(true, true), "19 17 2", "... unless it is forced");
    fill(20, 2);
    tap_is(reconcile(false, true), "20 18 0", "unasked nothing is deleted, forced or not");
    tap_is(memory.calls, "", "... not even tried");
    tap_is(told, "unknown key0018, unknown key0019", "... but told");
}

static void ages(void)
{
    fill(10, 1);
    last()->age = 3500;
    tap_is(reconcile(true, false), "10 9 0", "what is younger than an hour is not deleted");
    tap_is(told, "unknown key0009 young", "... and told");
    tap_is(memory.calls, "", "... nothing else is");
    last()->age = 3700;
    tap_is(reconcile(true, false), "10 9 1", "what is older is");
    fill(9, 1);
    last()->age = 0;
    tap_is(reconcile(true, false), "refused", "what is young counts for the tenth");
}

static void add_version(const char *key, const char *version, bool earlier, bool deleted)
{
    memory_add(key);
    last()->version = version;
    last()->earlier = earlier;
    last()->deleted = deleted;
}

static void versions(void)
{
    fill(20, 0);
    add_version("key0019", "v0", true, false);
    tap_is(reconcile(true, false), "21 20 1",
           "an earlier version of a key that is known is a leftover");
    tap_is(told, "unknown key0019 v0 removed", "... which is deleted");
    tap_is(memory.calls, "purge key0019 v0", "... that version alone");
    fill(19, 0);
    add_version("key0019", "v2", false, true);
    add_version("key0019", "v1", true, false);
    manifest_add(work, "key0019", 1, "live", NULL);
    tap_is(reconcile(true, false), "21 20 0",
           "what a delete marker hides of a key that is known stays");
    tap_is(told, "missing key0019", "... and is told as missing");
    add_version("key0020", "v2", false, false);
    add_version("key0020", "v1", true, false);
    manifest_add(work, "key0020", 1, "live", NULL);
    tap_is(reconcile(true, false), "23 21 1",
           "the marker of one key does not hide the next key's versions");
    tap_is(memory.calls, "purge key0020 v1", "... of which the earlier goes");
    fill(30, 0);
    add_version("key0099", "v2", false, true);
    add_version("key0099", "v1", true, false);
    tap_is(reconcile(true, false), "32 30 2", "of a key that is unknown all goes");
    tap_is(memory.calls, "purge key0099 v2, purge key0099 v1", "... with its delete marker");
}

static void forget_or_doom(iimg_context_t *context, const char *key)
{
    manifest_sql(context,
                 "UPDATE stored_objects SET state = 'doomed', held_until = NULL WHERE key = '%s'",
                 key);
    for (int i = 0; i < memory.count; i++) {
        memory.objects[i].gone |= strcmp(memory.objects[i].key, key) == 0;
    }
}

static void missing(void)
{
    fill(12, 0);
    manifest_add(work, "a", 1, "live", NULL);
    manifest_add(work, "b", 1, "held", NULL);
    manifest_add(work, "c", 1, "pending", NULL);
    manifest_add(work, "d", 1, "doomed", NULL);
    tap_is(reconcile(true, false), "12 14 0", "what must be there and is not is counted");
    tap_is(told, "missing a, missing b", "... what is shown or held");
    tap_is(memory.calls, "", "... and deletes nothing");
    fill(12, 0);
    last()->unlisted = true;
    tap_is(reconcile(false, false), "11 12 0", "what is written during the listing");
    tap_is(told, "", "... is not missing");
    fill(12, 0);
    manifest_add(work, "a", 1, "live", NULL);
    memory.during = forget_or_doom;
    tap_is(reconcile(false, false), "12 13 0", "what is doomed and deleted meanwhile");
    tap_is(told, "", "... is not missing either");
    fill(12, 1);
    memory.during = forget_or_doom;
    tap_is(reconcile(false, false), "12 11 0", "what is unknown and deleted meanwhile");
    tap_is(told, "", "... is no difference");
}

static void failing(void)
{
    fill(30, 3);
    memory.refused = "key0028";
    tap_is(reconcile(true, false), "30 27 2",
           "an object that the store refuses to delete holds up no other");
    tap_is(told, "unknown key0027 removed, unknown key0028, unknown key0029 removed",
           "... and is told as left");
    tap_ok(work_logged(work, "IIMG0210: key0028 could not"), "... and why");
    fill(30, 3);
    memory.away = "key0028";
    tap_is(reconcile(true, false), "failed", "a store that is away ends it");
    tap_is(memory.calls, "purge key0027, purge key0028", "... at once");
}

/* The store is looked up and the manifest read in batches. */
static void batches(void)
{
    static const int counts[] = { 499, 500, 501, 1000, 1001 };

    for (int i = 0; i < 5; i++) {
        fill(counts[i], 1);
        manifest_add(work, "zzz", 1, "live", NULL);
        tap_is(reconcile(false, false), apr_psprintf(work->pool, "%d %d 0", counts[i], counts[i]),
               "%d objects are compared", counts[i]);
        tap_is(told, apr_psprintf(work->pool, "unknown key%04d, missing zzz", counts[i] - 1),
               "... to the last of either");
    }
    fill(0, 0);
    tap_is(reconcile(true, false), "0 0 0", "nothing is compared with nothing");
}

int main(void)
{
    work = work_begin();
    if (manifest_begin(work)) {
        limits();
        ages();
        versions();
        missing();
        failing();
        batches();
        manifest_end();
    }
    work_end(work);
    return tap_done();
}
