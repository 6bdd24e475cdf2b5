/* timestamp.c - format and parse times: ISO 8601 in UTC. */
#include "base/timestamp.h"

#include <stdio.h>
#include <string.h>
#include <apr_strings.h>

const char *iimg_timestamp_format(apr_pool_t *pool, const char *text)
{
    static const char shape[] = "YYYY-MM-DDTHH:MM:SS.000000Z";
    const char *from;
    char *out;

    if (!text) {
        return NULL;
    }
    if (strlen(text) < 22 || text[10] != ' ' || !strstr(text + 19, "+00")) {
        return text;
    }
    out = apr_pmemdup(pool, shape, sizeof(shape));
    memcpy(out, text, 10);
    memcpy(out + 11, text + 11, 8);
    from = text + 19;
    if (*from == '.') {
        char *to = out + 20;

        for (from++; *from >= '0' && *from <= '9' && to < out + 26; from++) {
            *to++ = *from;
        }
    }
    return out;
}

apr_time_t iimg_timestamp_parse(const char *text)
{
    apr_time_exp_t utc = { 0 };
    apr_time_t time = 0;

    if (!text
        || sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                  &utc.tm_hour, &utc.tm_min, &utc.tm_sec)
               != 6) {
        return 0;
    }
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return apr_time_exp_gmt_get(&time, &utc) == APR_SUCCESS ? time : 0;
}
