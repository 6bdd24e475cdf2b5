/* fuzz.h - helpers of the fuzz targets: memory of a run, and checks of results. */
#ifndef IIMG_FUZZ_H
#define IIMG_FUZZ_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <apr_pools.h>
#include <apr_strings.h>
#include "base/error.h"

/** Prepare the target, once. The pool lives as long as the process. */
void fuzz_start(apr_pool_t *pool);

/**
 * Run the target with an input, and check the result.
 * @param pool ends with the run. Each allocation is a block of its own, so that the address
 * sanitizer detects overruns
 * @param data has exactly this length, without a NUL
 */
void fuzz_one(apr_pool_t *pool, const char *data, size_t length);

/** Check a condition; abort with the message (printf style) if it is false. */
#define fuzz_claim(condition, ...) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: ", __FILE__, __LINE__); \
            fprintf(stderr, __VA_ARGS__); \
            fprintf(stderr, "\n"); \
            abort(); \
        } \
    } while (0)

/** Copy the input up to its first NUL, terminated by NUL. */
char *fuzz_text(apr_pool_t *pool, const char *data, size_t length);

/** Check that an error has a 4xx kind and a message. NULL is allowed. */
void fuzz_claim_refusal(const iimg_error_t *err);

#endif
