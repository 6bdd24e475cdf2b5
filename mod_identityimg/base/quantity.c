/* quantity.c - format a size next to the limit that it exceeds. */
#include "base/quantity.h"

#include <apr_strings.h>

#define MEGABYTE 1048576

static apr_uint64_t tenths(apr_uint64_t pieces, apr_uint64_t unit, apr_uint64_t round_by)
{
    return pieces / unit * 10 + (pieces % unit * 10 + round_by) / unit;
}

const char *iimg_units(apr_pool_t *pool, apr_uint64_t pieces, apr_uint64_t most, apr_uint64_t unit)
{
    apr_uint64_t shown = tenths(pieces, unit, unit / 2);

    if (pieces > most && shown <= tenths(most, unit, unit / 2)) {
        shown = tenths(pieces, unit, unit - 1);
    }
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%" APR_UINT64_T_FMT, shown / 10, shown % 10);
}

const char *iimg_megabytes(apr_pool_t *pool, apr_size_t bytes, apr_size_t most)
{
    return apr_pstrcat(pool, iimg_units(pool, bytes, most, MEGABYTE), " MB", NULL);
}

const char *iimg_megabytes_exact(apr_pool_t *pool, apr_size_t bytes)
{
    return bytes % MEGABYTE * 10 % MEGABYTE == 0 ? iimg_megabytes(pool, bytes, bytes) : NULL;
}
