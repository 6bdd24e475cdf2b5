/* quantity_test.c - base/quantity.c: measured sizes in sentences, beside the limit that they
 * exceed. */
#include "base/quantity.h"
#include "tap.h"
#include "work.h"

static void test_units(apr_pool_t *pool)
{
    static const struct {
        apr_uint64_t pieces, most, unit;
        const char *said;
    } rows[] = {
        { 120000000, 120000000, 1000000, "120.0" },
        { 120000001, 120000000, 1000000, "120.1" },
        { 120049999, 120000000, 1000000, "120.1" },
        { 120050000, 120000000, 1000000, "120.1" },
        { 120149999, 120000000, 1000000, "120.1" },
        { 120150000, 120000000, 1000000, "120.2" },
        { 268435456, 64000000, 1000000, "268.4" },
        { 120960000, 120000000, 1000000, "121.0" },
        { 1, 0, 1000000, "0.1" },
        { 0, 0, 1000000, "0.0" },
        { 26214401, 26214400, 1048576, "25.1" },
        { 30000000, 26214400, 1048576, "28.6" },
        { 26214400, 26214400, 1048576, "25.0" },
        { APR_UINT64_MAX, 1, 1000000, "18446744073709.6" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is(iimg_units(pool, rows[i].pieces, rows[i].most, rows[i].unit), rows[i].said,
               "%" APR_UINT64_T_FMT " of at most %" APR_UINT64_T_FMT " reads %s", rows[i].pieces,
               rows[i].most, rows[i].said);
    }
}

static void test_exact(apr_pool_t *pool)
{
    tap_is(iimg_megabytes_exact(pool, 26214400), "25.0 MB", "25 MiB are 25.0 MB");
    tap_is(iimg_megabytes_exact(pool, 524288), "0.5 MB", "half a MiB is 0.5 MB");
    tap_ok(!iimg_megabytes_exact(pool, 983040), "983040 bytes are no tenths of a MB");
    tap_ok(!iimg_megabytes_exact(pool, 26214401), "25 MiB and a byte are no tenths of a MB");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_units(context->pool);
    test_exact(context->pool);
    work_end(context);
    return tap_done();
}
