/* storage.h - where pictures' bytes are kept; drivers by name. */
#ifndef IIMG_STORAGE_H
#define IIMG_STORAGE_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_time.h>
#include "base/context.h"
#include "base/error.h"

/** An object to be written. */
typedef struct iimg_object_t {
    const char *key;            /* see picture_key.h */
    const char *media_type;
    const char *data;
    apr_size_t length;
} iimg_object_t;

/** An object that a store lists. */
typedef struct iimg_listed_t {
    const char *key;
    const char *version;        /* the store's name for this version; NULL in stores without versions */
    bool latest;                /* what a GET of the key answers (true in stores without versions) */
    bool deleted;               /* a delete marker: there are no bytes */
    apr_time_t modified;
    apr_off_t length;           /* bytes */
} iimg_listed_t;

/** Called for each object listed; an error ends the listing and is returned. */
typedef iimg_error_t *(*iimg_storage_visit_fn)(iimg_context_t *context, void *baton,
                                               const iimg_listed_t *object);

typedef struct iimg_storage_t iimg_storage_t;

/** A kind of store. A new one is a file and a line in drivers[]. */
typedef struct iimg_storage_driver_t {
    const char *name;           /* in the configuration */

    /**
     * Check what the operator configured, before children start.
     * @return NULL, or a sentence that says which directive to mend
     */
    const char *(*check)(apr_pool_t *pool, const iimg_storage_t *storage);

    /**
     * Whether the store would take a picture now, without writing one.
     * @return NULL, or what is in the way, for the log
     */
    const char *(*probe)(iimg_context_t *context, const iimg_storage_t *storage);

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

    /** Delete an object. One that is not there counts as deleted. Errors: IIMG_UNAVAILABLE. */
    iimg_error_t *(*remove)(iimg_context_t *context, const iimg_storage_t *storage,
                            const char *key);

    /**
     * List all objects of ours, all versions, in any order, a page at a time: memory stays bounded.
     * Errors: IIMG_UNAVAILABLE.
     */
    iimg_error_t *(*list)(iimg_context_t *context, const iimg_storage_t *storage,
                          iimg_storage_visit_fn visit, void *baton);

    /** Delete one version of an object for good. @param version as listed; NULL: the object */
    iimg_error_t *(*purge)(iimg_context_t *context, const iimg_storage_t *storage,
                           const char *key, const char *version);

    /** The file that httpd serves for a key; NULL in stores that serve themselves. */
    const char *(*path)(apr_pool_t *pool, const iimg_storage_t *storage, const char *key);
} iimg_storage_driver_t;

/** A configured store; read-only after start. */
struct iimg_storage_t {
    const iimg_storage_driver_t *driver;
    const char *root;           /* file: the directory */
};

extern const iimg_storage_driver_t iimg_storage_file;

/** @return the driver of that name, or NULL */
const iimg_storage_driver_t *iimg_storage_by_name(const char *name);

/** The names, for sentences: "file". */
extern const char *const iimg_storage_names;

#endif
