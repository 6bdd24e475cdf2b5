/* quota.c - when Gemini's daily quotas are reset: at midnight in Pacific time.
 *
 * The rule for daylight saving time is coded here (US Energy Policy Act of 2005). A server may have
 * no time zone database, and libc supports only one zone for the whole process. */
#include "services/gemini/quota.h"

#include <stdbool.h>

#define HOUR     3600
#define DAY      (24 * HOUR)
#define STANDARD (-8 * HOUR) /* seconds east of UTC, from November to March */
#define SUMMER   (-7 * HOUR)

/* 2:00 o'clock on the number-th Sunday of a month (from 0), in seconds of UTC. */
static apr_int64_t sunday(int year, int month, int number, int offset)
{
    apr_time_exp_t first = { .tm_year = year, .tm_mon = month, .tm_mday = 1, .tm_hour = 2 };
    apr_time_exp_t known;
    apr_time_t time = 0;

    apr_time_exp_gmt_get(&time, &first);
    apr_time_exp_gmt(&known, time); /* computes the day of the week */
    return apr_time_sec(time) + ((7 - known.tm_wday) % 7 + 7 * number) * DAY - offset;
}

static int offset_at(apr_int64_t seconds)
{
    apr_time_exp_t here;
    bool summer;

    apr_time_exp_gmt(&here, apr_time_from_sec(seconds + STANDARD));
    summer = seconds >= sunday(here.tm_year, 2, 1, STANDARD)
             && seconds < sunday(here.tm_year, 10, 0, SUMMER);
    return summer ? SUMMER : STANDARD;
}

int iimg_gemini_seconds_to_reset(apr_time_t now)
{
    apr_int64_t seconds = apr_time_sec(now), local = seconds + offset_at(seconds);
    apr_int64_t midnight = local - local % DAY + DAY;

    /* The clock may be changed before then, always some hours from midnight. */
    return (int)(midnight - offset_at(midnight - offset_at(seconds)) - seconds);
}
