/* retry.h - whether to retry a failed call to an S3 store, and whether other calls would fail, too.
 */
#ifndef IIMG_SERVICES_S3_RETRY_H
#define IIMG_SERVICES_S3_RETRY_H

#include "services/s3/client.h"

/** Whether the same call may succeed in a moment: no answer, 408, 429, 5xx but 501, throttling. */
bool iimg_s3_is_passing(const iimg_s3_call_t *call);

/**
 * The back-off before a retry: as long as the store asks for, else a random time below a limit that
 * doubles with each attempt. Randomness keeps clients from retrying at the same time.
 * @param attempt 0 at first
 */
apr_interval_time_t iimg_s3_pause(iimg_s3_call_t *const *calls, int count, int attempt);

/**
 * Whether the failure says nothing about calls for other objects. Not so where there was no answer,
 * for 5xx and throttling, and where credentials or the bucket are refused.
 */
bool iimg_s3_concerns_one_object(const iimg_s3_call_t *call);

#endif
