/* manifest.h - for unit tests: the manifest in temporary tables, and a store in memory. */
#ifndef IIMG_MANIFEST_H
#define IIMG_MANIFEST_H

#include "functions/shared/store_identity.h"
#include "services/services.h"
#include "sql.h"

/* Temporary tables with the same names and columns hide the real ones. All runs in one transaction,
 * in which now() is constant. */

/** Run SQL. @return the first value of its first row, or "" */
#define manifest_sql(context, ...) manifest_text(sql_run(context, __VA_ARGS__))

static const char *manifest_text(const char *value)
{
    return value ? value : "";
}

/** Add an object. @param more columns and values behind key, picture and state, as "claim = '...'"
 */
__attribute__((unused)) static void manifest_add(iimg_context_t *context, const char *key,
                                                 int picture, const char *state, const char *more)
{
    manifest_sql(context,
                 "INSERT INTO stored_objects (key, picture, state, held_until) VALUES ('%s',"
                 " lpad('%d', 32, '0')::uuid, '%s', CASE '%s' WHEN 'held' THEN now() END)",
                 key, picture, state, state);
    if (more) {
        manifest_sql(context, "UPDATE stored_objects SET %s WHERE key = '%s'", more, key);
    }
}

/** @return "key state, key state" */
__attribute__((unused)) static const char *manifest_states(iimg_context_t *context)
{
    return manifest_sql(context, "SELECT string_agg(key || ' ' || state, ', ' ORDER BY key)"
                                 " FROM stored_objects");
}

/** Empty all tables. */
__attribute__((unused)) static void manifest_clear(iimg_context_t *context)
{
    manifest_sql(context,
                 "DELETE FROM stored_objects; DELETE FROM picture_store; DELETE FROM identities;"
                 " DELETE FROM reference_images; DELETE FROM generation_jobs");
}

/** Make an array of keys (terminated by NULL). */
__attribute__((unused, sentinel)) static apr_array_header_t *manifest_keys(iimg_context_t *context,
                                                                           ...)
{
    apr_array_header_t *keys = apr_array_make(context->pool, 4, sizeof(const char *));
    va_list arguments;
    const char *key;

    va_start(arguments, context);
    while ((key = va_arg(arguments, const char *)) != NULL) {
        APR_ARRAY_PUSH(keys, const char *) = key;
    }
    va_end(arguments);
    return keys;
}

__attribute__((unused)) static const char *manifest_joined(iimg_context_t *context,
                                                           const apr_array_header_t *keys)
{
    return apr_array_pstrcat(context->pool, keys, ' ');
}

/** Connect, with empty tables. @return false without a database */
__attribute__((unused)) static bool manifest_begin(iimg_context_t *context)
{
    static const char *const tables[] = { "stored_objects",   "picture_store",   "identities",
                                          "reference_images", "generation_jobs", NULL };

    if (!sql_begin(context, tables)) {
        return false;
    }
    context->connection = NULL; /* borrowed on demand */
    sql_connection.prepared = apr_hash_make(context->pool);
    return true;
}

__attribute__((unused)) static void manifest_end(void)
{
    PQfinish(sql_connection.pg);
    sql_connection.pg = NULL;
}

/* A store in memory ---------------------------------------------------------------------------- */

#define MEMORY_MAX 1200

typedef struct memory_object_t {
    const char *key, *version;
    bool earlier, deleted, unlisted, gone;
    int age; /* seconds */
} memory_object_t;

typedef struct memory_t {
    memory_object_t objects[MEMORY_MAX];
    int count;
    const char *marker;
    bool silent;       /* the marker cannot be read */
    bool full;         /* the marker cannot be written */
    const char *first; /* the marker that another node writes just before */
    int marker_reads, marker_writes;
    char calls[4096]; /* "remove KEY, purge KEY VERSION, ..." */
    int call_count;
    const char *away, *refused; /* deletion of keys with this text fails */
    const char *script;         /* a letter for each deletion: 'a' fails like `away` */
    void (*during)(iimg_context_t *context,
                   const char *key); /* called at each deletion and lookup */
    bool unsettled;
} memory_t;

static memory_t memory;

__attribute__((unused)) static void memory_add(const char *key)
{
    memory.objects[memory.count++] = (memory_object_t){ .key = key, .age = 10000 };
}

static void memory_note(const char *call, const char *key, const char *more)
{
    size_t used = strlen(memory.calls);

    memory.call_count++;
    snprintf(memory.calls + used, sizeof(memory.calls) - used, "%s%s %s%s", used ? ", " : "", call,
             key, more);
}

static iimg_error_t *memory_trouble(iimg_context_t *context, bool one_object)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_UNAVAILABLE, "The store does not answer.");

    err->one_object = one_object;
    return err;
}

