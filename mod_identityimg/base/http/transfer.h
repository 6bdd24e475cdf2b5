/* transfer.h - one HTTP request under way in libcurl. For base/http*.c alone. */
#ifndef IIMG_BASE_HTTP_TRANSFER_H
#define IIMG_BASE_HTTP_TRANSFER_H

#include <curl/curl.h>
#include "base/http/http.h"

typedef struct iimg_transfer_t {
    const iimg_http_request_t *request;
    iimg_http_response_t *response;
    apr_pool_t *pool; /* owns the response */
    CURL *curl;
    struct curl_slist *headers; /* as curl wants them */
    curl_off_t upload;          /* bytes of the request's body */
    int chunk;                  /* the piece being sent */
    apr_size_t offset;          /* bytes of it that are sent */
    char *body;                 /* what came so far; from malloc, dropped with the pool */
    apr_size_t length;
    apr_size_t size; /* room in body */
    bool head_done;  /* the blank line came: what follows are trailers */
    bool too_large, not_kept;
    apr_size_t received; /* bytes of the body, decoded */
    curl_off_t moved;    /* bytes that went either way */
    apr_time_t moved_at; /* when the last of them did */
    bool stands_still;
    void (*ended)(void *baton, iimg_http_response_t *response); /* of a loop's transfer */
    void *baton;
    char problem[CURL_ERROR_SIZE];
} iimg_transfer_t;

/**
 * @param pool owns transfer and response
 * @param work what only libcurl needs ends with it; the transfer must be over then
 */
iimg_transfer_t *iimg_transfer_create(apr_pool_t *pool, apr_pool_t *work,
                                      const iimg_http_request_t *request);

/** Set an easy handle up for it. @return false when there is no memory */
bool iimg_transfer_prepare(iimg_transfer_t *transfer, CURL *curl);

/** Fill in the response, once libcurl has come to an end. */
void iimg_transfer_finish(iimg_transfer_t *transfer, CURLcode rc);

/** The transfer whose easy handle this is. */
iimg_transfer_t *iimg_transfer_of(CURL *curl);

/** Write a line of trace about what became of it. */
void iimg_transfer_log(iimg_context_t *context, const iimg_transfer_t *transfer);

#endif
