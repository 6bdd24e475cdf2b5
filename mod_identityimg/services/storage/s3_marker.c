/* s3_marker.c - storage driver "s3": the marker of the bucket. */
#include "services/storage/s3.h"

#include <string.h>

#define MAX_ERROR 65536 /* bytes of an error response */

/* Without the permission to list the bucket, AWS reports a missing object as forbidden. */
static bool is_missing(const iimg_error_t *err, const iimg_s3_call_t *call)
{
    return err->kind == IIMG_NOT_FOUND
           || (call->response && call->response->status == 403 && call->code
               && strcmp(call->code, "AccessDenied") == 0);
}

iimg_error_t *iimg_s3_read_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                  const char **text)
{
    iimg_s3_call_t call = { .method = "GET", .key = IIMG_STORE_MARKER, .max_response = MAX_ERROR };
    iimg_error_t *err = iimg_s3_send_with(context, storage->s3_marker, &call);

    *text = err ? NULL : call.response->body;
    return err && is_missing(err, &call) ? NULL : err;
}

/* @param only_first do not replace an existing marker */
static iimg_error_t *put_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                const char *text, bool only_first, iimg_s3_call_t *call)
{
    const iimg_object_t object = { .key = IIMG_STORE_MARKER, .media_type = "application/json" };
    iimg_sigv4_field_t headers[IIMG_S3_OBJECT_HEADERS + 1];
    int count = iimg_s3_object_headers(storage->s3, &object, headers);

    if (only_first) {
        headers[count++] = (iimg_sigv4_field_t){ "if-none-match", "*" };
    }
    *call = (iimg_s3_call_t){ .method = "PUT",
                              .key = IIMG_STORE_MARKER,
                              .headers = headers,
                              .header_count = count,
                              .data = text,
                              .length = strlen(text),
                              .max_response = MAX_ERROR };
    return iimg_s3_send_with(context, storage->s3_marker, call);
}

/* Some stores do not support If-None-Match in PUT (Swift: 501; others: 400). There only the
 * database prevents that two nodes write different markers. */
iimg_error_t *iimg_s3_write_marker(iimg_context_t *context, const iimg_storage_t *storage,
                                   const char *text)
{
    iimg_s3_call_t call;
    iimg_error_t *err = put_marker(context, storage, text, true, &call);
    int status = call.response ? call.response->status : 0;

    if (err && (status == 501 || status == 400)) {
        return put_marker(context, storage, text, false, &call);
    }
    return status == 412 || status == 409 ? NULL : err;
}
