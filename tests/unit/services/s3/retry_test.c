/* retry_test.c - services/s3/retry.c: which failures pass, which concern one object, how long to
 * wait. */
#include "services/s3/retry.h"

#include "tap.h"
#include "work.h"

static const struct {
    iimg_http_outcome_t outcome;
    int status;
    const char *code;
    bool passing, one;
} rows[] = {
    { IIMG_HTTP_OK, 400, "InvalidRequest", false, true },
    { IIMG_HTTP_OK, 400, "RequestTimeout", true, false },
    { IIMG_HTTP_OK, 403, "AccessDenied", false, true },
    { IIMG_HTTP_OK, 403, NULL, false, true },
    { IIMG_HTTP_OK, 403, "InvalidAccessKeyId", false, false },
    { IIMG_HTTP_OK, 403, "SignatureDoesNotMatch", false, false },
    { IIMG_HTTP_OK, 400, "InvalidToken", false, false },
    { IIMG_HTTP_OK, 400, "ExpiredToken", false, false },
    { IIMG_HTTP_OK, 404, "NoSuchBucket", false, false },
    { IIMG_HTTP_OK, 400, "InvalidBucketName", false, false },
    { IIMG_HTTP_OK, 403, "AllAccessDisabled", false, false },
    { IIMG_HTTP_OK, 403, "AccountProblem", false, false },
    { IIMG_HTTP_OK, 400, "AuthorizationHeaderMalformed", false, false },
    { IIMG_HTTP_OK, 403, "RequestTimeTooSkewed", false, false },
    { IIMG_HTTP_OK, 404, "NoSuchKey", false, true },
    { IIMG_HTTP_OK, 408, NULL, true, false },
    { IIMG_HTTP_OK, 409, NULL, false, true },
    { IIMG_HTTP_OK, 409, "OperationAborted", true, false },
    { IIMG_HTTP_OK, 429, NULL, true, false },
    { IIMG_HTTP_OK, 400, "SlowDown", true, false },
    { IIMG_HTTP_OK, 400, "ThrottlingException", true, false },
    { IIMG_HTTP_OK, 400, "Throttled", false, true },
    { IIMG_HTTP_OK, 499, NULL, false, true },
    { IIMG_HTTP_OK, 500, NULL, true, false },
    { IIMG_HTTP_OK, 400, "InternalError", true, false },
    { IIMG_HTTP_OK, 501, "NotImplemented", false, true },
    { IIMG_HTTP_OK, 502, NULL, true, false },
    { IIMG_HTTP_OK, 503, NULL, true, false },
    { IIMG_HTTP_OK, 400, "ServiceUnavailable", true, false },
    { IIMG_HTTP_OK, 504, NULL, true, false },
    { IIMG_HTTP_OK, 505, NULL, false, false },
    { IIMG_HTTP_OK, 301, NULL, false, true },
    { IIMG_HTTP_CONNECT, 0, NULL, true, false },
    { IIMG_HTTP_TIMED_OUT, 0, NULL, true, false },
    { IIMG_HTTP_BROKEN, 0, NULL, true, false },
    { IIMG_HTTP_TOO_LARGE, 200, NULL, false, false },
};

static void judging(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_http_response_t response = { .outcome = rows[i].outcome, .status = rows[i].status };
        iimg_s3_call_t call = { .response = &response, .code = rows[i].code };
        const char *code = rows[i].code ? rows[i].code : "no code";

        tap_ok(iimg_s3_is_passing(&call) == rows[i].passing, "outcome %d, %d %s %s",
               rows[i].outcome, rows[i].status, code, rows[i].passing ? "passes" : "stays");
        tap_ok(iimg_s3_concerns_one_object(&call) == rows[i].one, "... and concerns %s",
               rows[i].one ? "one object" : "all");
    }
}

static void redirected(void)
{
    iimg_http_response_t response = { .outcome = IIMG_HTTP_OK, .status = 301 };
    iimg_s3_call_t call = { .response = &response, .moved = true };

    tap_ok(iimg_s3_is_passing(&call),
           "a redirect of a call that was signed for another region passes");
    response.status = 307;
    tap_ok(!iimg_s3_is_passing(&call), "... no other redirect does");
}

/* Of many random pauses the longest. */
static apr_interval_time_t longest(int status, int attempt, int again_after, int count)
{
    iimg_http_response_t good = { .outcome = IIMG_HTTP_OK, .status = 500 };
    iimg_http_response_t response = { .outcome = IIMG_HTTP_OK, .status = status };
    iimg_s3_call_t first = { .response = &good },
                   last = { .response = &response, .again_after = again_after };
    iimg_s3_call_t *calls[] = { &last, &first };
    apr_interval_time_t most = 0;

    for (int i = 0; i < 400; i++) {
        apr_interval_time_t pause = iimg_s3_pause(calls, count, attempt);

        most = pause > most ? pause : most;
    }
    return most;
}

static void pausing(void)
{
    static const struct {
        int status, attempt, below;
    } limits[] = { { 500, 0, 80 },   { 500, 1, 160 },  { 500, 3, 640 },  { 500, 10, 8000 },
                   { 429, 0, 1000 }, { 429, 2, 4000 }, { 429, 3, 8000 }, { 429, 4, 8000 } };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        apr_interval_time_t most = longest(limits[i].status, limits[i].attempt, 0, 1);

        tap_ok(most < apr_time_from_msec(limits[i].below)
                   && most > apr_time_from_msec(limits[i].below) / 2,
               "status %d, attempt %d: below %d ms", limits[i].status, limits[i].attempt,
               limits[i].below);
    }
    tap_ok(longest(500, 0, 3, 1) == apr_time_from_sec(3), "a store may ask for more");
    tap_ok(longest(500, 0, 3, 2) == apr_time_from_sec(3),
           "of several calls the longest pause counts");
    tap_ok(longest(500, 0, 0, 0) == 0, "no call needs none");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    judging();
    redirected();
    pausing();
    work_end(context);
    return tap_done();
}
