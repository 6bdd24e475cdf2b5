/* metadata_fuzz.c - the input is filtered as a picture of each format. */
#include "../programs/metadata_check.h"
#include "fuzz.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

/* An error has a clause, and filtering again changes nothing. */
void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    filtered_t filtered;
    const char *broken = filter_picture((const unsigned char *)data, length, &filtered);

    (void)pool;
    fuzz_claim(!broken, "%s", broken);
    if (filtered.wrong) {
        fuzz_claim(strlen(filtered.wrong) > 8, "an error has a clause");
    }
    else {
        fuzz_claim(filtered.length <= length + IIMG_EDIT_MAX_GROWTH,
                   "the result is not much longer");
    }
    free(filtered.bytes);
    broken = check_picture((const unsigned char *)data, length);
    fuzz_claim(!broken, "%s", broken);
}
