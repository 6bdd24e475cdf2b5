/* fuzz.h - what the fuzz targets share: one run's memory, and claims about what came of it. */
#ifndef IIMG_FUZZ_H
#define IIMG_FUZZ_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include "base/error.h"

/** A target's preparation, once; pool lives as long as the process. */
void fuzz_start(apr_pool_t *pool);

/**
 * A target: feed one input to what is under test, and claim what must be true of the result.
 * @param pool ends with the run. While it runs, whatever comes from apr_palloc is a piece of memory
 *             of its own, of just the size asked for: the address sanitizer sees overruns
 * @param data of just this length: nothing behind it
 */
void fuzz_one(apr_pool_t *pool, const char *data, size_t length);

/** Claim something; ends the process with the sentence (printf style) where it is not true. */
#define fuzz_claim(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: ", __FILE__, __LINE__); \
            fprintf(stderr, __VA_ARGS__); \
            fprintf(stderr, "\n"); \
            abort(); \
        } \
    } while (0)

/** A copy with a NUL behind it and nothing else; from the first NUL on the input is not seen. */
char *fuzz_text(apr_pool_t *pool, const char *data, size_t length);

/** What every error for a client must be: of a 4xx kind, with a sentence. Also when it is NULL. */
void fuzz_claim_refusal(const iimg_error_t *err);

#endif
