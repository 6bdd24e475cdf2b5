/* s3_marker.c - the marker of a bucket of pictures: read, and written once. */
#include "services/storage/s3.h"

#include <string.h>

#define MAX_ERROR 65536 /* bytes of an answer that is no object */

/* Without the right to list the bucket, AWS reports a missing object as a forbidden one. */
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
    iimg_error_t *err = iimg_s3_send_by(context, storage->s3_marker, &call);

    *text = err ? NULL : call.response->body;
    return err && is_missing(err, &call) ? NULL : err;
}

/* @param only_first whether to ask the store to keep a marker that is there */
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
    return iimg_s3_send_by(context, storage->s3_marker, call);
}

/* Some stores know no If-None-Match for writing (Swift: 501; others call the request invalid: 400).
 * There the row of the database alone keeps two nodes from writing different markers. */
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
