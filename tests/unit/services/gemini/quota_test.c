/* quota_test.c - the reset of daily quotas, at midnight in Pacific time, in each season. */
#include "services/gemini/quota.h"

#include <stddef.h>
#include "tap.h"

static const struct {
    apr_int64_t now; /* seconds of UTC */
    int wanted;
    const char *sentence;
} rows[] = {
    { 1796011200, 14400, "in winter, at 20:00: 4 hours" },
    { 1782975599, 1, "in summer, a second before midnight: 1 second" },
    { 1782975600, 86400, "in summer, at midnight: the whole day" },
    { 1772953200, 3600, "an hour before the day on which summer time begins" },
    { 1772956800, 82800, "a day with 23 hours" },
    { 1772963999, 75601, "one second before clocks are put forward" },
    { 1772964000, 75600, "right after clocks are put forward" },
    { 1793512800, 3600, "an hour before the day on which summer time ends" },
    { 1793516400, 90000, "a day with 25 hours" },
    { 1793563200, 43200, "at its noon: 12 hours" },
    { 1798788600, 1800, "half an hour before a new year" },
};

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is_number(iimg_gemini_seconds_to_reset(apr_time_from_sec(rows[i].now)), rows[i].wanted,
                      "%s", rows[i].sentence);
    }
    return tap_done();
}
