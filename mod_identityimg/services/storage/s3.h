/* s3.h - internals of the storage driver "s3", for services/storage/s3*.c. */
#ifndef IIMG_SERVICES_STORAGE_S3_H
#define IIMG_SERVICES_STORAGE_S3_H

#include "services/s3/client.h"
#include "services/storage/storage.h"

#define IIMG_S3_OBJECT_HEADERS 5

/** Set the headers with which an object is stored. @return how many */
int iimg_s3_object_headers(const iimg_s3_settings_t *settings, const iimg_object_t *object,
                           iimg_sigv4_field_t *headers);

/** How long a bucket's marker is cached. */
#define IIMG_S3_MARKER_AGE apr_time_from_sec(5)

/** As iimg_storage_driver_t.read_marker and write_marker. */
iimg_error_t *iimg_s3_read_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                  const char **text);
iimg_error_t *iimg_s3_write_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                   const char *text);

/** Send one call with a client. Errors: as iimg_s3_error. */
iimg_error_t *iimg_s3_send_with(iimg_context_t *context, iimg_s3_client_t *client,
                                iimg_s3_call_t *call);

/** Send one call with the store's client. Errors: as iimg_s3_error. */
iimg_error_t *iimg_s3_send_one(iimg_context_t *context, const iimg_storage_t *storage,
                               iimg_s3_call_t *call);

/** As iimg_storage_driver_t.list. In a store without versions each object is its latest one. */
iimg_error_t *iimg_s3_list(iimg_context_t *context, const iimg_storage_t *storage,
                           iimg_storage_visit_fn visit, void *baton);

/** As iimg_storage_driver_t.list_latest. */
iimg_error_t *iimg_s3_list_latest(iimg_context_t *context, const iimg_storage_t *storage,
                                  iimg_storage_visit_fn visit, void *baton);

/**
 * List all versions of the objects whose keys start with a prefix.
 * @param versions false: the store has no versions, and nothing was visited
 */
iimg_error_t *iimg_s3_list_versions(iimg_context_t *context, const iimg_storage_t *storage,
                                    const char *prefix, iimg_storage_visit_fn visit, void *baton,
                                    bool *versions);

#endif
