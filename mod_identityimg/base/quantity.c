/* quantity.c - sizes in sentences: what was measured, beside the limit that it exceeds. */
#include "base/quantity.h"

#include <apr_strings.h>

#define MEGABYTE 1048576

const char *iimg_units(apr_pool_t *pool, apr_uint64_t pieces, apr_uint64_t unit)
{
    apr_uint64_t whole = pieces / unit, rest = pieces % unit;
    apr_uint64_t tenths = (rest * 10 + unit - 1) / unit;

    whole += tenths / 10;
    return apr_psprintf(pool, "%" APR_UINT64_T_FMT ".%" APR_UINT64_T_FMT, whole, tenths % 10);
}

const char *iimg_megabytes(apr_pool_t *pool, apr_size_t bytes)
{
    return apr_pstrcat(pool, iimg_units(pool, bytes, MEGABYTE), " MB", NULL);
}

const char *iimg_megabytes_exact(apr_pool_t *pool, apr_size_t bytes)
{
    return bytes % MEGABYTE * 10 % MEGABYTE == 0 ? iimg_megabytes(pool, bytes) : NULL;
}
