/* transfer.h - an HTTP request in libcurl. For base/http/ only. */
#ifndef IIMG_BASE_HTTP_TRANSFER_H
#define IIMG_BASE_HTTP_TRANSFER_H

#include <curl/curl.h>
#include "base/http/http.h"

typedef struct iimg_transfer_t {
    const iimg_http_request_t *request;
    iimg_http_response_t *response;
    apr_pool_t *pool; /* owns the response */
    CURL *curl;
    struct curl_slist *headers; /* in libcurl's form */
    curl_off_t upload;          /* length of the request's body */
    int chunk;                  /* the piece being sent */
    apr_size_t offset;          /* bytes of it that were sent */
    char *body;                 /* received so far; from malloc, freed with the pool */
    apr_size_t length;
    apr_size_t size; /* room in body */
    bool head_done;  /* the headers have ended; trailers are ignored */
    bool too_large, not_kept;
    apr_size_t received; /* bytes of the body, decoded */
    curl_off_t moved;    /* bytes sent and received */
    apr_time_t moved_at; /* time of the last change of moved */
    bool stands_still;
    void (*ended)(void *baton, iimg_http_response_t *response); /* of a transfer in a loop */
    void *baton;
    char problem[CURL_ERROR_SIZE];
} iimg_transfer_t;

/**
 * Create a transfer and its response.
 * @param pool owns both
 * @param work owns libcurl's headers and the body; must outlive the transfer
 */
iimg_transfer_t *iimg_transfer_create(apr_pool_t *pool, apr_pool_t *work,
                                      const iimg_http_request_t *request);

/** Set the options of an easy handle. @return false when out of memory */
bool iimg_transfer_prepare(iimg_transfer_t *transfer, CURL *curl);

/** Fill in the response after libcurl has ended the transfer. */
void iimg_transfer_finish(iimg_transfer_t *transfer, CURLcode rc);

/** @return the transfer of an easy handle */
iimg_transfer_t *iimg_transfer_of(CURL *curl);

/** Log the outcome at level trace. */
void iimg_transfer_log(iimg_context_t *context, const iimg_transfer_t *transfer);

#endif
