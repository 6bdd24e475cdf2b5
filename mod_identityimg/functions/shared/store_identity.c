/* store_identity.c - compares the store's marker with the database's id before anything is changed.
 * It detects an empty mount point, another instance's bucket and a mistyped path. Any thread calls
 * it. */
#include "functions/shared/store_identity.h"

#include <string.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include "base/json/json.h"
#include "base/log.h"
#include "base/uuid.h"
#include "functions/shared/store_resembles.h"
#include "models/picture_store.h"
#include "services/services.h"
#include "services/s3/client.h"

#define MAX_WHY 1024

struct iimg_store_guard_t {
    apr_thread_mutex_t *lock;      /* guards this struct, also during a check */
    char id[IIMG_UUID_LENGTH + 1]; /* in the marker; "": not read yet */
    apr_time_t seen;               /* when the marker was last read */
    apr_time_t failed;             /* when the last check failed; 0: it succeeded */
    bool wrong;                    /* the marker is missing or foreign; false: no answer */
    bool reported;                 /* the failure is in the log */
    char why[MAX_WHY];
};

iimg_store_guard_t *iimg_store_guard_create(apr_pool_t *pool)
{
    iimg_store_guard_t *guard = apr_pcalloc(pool, sizeof(*guard));

    return apr_thread_mutex_create(&guard->lock, APR_THREAD_MUTEX_DEFAULT, pool) == APR_SUCCESS
               ? guard
               : NULL;
}

/* Markers -------------------------------------------------------------------------------------- */

const char *iimg_store_marker_id(apr_pool_t *pool, const char *text)
{
    json_t *json = iimg_json_own(pool, json_loads(text, JSON_REJECT_DUPLICATES, NULL));

    return iimg_uuid_parse(pool, json_string_value(json_object_get(json, "store")));
}

static const char *marker_text(apr_pool_t *pool, const char *id)
{
    return apr_pstrcat(pool, "{\"store\": \"", id,
                       "\", \"by\": \"mod_identityimg\", \"about\": \""
                       "This object says to which database the pictures here belong. Keep it, also "
                       "in backups.\"}\n",
                       NULL);
}

const char *iimg_store_place(apr_pool_t *pool, const iimg_storage_t *storage)
{
    return storage->driver->path
               ? storage->root
               : apr_pstrcat(pool, "bucket ", storage->s3->bucket,
                             *storage->s3->prefix ? ", prefix " : "", storage->s3->prefix, NULL);
}

/* @param id NULL: there is no marker, or it is not valid */
static iimg_error_t *read_marker(iimg_context_t *context, bool *present, const char **id)
{
    const iimg_storage_t *storage = &context->services->storage;
    const char *text;
    iimg_error_t *err = storage->driver->read_marker(context, storage, &text);

    if (err && err->kind != IIMG_TOO_LARGE) {
        return err;
    }
    *present = err || text;
    *id = !err && text ? iimg_store_marker_id(context->pool, text) : NULL;
    return NULL;
}

iimg_error_t *iimg_store_mark(iimg_context_t *context, const char *id, const char **found)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_error_t *err = storage->driver->write_marker(context, storage,
                                                      marker_text(context->pool, id));
    bool present;

    if (err) {
        return err;
    }
    return read_marker(context, &present, found);
}

/* Comparing ------------------------------------------------------------------------------------ */

static iimg_error_t *refuse(iimg_context_t *context, const char *why)
{
    iimg_error_t *err = iimg_error_with_code(context->pool, IIMG_UNAVAILABLE, "store_down",
                                             "The picture "
                                             "store is not available at the moment. Nothing was "
                                             "changed.");

    return iimg_error_detail(err, "%s", why);
}

/* The store has a marker that is not the known one. */
static const char *describe_other(apr_pool_t *pool, const char *place, const char *id,
                                  const iimg_picture_store_t *row)
{
    if (!id) {
        return apr_psprintf(pool,
                            "%s: " IIMG_STORE_MARKER " is not valid: restore it from "
                            "a backup, or remove it and run identityimgctl adopt-store",
                            place);
    }
    return apr_psprintf(pool,
                        "%s is the store %s, the database belongs to %s: correct the storage "
                        "directives or the database, or run identityimgctl adopt-store",
                        place, id, row->id ? row->id : "none yet");
}

static const char *describe_missing(apr_pool_t *pool, const char *place,
                                    const iimg_picture_store_t *row)
{
    return apr_psprintf(
        pool,
        "%s has no " IIMG_STORE_MARKER ", the database belongs to the store "
        "%s: mount it or correct the storage directives; if its pictures were moved "
        "here, run identityimgctl adopt-store",
        place, row->id);
}

/* The first use of a store. If this process dies on the way, the row stays without marked_at, and
 * the next process resumes from there.
 * @param ours set to the id; NULL: refused, *why says why */
