/* timestamp_test.c - base/timestamp.c: times of PostgreSQL as clients get them, and times of
 * stores. */
#include "base/timestamp.h"
#include "tap.h"
#include "work.h"

int main(void)
{
    static const char *const formats[][2] = {
        { "2026-01-02 03:04:05.123456+00", "2026-01-02T03:04:05.123456Z" },
        { "2026-01-02 03:04:05.1+00", "2026-01-02T03:04:05.100000Z" },
        { "2026-01-02 03:04:05.12345+00", "2026-01-02T03:04:05.123450Z" },
        { "2026-01-02 03:04:05+00", "2026-01-02T03:04:05.000000Z" },
        { "2026-01-02 03:04:05.1234567+00", "2026-01-02T03:04:05.123456Z" },
        { "2026-01-02 03:04:05.999999+00", "2026-01-02T03:04:05.999999Z" },
        { "2026-01-02 03:04:05+0", "2026-01-02 03:04:05+0" },
        { "2026-01-02T03:04:05+00", "2026-01-02T03:04:05+00" },
        { "2026-01-02 03:04:05+01", "2026-01-02 03:04:05+01" },
        { "infinity", "infinity" },
        { "", "" },
    };
    static const struct {
        const char *text;
        apr_time_t time;
    } parses[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "1970-01-01T00:00:01Z", 1000000 },
        { "1970-02-01T00:00:00.000Z", 31 * 86400000000LL },
        { "2026-12-31T23:59:59.999Z", 1798761599000000LL },
        { "2026-12-31 23:59:59", 0 },
        { "2026-12-31T23:59", 0 },
        { "Wed, 01 Jan 2026", 0 },
        { "", 0 },
        { NULL, 0 },
    };
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        tap_is(iimg_timestamp_format(context->pool, formats[i][0]), formats[i][1], "%s for clients",
               formats[i][0]);
    }
    tap_is(iimg_timestamp_format(context->pool, NULL), NULL, "no time for clients");
    for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
        tap_is_number(iimg_timestamp_parse(parses[i].text), parses[i].time, "%s of a store",
                      parses[i].text ? parses[i].text : "no time");
    }
    work_end(context);
    return tap_done();
}
