/* storage.h - the interface of picture stores: drivers "file" and "s3". */
#ifndef IIMG_SERVICES_STORAGE_STORAGE_H
#define IIMG_SERVICES_STORAGE_STORAGE_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include "base/context.h"
#include "base/error.h"

/*
 * A driver is a record of functions, called in any thread of httpd and by identityimgctl:
 *
 *     check                        httpd's parent, for the configuration
 *     start, probe                 a child, before its threads
 *     read_marker                  before the first write, then every marker_age: is it our store?
 *     put                          for keys that the manifest has announced
 *     get, has, sign or path       to serve and read objects
 *     remove, then settle          for keys that the manifest has doomed
 *     list, list_latest, purge     identityimgctl reconcile
 *
 * A driver knows keys and bytes only. Which objects must exist is a matter of the manifest
 * (models/stored_object.h). Objects never change after they are written.
 */

/** An object to write. */
typedef struct iimg_object_t {
    const char *key; /* see services/pictures/key.h */
    const char *media_type;
    const char *data;
    apr_size_t length;
    const struct iimg_spool_t *spool; /* a file with exactly these bytes, which the driver "file"
                                         may link instead of writing; or NULL */
} iimg_object_t;

/** An object that a store lists. */
typedef struct iimg_listed_t {
    const char *key;
    const char *version; /* the store's id of the version; NULL in stores without versions */
    bool latest;         /* a GET of the key returns it (always, without versions) */
    bool deleted;        /* a delete marker, without bytes */
    apr_time_t modified;
    apr_off_t length; /* bytes */
} iimg_listed_t;

/** Called for each listed object. An error ends the listing and is returned. */
typedef iimg_error_t *(*iimg_storage_visit_fn)(iimg_context_t *context, void *baton,
                                               const iimg_listed_t *object);

/** Makes the URLs of one response, with which clients read objects from the store directly. */
typedef struct iimg_storage_signer_t {
    /** @param download as in iimg_media_url @return NULL if OpenSSL fails */
    const char *(*url)(void *baton, const char *key, const char *download);
    void *baton;
} iimg_storage_signer_t;

typedef struct iimg_storage_t iimg_storage_t;

/** A kind of store. A new one needs a file and a line in drivers[]. */
typedef struct iimg_storage_driver_t {
    const char *name; /* in the configuration */

    /**
     * Check the configuration, before children start.
     * @return NULL, or a sentence that names the directive to correct
     */
    const char *(*check)(apr_pool_t *pool, const iimg_storage_t *storage);

    /**
     * Check that this node can write to the store now, without writing. If the member is NULL, a
     * readable marker is enough.
     * @return NULL, or the problem, for the log
     */
    const char *(*ready)(iimg_context_t *context, const iimg_storage_t *storage);

    /**
     * Start in a process, after its last fork and before its threads; may be NULL. The pool owns
     * everything. @return NULL, or the problem
     */
    const char *(*start)(apr_pool_t *pool, iimg_storage_t *storage);

    /**
     * Check that the store accepts our credentials; may be NULL. Stores its region in the settings.
     * Errors: IIMG_UNAVAILABLE (no response), IIMG_REFUSED (the configuration is wrong: see
     * detail).
     */
    iimg_error_t *(*probe)(iimg_context_t *context, iimg_storage_t *storage);

    /**
     * Write objects with new keys. On success all are durable. On failure some may exist; the
     * manifest has them.
     * Errors: IIMG_UNAVAILABLE (full, read-only, no response).
     */
    iimg_error_t *(*put)(iimg_context_t *context, const iimg_storage_t *storage,
                         const iimg_object_t *objects, int count);

    /**
     * Read a whole object.
     * @param max most bytes
     * Errors: IIMG_NOT_FOUND, IIMG_TOO_LARGE, IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*get)(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                         apr_size_t max, const char **data, apr_size_t *length);

    /**
     * Check whether an object exists, without reading it.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*has)(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                         bool *there);

    /**
     * Delete an object. A missing object counts as deleted. Until settle returns, a power failure
     * may restore it.
     * @param again an earlier attempt may have been interrupted
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*remove)(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                            bool again);

    /**
     * Make removals durable, so that a power failure does not undo them; NULL: they always are.
     * @param keys const char *: of removed objects
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*settle)(iimg_context_t *context, const iimg_storage_t *storage,
                            const apr_array_header_t *keys);

    /**
     * List all versions of our objects, page by page, with bounded memory. Keys come in any order;
     * versions of a key are adjacent, latest first. An object lives until its visit returns.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*list)(iimg_context_t *context, const iimg_storage_t *storage,
                          iimg_storage_visit_fn visit, void *baton);

    /**
     * List the latest versions only, which needs no permission for the others.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*list_latest)(iimg_context_t *context, const iimg_storage_t *storage,
                                 iimg_storage_visit_fn visit, void *baton);

    /** Delete a version of an object permanently. @param version as listed; NULL: the object */
    iimg_error_t *(*purge)(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                           const char *version);

    /**
     * Read the store's marker, the object IIMG_STORE_MARKER, which is not a key and never listed.
     * Times out after some seconds.
     * @param text NULL: there is no marker
     * Errors: IIMG_UNAVAILABLE, IIMG_TOO_LARGE.
     */
    iimg_error_t *(*read_marker)(iimg_context_t *context, const iimg_storage_t *storage,
                                 const char **text);

    /**
     * Write the marker atomically and durably. An existing marker is not replaced.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*write_marker)(iimg_context_t *context, const iimg_storage_t *storage,
                                  const char *text);

    /**
     * How long a marker is cached. 0: it is read before each change, since a file system may be
     * unmounted at any time.
     */
    apr_interval_time_t marker_age;

    /** The file of a key, which httpd serves; NULL if clients read from the store directly. */
    const char *(*path)(apr_pool_t *pool, const iimg_storage_t *storage, const char *key);

    /**
     * Start to make URLs; NULL if httpd serves objects.
     * @param since when URLs become valid @param expiry seconds for which they are
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*sign)(iimg_context_t *context, const iimg_storage_t *storage, apr_time_t since,
                          int expiry, iimg_storage_signer_t *signer);

    /**
     * A number that changes when earlier URLs become invalid before they expire; may be NULL.
     * @return 0 to 2^31-1
     */
    apr_int64_t (*epoch)(iimg_context_t *context, const iimg_storage_t *storage);
} iimg_storage_driver_t;

struct iimg_s3_settings_t;
struct iimg_s3_client_t;

/** A configured store; read-only after start. */
struct iimg_storage_t {
    const iimg_storage_driver_t *driver;
    const char *root;                   /* file: the directory */
    struct iimg_s3_settings_t *s3;      /* s3: the bucket */
    struct iimg_s3_client_t *s3_client; /* s3: this process' connections */
    struct iimg_s3_client_t *s3_marker; /* s3: with shorter timeouts, for the marker */
    struct iimg_store_guard_t
        *guard; /* of this process: whether the store belongs to the database */
};

/** Name of the marker in a store, after the prefix or in the root directory. */
#define IIMG_STORE_MARKER ".identityimg-store"

/** Most bytes of a marker. */
#define IIMG_STORE_MARKER_MAX 4096

extern const iimg_storage_driver_t iimg_storage_file;
extern const iimg_storage_driver_t iimg_storage_s3;

/** @return the driver of that name, or NULL */
const iimg_storage_driver_t *iimg_storage_by_name(const char *name);

/** The names, for sentences: "file, s3". */
extern const char *const iimg_storage_names;

#endif
