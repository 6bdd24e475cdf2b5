/* file.h - what the parts of the storage "file" share. For services/storage_file*.c. */
#ifndef IIMG_SERVICES_STORAGE_FILE_H
#define IIMG_SERVICES_STORAGE_FILE_H

#include "services/storage/storage.h"

/** @return the file of a key, absolute */
const char *iimg_file_path(apr_pool_t *pool, const iimg_storage_t *storage, const char *key);

/** @return what errno (code) means to a client; what is being done goes to the log */
iimg_error_t *iimg_file_trouble(iimg_context_t *context, const char *what, const char *path,
                                int code);

/**
 * Where an object is written before it gets its name: no key, so never served. Keys are written
 * once only: whoever deletes the key finds by its name what a dead process has left.
 * @param path of the object's file
 */
const char *iimg_file_unfinished(apr_pool_t *pool, const char *path);

/** Make a directory's entries durable: a rename is only then on disk. @return 0 or errno */
int iimg_file_sync_directory(const char *directory);

/** Read a whole file. Errors: as iimg_storage_driver_t.get. */
iimg_error_t *iimg_file_read(iimg_context_t *context, const char *path, apr_size_t max,
                             const char **data, apr_size_t *length);

/** As iimg_storage_driver_t.read_marker and write_marker. */
iimg_error_t *iimg_file_read_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                    const char **text);
iimg_error_t *iimg_file_write_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                     const char *text);

/** As iimg_storage_driver_t.put: write, fsync, rename. */
iimg_error_t *iimg_file_put(iimg_context_t *context, const iimg_storage_t *storage,
                            const iimg_object_t *objects, int count);

/** As iimg_storage_driver_t.list. */
iimg_error_t *iimg_file_list(iimg_context_t *context, const iimg_storage_t *storage,
                             iimg_storage_visit_fn visit, void *baton);

#endif
