/* settings.c - checks of the values of S3 directives and options. */
#include "services/s3/settings.h"

#include <string.h>

#define LOWER   "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_made_of(const char *value, const char *characters, size_t least, size_t most)
{
    size_t n = strspn(value, characters);

    return n >= least && n <= most && value[n] == '\0';
}

const char *iimg_s3_check_bucket(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LETTERS ".-_", 3, 63) && !strstr(value, "..") && value[0] != '.'
                   && value[0] != '-'
               ? NULL
               : "a bucket's name: 3 to 63 letters, digits, '.', '-', '_'";
}

const char *iimg_s3_check_region(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LOWER "-_", 1, 63)
               ? NULL
               : "a region's name such as eu-central-1: lower-case letters, digits, '-', '_'";
}

const char *iimg_s3_check_addressing(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "auto") == 0 || strcmp(value, "path") == 0 || strcmp(value, "virtual") == 0
               ? NULL
               : "an addressing style: auto, path, virtual";
}

const char *iimg_s3_check_prefix(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LETTERS "._-/", 1, 200) && value[0] != '/'
                   && value[strlen(value) - 1] != '/' && !strstr(value, "//")
                   && !strstr(value, "..") && !strstr(value, "./")
               ? NULL
               : "a prefix such as pictures/production: letters, digits, '.', '-', '_', '/', "
                 "no slash at either end";
}

const char *iimg_s3_check_encryption(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "bucket") == 0 || strcmp(value, "AES256") == 0
                   || strcmp(value, "aws:kms") == 0
               ? NULL
               : "an encryption: bucket, AES256, aws:kms";
}

const char *iimg_s3_check_kms_key(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return is_made_of(value, LETTERS ":/-_", 1, 2048)
               ? NULL
               : "a key's id, alias or ARN: letters, digits, ':', '/', '-', '_'";
}

iimg_s3_addressing_t iimg_s3_addressing_of(const char *word)
{
    return strcmp(word, "path") == 0      ? IIMG_S3_PATH
           : strcmp(word, "virtual") == 0 ? IIMG_S3_VIRTUAL
                                          : IIMG_S3_AUTO;
}
