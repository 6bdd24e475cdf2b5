/* retry.c - whether to retry a failed call to an S3 store, and whether other calls would fail, too.
 */
#include "services/s3/retry.h"

#include <string.h>
#include <apr_general.h>

#define BASE_PAUSE           apr_time_from_msec(80)
#define BASE_PAUSE_THROTTLED apr_time_from_sec(1)
#define MOST_PAUSE           apr_time_from_sec(8)

static bool is_throttled(const iimg_s3_call_t *call)
{
    return call->response->status == 429
           || (call->code
               && (strcmp(call->code, "SlowDown") == 0
                   || strncmp(call->code, "Throttling", 10) == 0));
}

bool iimg_s3_is_passing(const iimg_s3_call_t *call)
{
    static const int statuses[] = { 408, 429, 500, 502, 503, 504 };
    static const char *const codes[] = { "SlowDown", "RequestTimeout", "InternalError",
                                         "ServiceUnavailable", "OperationAborted" };
    const iimg_http_response_t *response = call->response;

    if (response->outcome != IIMG_HTTP_OK) {
        return response->outcome != IIMG_HTTP_TOO_LARGE;
    }
    if (response->status == 301 && call->moved) { /* a redirect of a new bucket is temporary */
        return true;
    }
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (response->status == statuses[i]) {
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (call->code && strcmp(call->code, codes[i]) == 0) {
            return true;
        }
    }
    return is_throttled(call);
}

static apr_interval_time_t random_below(apr_interval_time_t most)
{
    apr_uint32_t number = 0;

    apr_generate_random_bytes((unsigned char *)&number, sizeof(number));
    return (apr_interval_time_t)((double)number / 4294967296.0 * (double)most);
}

apr_interval_time_t iimg_s3_pause(iimg_s3_call_t *const *calls, int count, int attempt)
{
    apr_interval_time_t longest = 0;

    for (int i = 0; i < count; i++) {
        apr_interval_time_t most = (is_throttled(calls[i]) ? BASE_PAUSE_THROTTLED : BASE_PAUSE)
                                   << attempt;
        apr_interval_time_t pause = random_below(most < MOST_PAUSE ? most : MOST_PAUSE);
        apr_interval_time_t asked = apr_time_from_sec(calls[i]->again_after);

        pause = pause > asked ? pause : asked;
        longest = longest > pause ? longest : pause;
    }
    return longest;
}

bool iimg_s3_concerns_one_object(const iimg_s3_call_t *call)
{
    static const char *const of_all[] = {
        "InvalidAccessKeyId",   "SignatureDoesNotMatch", "InvalidToken",
        "ExpiredToken",         "NoSuchBucket",          "InvalidBucketName",
        "AllAccessDisabled",    "AccountProblem",        "AuthorizationHeaderMalformed",
        "RequestTimeTooSkewed",
    };
    int status = call->response->status;

    if (call->response->outcome != IIMG_HTTP_OK || iimg_s3_is_passing(call)
        || (status >= 500 && status != 501)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(of_all) / sizeof(of_all[0]); i++) {
        if (call->code && strcmp(call->code, of_all[i]) == 0) {
            return false;
        }
    }
    return true;
}
