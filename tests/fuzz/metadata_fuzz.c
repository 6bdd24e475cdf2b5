/* metadata_fuzz.c - the input is a picture of any kind: what the metadata filter makes of it. */
#include "../programs/metadata_check.h"
#include "fuzz.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

/* A clause is there to be read in a sentence, and filtering again changes nothing. */
void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    filtered_t filtered;
    const char *broken = filter_picture((const unsigned char *)data, length, &filtered);

    (void)pool;
    fuzz_claim(!broken, "%s", broken);
    if (filtered.wrong) {
        fuzz_claim(strlen(filtered.wrong) > 8, "a clause says what is malformed");
    }
    else {
        fuzz_claim(filtered.length <= length + IIMG_EDIT_MAX_GROWTH, "the result is hardly longer");
    }
    free(filtered.bytes);
    broken = check_picture((const unsigned char *)data, length);
    fuzz_claim(!broken, "%s", broken);
}
