/* file.h - internals of the storage driver "file", for services/storage/file*.c. */
#ifndef IIMG_SERVICES_STORAGE_FILE_H
#define IIMG_SERVICES_STORAGE_FILE_H

#include "services/storage/storage.h"

/** @return the absolute path of a key's file */
const char *iimg_file_path(apr_pool_t *pool, const iimg_storage_t *storage, const char *key);

/** Make the error for an errno. @param what the operation, for the log: "writing" */
iimg_error_t *iimg_file_error(iimg_context_t *context, const char *what, const char *path,
                              int code);

/**
 * The temporary name of an object's file. It is not a key, so it is never served. It follows from
 * the key, so that deleting the key also deletes what a dead process has left.
 * @param path of the object's file
 */
const char *iimg_file_unfinished(apr_pool_t *pool, const char *path);

/** Make a directory's entries durable, such as a rename. @return 0 or errno */
int iimg_file_sync_directory(const char *directory);

/** Read a whole file. Errors: as iimg_storage_driver_t.get. */
iimg_error_t *iimg_file_read(iimg_context_t *context, const char *path, apr_size_t max,
                             const char **data, apr_size_t *length);

/** As iimg_storage_driver_t.read_marker and write_marker. */
iimg_error_t *iimg_file_read_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                    const char **text);
iimg_error_t *iimg_file_write_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                     const char *text);

/** As iimg_storage_driver_t.put. */
iimg_error_t *iimg_file_put(iimg_context_t *context, const iimg_storage_t *storage,
                            const iimg_object_t *objects, int count);

/** As iimg_storage_driver_t.list. */
iimg_error_t *iimg_file_list(iimg_context_t *context, const iimg_storage_t *storage,
                             iimg_storage_visit_fn visit, void *baton);

#endif
