/* storage.h - where pictures' bytes are kept; drivers by name. */
#ifndef IIMG_SERVICES_STORAGE_STORAGE_H
#define IIMG_SERVICES_STORAGE_STORAGE_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>
#include "base/context.h"
#include "base/error.h"

/** An object to be written. */
typedef struct iimg_object_t {
    const char *key; /* see picture_key.h */
    const char *media_type;
    const char *data;
    apr_size_t length;
    const struct iimg_spool_t *spool; /* has these bytes and nothing else, and may be given a name:
                                         a store of files need not write them again; or NULL */
} iimg_object_t;

/** An object that a store lists. */
typedef struct iimg_listed_t {
    const char *key;
    const char *version; /* the store's name for it; NULL in stores without versions */
    bool latest;         /* what a GET of the key answers (always, without versions) */
    bool deleted;        /* a delete marker: there are no bytes */
    apr_time_t modified;
    apr_off_t length; /* bytes */
} iimg_listed_t;

/** Called for each object listed; an error ends the listing and is returned. */
typedef iimg_error_t *(*iimg_storage_visit_fn)(iimg_context_t *context, void *baton,
                                               const iimg_listed_t *object);

/** Makes the addresses of one answer, at which clients read objects from the store itself. */
typedef struct iimg_storage_signer_t {
    /** @param download as in iimg_media_url @return NULL when OpenSSL fails */
    const char *(*url)(void *baton, const char *key, const char *download);
    void *baton;
} iimg_storage_signer_t;

typedef struct iimg_storage_t iimg_storage_t;

/** A kind of store. A new one is a file and a line in drivers[]. */
typedef struct iimg_storage_driver_t {
    const char *name; /* in the configuration */

    /**
     * Check what the operator configured, before children start.
     * @return NULL, or a sentence that says which directive to mend
     */
    const char *(*check)(apr_pool_t *pool, const iimg_storage_t *storage);

    /**
     * Whether this node can put a picture into the store now, without writing one; NULL: that the
     * marker can be read says all that is known.
     * @return NULL, or what is in the way, for the log
     */
    const char *(*ready)(iimg_context_t *context, const iimg_storage_t *storage);

    /**
     * Begin in a process, after its last fork and before its threads; NULL: there is nothing to
     * begin. All ends with the pool. @return NULL, or what is wrong
     */
    const char *(*start)(apr_pool_t *pool, iimg_storage_t *storage);

    /**
     * Ask the store whether it will take us; NULL: there is nobody to ask. Keeps in the
     * configuration what the store says of itself.
     * Errors: IIMG_UNAVAILABLE (it is away), IIMG_REFUSED (it never will: the detail says why).
     */
    iimg_error_t *(*probe)(iimg_context_t *context, iimg_storage_t *storage);

    /**
     * Write objects under fresh keys. On success all are durable; on failure some may be there:
     * the manifest knows them.
     * Errors: IIMG_UNAVAILABLE (full, read-only, away).
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
     * Whether an object is there, without reading it.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*has)(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                         bool *there);

    /**
     * Delete an object. One that is not there counts as deleted. A power failure may bring it back
     * before settle has returned.
     * @param again it may have been tried before, and not come to its end
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*remove)(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                            bool again);

    /**
     * Wait until removals cannot be undone by a power failure; NULL: they never can.
     * @param keys const char *: what was removed
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*settle)(iimg_context_t *context, const iimg_storage_t *storage,
                            const apr_array_header_t *keys);

    /**
     * List all objects of ours, all versions, a page at a time: memory stays bounded. Keys come in
     * any order, versions of one key one after the other, the latest first.
     * What a visit is given lives until it returns.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*list)(iimg_context_t *context, const iimg_storage_t *storage,
                          iimg_storage_visit_fn visit, void *baton);

    /**
     * The same of the latest versions alone. It needs no right to see the others.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*list_latest)(iimg_context_t *context, const iimg_storage_t *storage,
                                 iimg_storage_visit_fn visit, void *baton);

    /** Delete one version of an object for good. @param version as listed; NULL: the object */
    iimg_error_t *(*purge)(iimg_context_t *context, const iimg_storage_t *storage, const char *key,
                           const char *version);

    /**
     * Read the store's marker, the object IIMG_STORE_MARKER, which is no key and is never listed.
     * Gives up within some seconds. @param text NULL: there is none Errors: IIMG_UNAVAILABLE,
     * IIMG_TOO_LARGE.
     */
    iimg_error_t *(*read_marker)(iimg_context_t *context, const iimg_storage_t *storage,
                                 const char **text);

    /**
     * Write the marker, whole and durable. One that is there already stays, whatever it says.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*write_marker)(iimg_context_t *context, const iimg_storage_t *storage,
                                  const char *text);

    /**
     * How long a marker that was seen counts; 0: it is read before each change, since an unmount
     * makes another store of this one from one moment to the next.
     */
    apr_interval_time_t marker_age;

    /** The file that httpd serves for a key; NULL in stores that serve themselves. */
    const char *(*path)(apr_pool_t *pool, const iimg_storage_t *storage, const char *key);

    /**
     * Begin to make addresses; NULL in stores that httpd serves.
     * @param since  from when on they are good, @param expiry for how many seconds
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*sign)(iimg_context_t *context, const iimg_storage_t *storage, apr_time_t since,
                          int expiry, iimg_storage_signer_t *signer);

    /**
     * What changes, beside time, when addresses that were made before must not be used any longer;
     * NULL: nothing does. @return 0 to 2^31-1
     */
    apr_int64_t (*epoch)(iimg_context_t *context, const iimg_storage_t *storage);
} iimg_storage_driver_t;

struct iimg_s3_settings_t;
struct iimg_s3_client_t;

/** A configured store; read-only after start. */
struct iimg_storage_t {
    const iimg_storage_driver_t *driver;
    const char *root;                   /* file: the directory */
    struct iimg_s3_settings_t *s3;      /* s3: where the bucket is */
    struct iimg_s3_client_t *s3_client; /* s3: this process' connections */
    struct iimg_s3_client_t *s3_marker; /* s3: the same, with less patience, for the marker */
    struct iimg_store_guard_t *guard;   /* this process' own: whether the store is the database's */
};

/** Name of the marker in a store, behind the prefix or below the root. */
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
