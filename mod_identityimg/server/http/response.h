/* response.h - sends responses, and logs errors.
 *
 *     out = iimg_respond_begin(req, 1024);
 *     err = iimg_respond_signer(req, &signer);
 *     ... write JSON to out ...
 *     return iimg_respond_json(req, HTTP_OK, out);
 */
#ifndef IIMG_SERVER_HTTP_RESPONSE_H
#define IIMG_SERVER_HTTP_RESPONSE_H

#include "base/json/json.h"
#include "server/http/request.h"

/** Start the JSON of a response; its time is logged when it is sent. @param reserve bytes */
iimg_json_t *iimg_respond_begin(iimg_request_t *req, apr_size_t reserve);

/** A signer for the picture URLs of this response. Errors: IIMG_INTERNAL. */
iimg_error_t *iimg_respond_signer(iimg_request_t *req, iimg_media_signer_t **signer);

/** Send JSON. @return NULL */
iimg_error_t *iimg_respond_json(iimg_request_t *req, int status, const iimg_json_t *json);

/** The HTTP status of an error. */
int iimg_respond_status(const iimg_error_t *err);

/** The stable code of an error. */
const char *iimg_respond_code(const iimg_error_t *err);

/**
 * Whether If-None-Match names this version.
 * @param has_urls whether the response has picture URLs, which expire
 */
bool iimg_respond_has(const iimg_request_t *req, const char *version, bool has_urls);

/**
 * If the client has this version already, send 304. Else the response will carry the ETag.
 * @return whether 304 was sent
 */
bool iimg_respond_unchanged(iimg_request_t *req, const char *version, bool has_urls);

/** Send 204. @return NULL */
iimg_error_t *iimg_respond_no_content(iimg_request_t *req);

/** Bytes that are the same for every client of a URL. */
typedef struct iimg_document_t {
    const char *type;   /* Content-Type */
    const char *digest; /* hexadecimal digits of its contents: the ETag */
    const char *data;
    apr_size_t length;
} iimg_document_t;

/** Send a document, or 304 if the client has it. @return NULL */
iimg_error_t *iimg_respond_document(iimg_request_t *req, const iimg_document_t *document);

/**
 * Send an error, and log it once.
 * @return what the handler returns to httpd
 */
int iimg_respond_error(request_rec *r, const iimg_context_t *context, const iimg_error_t *err);

/** Forbid clients and caches to store the response. */
void iimg_respond_no_store(request_rec *r);

/** Send 301 without a body. @return NULL */
iimg_error_t *iimg_respond_moved(iimg_request_t *req, const char *url);

#endif