static iimg_error_t *mark_first(iimg_context_t *context, iimg_picture_store_t *row,
                                const char **ours, const char **why)
{
    const char *place = iimg_store_place(context->pool, &context->services->storage);
    const char *doubt, *found;
    iimg_error_t *err = iimg_store_resembles(context, &doubt);

    if (err) {
        return err;
    }
    if (doubt) {
        *why = apr_psprintf(context->pool,
                            "%s has no " IIMG_STORE_MARKER " and %s: correct the "
                            "storage directives or the database, or run identityimgctl adopt-store",
                            place, doubt);
        return NULL;
    }
    if (!row->id) {
        err = iimg_picture_store_propose(context, iimg_uuid_create(context->pool), row);
        if (err) {
            return err;
        }
    }
    err = iimg_store_mark(context, row->id, &found);
    if (err) {
        return err;
    }
    if (!found || strcmp(found, row->id) != 0) {
        *why = describe_other(context->pool, place, found, row);
        return NULL;
    }
    iimg_log(context, IIMG_LOG_INFO, "using %s as the picture store %s", place, found);
    *ours = found;
    return iimg_picture_store_confirm(context, found);
}

static iimg_error_t *compare_with_row(iimg_context_t *context, bool present, const char *id,
                                      const char **ours, const char **why)
{
    const char *place = iimg_store_place(context->pool, &context->services->storage);
    iimg_picture_store_t row;
    iimg_error_t *err = iimg_picture_store_get(context, &row);

    if (err) {
        return err;
    }
    if (id && row.id && strcmp(id, row.id) == 0) {
        *ours = id;
        return row.marked ? NULL : iimg_picture_store_confirm(context, id);
    }
    if (present) {
        *why = describe_other(context->pool, place, id, &row);
        return NULL;
    }
    if (row.marked) {
        *why = describe_missing(context->pool, place, &row);
        return NULL;
    }
    return mark_first(context, &row, ours, why);
}

/* The guard ----------------------------------------------------------------------------------- */

/* Another process may mark the store between the two reads of a comparison, so that the marker is
 * missing and the row is confirmed: what does not match is compared once more. */
static iimg_error_t *compare_ids(iimg_context_t *context, iimg_store_guard_t *guard)
{
    const char *id, *ours = NULL, *why = NULL;
    iimg_error_t *err = NULL;
    bool present;

    guard->wrong = false;
    for (int comparisons = 0; !err && !ours && comparisons < 2; comparisons++) {
        err = read_marker(context, &present, &id);
        if (err || (id && strcmp(id, guard->id) == 0)) {
            return err;
        }
        *guard->id = '\0'; /* if the store stops answering now, no change is tried there */
        why = NULL;
        err = compare_with_row(context, present, id, &ours, &why);
    }
    if (err) {
        return err;
    }
    if (why) {
        guard->wrong = true;
        return refuse(context, why);
    }
    apr_cpystrn(guard->id, ours, sizeof(guard->id));
    return NULL;
}

static void log_state(iimg_context_t *context, iimg_store_guard_t *guard, bool failed)
{
    if (guard->wrong && !guard->reported) {
        iimg_log(
            context, IIMG_LOG_ERROR,
            "IIMG0204: the picture store is not the database's; nothing is written or deleted: %s",
            guard->why);
        guard->reported = true;
    }
    else if (!failed && guard->reported) {
        iimg_log(context, IIMG_LOG_INFO, "the picture store is the database's again");
        guard->reported = false;
    }
}

/* With the guard locked. @param arrived when the caller began to wait for the lock: a check that
 * failed since then counts for this caller, too */
static iimg_error_t *check(iimg_context_t *context, iimg_store_guard_t *guard, apr_time_t arrived)
{
    apr_interval_time_t age = context->services->storage.driver->marker_age;
    apr_time_t now = apr_time_now();
    iimg_error_t *err;

    if (!guard->failed && guard->seen <= now && now - guard->seen < age) {
        return NULL;
    }
    if (guard->failed && guard->failed <= now && guard->failed >= arrived) {
        return refuse(context, guard->why);
    }
    err = compare_ids(context, guard);
    now = apr_time_now();
    guard->failed = err ? now : 0;
    guard->seen = err ? guard->seen : now;
    if (err) {
        apr_cpystrn(guard->why, err->detail ? err->detail : err->message, sizeof(guard->why));
    }
    log_state(context, guard, err != NULL);
    return err;
}

static iimg_error_t *check_guarded(iimg_context_t *context, bool must_answer)
{
    const iimg_storage_t *storage = &context->services->storage;
    iimg_store_guard_t *guard = storage->guard;
    apr_time_t arrived = apr_time_now();
    iimg_error_t *err;

    apr_thread_mutex_lock(guard->lock);
    err = check(context, guard, arrived);
    if (err && !must_answer && !guard->wrong && *guard->id && storage->driver->marker_age) {
        err = NULL; /* the change itself will report the store's answer */
    }
    apr_thread_mutex_unlock(guard->lock);
    return err;
}

iimg_error_t *iimg_store_check(iimg_context_t *context)
{
    return check_guarded(context, false);
}

iimg_error_t *iimg_store_ready(iimg_context_t *context)
{
    return check_guarded(context, true);
}
