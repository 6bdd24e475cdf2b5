/* quota.h - when Gemini's daily quotas are reset. */
#ifndef IIMG_SERVICES_GEMINI_QUOTA_H
#define IIMG_SERVICES_GEMINI_QUOTA_H

#include <apr_time.h>

/** Seconds until the next midnight in Pacific time, when daily quotas are reset: 1 to 90000. */
int iimg_gemini_seconds_to_reset(apr_time_t now);

#endif
