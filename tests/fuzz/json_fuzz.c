/* json_fuzz.c - the input is parsed as the body of a JSON request. */
#include "fields.h"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    iimg_input_t *input;
    iimg_error_t *err = iimg_input_parse(pool, "application/json", data, length, &input);

    fuzz_claim_refusal(err);
    if (!err) {
        fields_read(pool, input);
    }
}
