/* response.h - the one place that answers, and that logs what went wrong. */
#ifndef IIMG_SERVER_HTTP_RESPONSE_H
#define IIMG_SERVER_HTTP_RESPONSE_H

#include "base/json/json.h"
#include "server/http/request.h"

/** Start an answer's JSON; its time is logged when it is sent. @param reserve bytes to make room
 * for */
iimg_json_t *iimg_respond_begin(iimg_request_t *req, apr_size_t reserve);

/** A signer for the picture URLs of this answer. Errors: IIMG_INTERNAL. */
iimg_error_t *iimg_respond_signer(iimg_request_t *req, iimg_media_signer_t **signer);

/** Send JSON. @return NULL */
iimg_error_t *iimg_respond_json(iimg_request_t *req, int status, const iimg_json_t *json);

/** The status that an error is answered with. */
int iimg_respond_status(const iimg_error_t *err);

/** The stable code that an error is answered with. */
const char *iimg_respond_code(const iimg_error_t *err);

/**
 * Whether the client has this version already, as If-None-Match says.
 * @param has_urls whether the answer has pictures' URLs, which expire
 */
bool iimg_respond_has(const iimg_request_t *req, const char *version, bool has_urls);

/**
 * Whether the client has this version already: then 304 is answered. Else the
 * answer to come carries the ETag.
 */
bool iimg_respond_unchanged(iimg_request_t *req, const char *version, bool has_urls);

/** Send 204. @return NULL */
iimg_error_t *iimg_respond_no_content(iimg_request_t *req);

/** Bytes that are the same for everyone who uses the same address. */
typedef struct iimg_document_t {
    const char *type;   /* Content-Type */
    const char *digest; /* hexadecimal digits of its contents: the ETag */
    const char *data;
    apr_size_t length;
} iimg_document_t;

/** Send a document, or 304 to a client that has it. @return NULL */
iimg_error_t *iimg_respond_document(iimg_request_t *req, const iimg_document_t *document);

/**
 * Answer an error, and log it once.
 * @return what the handler returns to httpd
 */
int iimg_respond_error(request_rec *r, const iimg_context_t *context, const iimg_error_t *err);

/** Whatever is answered, nobody is to store it. */
void iimg_respond_no_store(request_rec *r);

/** 301, without a body. */
iimg_error_t *iimg_respond_moved(iimg_request_t *req, const char *url);

#endif