static iimg_error_t *memory_delete(iimg_context_t *context, const char *key, const char *version)
{
    if (memory.during) {
        memory.during(context, key);
    }
    if ((memory.away && strstr(key, memory.away))
        || (memory.script && memory.call_count <= (int)strlen(memory.script)
            && memory.script[memory.call_count - 1] == 'a')) {
        return memory_trouble(context, false);
    }
    if (memory.refused && strstr(key, memory.refused)) {
        return memory_trouble(context, true);
    }
    for (int i = 0; i < memory.count; i++) {
        memory_object_t *object = &memory.objects[i];

        object->gone |= strcmp(object->key, key) == 0
                        && (!version || (object->version && strcmp(version, object->version) == 0));
    }
    return NULL;
}

static iimg_error_t *memory_remove(iimg_context_t *context, const iimg_storage_t *storage,
                                   const char *key, bool again)
{
    (void)storage;
    memory_note("remove", key, again ? " again" : "");
    return memory_delete(context, key, NULL);
}

static iimg_error_t *memory_purge(iimg_context_t *context, const iimg_storage_t *storage,
                                  const char *key, const char *version)
{
    (void)storage;
    memory_note("purge", key, version ? apr_pstrcat(context->pool, " ", version, NULL) : "");
    return memory_delete(context, key, version);
}

static iimg_error_t *memory_settle(iimg_context_t *context, const iimg_storage_t *storage,
                                   const apr_array_header_t *keys)
{
    (void)storage, (void)keys;
    return memory.unsettled ? memory_trouble(context, false) : NULL;
}

static iimg_error_t *memory_has(iimg_context_t *context, const iimg_storage_t *storage,
                                const char *key, bool *there)
{
    (void)storage;
    *there = false;
    if (memory.during) {
        memory.during(context, key);
    }
    for (int i = 0; i < memory.count; i++) {
        const memory_object_t *object = &memory.objects[i];

        *there |= strcmp(object->key, key) == 0 && !object->earlier && !object->deleted
                  && !object->gone;
    }
    return NULL;
}

static iimg_error_t *memory_list(iimg_context_t *context, const iimg_storage_t *storage,
                                 iimg_storage_visit_fn visit, void *baton)
{
    iimg_error_t *err = NULL;

    (void)storage;
    for (int i = 0; i < memory.count && !err; i++) {
        const memory_object_t *object = &memory.objects[i];
        iimg_listed_t listed = { object->key,
                                 object->version,
                                 !object->earlier,
                                 object->deleted,
                                 apr_time_now() - apr_time_from_sec(object->age),
                                 1 };

        err = object->unlisted || object->gone ? NULL : visit(context, baton, &listed);
    }
    return err;
}

static iimg_error_t *memory_read_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                        const char **text)
{
    (void)storage;
    memory.marker_reads++;
    *text = memory.marker;
    return memory.silent ? memory_trouble(context, false) : NULL;
}

static iimg_error_t *memory_write_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                         const char *text)
{
    (void)storage;
    if (memory.full) {
        return memory_trouble(context, false);
    }
    memory.marker_writes++;
    memory.marker = memory.marker ? memory.marker : memory.first;
    memory.marker = memory.marker ? memory.marker : apr_pstrdup(context->pool, text);
    return NULL;
}

static const char *memory_path(apr_pool_t *pool, const iimg_storage_t *storage, const char *key)
{
    return apr_pstrcat(pool, storage->root, "/", key, NULL);
}

static iimg_storage_driver_t memory_driver = { .name = "memory",
                                               .has = memory_has,
                                               .remove = memory_remove,
                                               .settle = memory_settle,
                                               .list = memory_list,
                                               .list_latest = memory_list,
                                               .purge = memory_purge,
                                               .read_marker = memory_read_marker,
                                               .write_marker = memory_write_marker,
                                               .path = memory_path };

#define MEMORY_ID         "5c000000-0000-4000-8000-000000000001"
#define MEMORY_OTHER      "5c000000-0000-4000-8000-000000000002"
#define MEMORY_MARKER(id) "{\"store\": \"" id "\"}"

/** Begin with an empty store and manifest. @param marked the store belongs to the database */
__attribute__((unused)) static void memory_begin(iimg_context_t *context, bool marked)
{
    static iimg_services_t services;

    memory = (memory_t){ .marker = marked ? MEMORY_MARKER(MEMORY_ID) : NULL };
    services.storage = (iimg_storage_t){ .driver = &memory_driver,
                                         .root = "/memory",
                                         .guard = iimg_store_guard_create(context->pool) };
    memory_driver.marker_age = 0;
    context->services = &services;
    manifest_clear(context);
    work_log_clear(context);
    if (marked) {
        manifest_sql(context,
                     "INSERT INTO picture_store (id, marked_at) VALUES ('" MEMORY_ID "', now())");
    }
}

#endif
