/* value.c - checks of single values of directives. */
#include "server/config/value.h"

#include <string.h>
#include <apr_strings.h>
#include "services/storage/storage.h"

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

const char *iimg_config_check_url(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return (begins(value, "https://") || begins(value, "http://")) && strlen(value) > 10
                   && !strpbrk(value, " \"<>")
               ? NULL
               : "a URL that begins with https:// or http://";
}

const char *iimg_config_check_base_url(apr_pool_t *pool, const char *value)
{
    const char *host = strstr(value, "://");

    return iimg_config_check_url(pool, value) == NULL && host && !strpbrk(host + 3, "/?#")
               ? NULL
               : "scheme and host alone, such as https://api.example.com";
}

const char *iimg_config_check_path(apr_pool_t *pool, const char *value)
{
    size_t n = strlen(value);

    (void)pool;
    return value[0] == '/' && n > 1 && value[n - 1] != '/' && !strpbrk(value, "?#%\" ")
                   && !strstr(value, "//") && !strstr(value, "/.")
               ? NULL
               : "a path such as /pictures, without a slash at its end";
}

const char *iimg_config_check_file(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return value[0] == '/' ? NULL : "an absolute path";
}

const char *iimg_config_check_storage(apr_pool_t *pool, const char *value)
{
    return iimg_storage_by_name(value) ? NULL
                                       : apr_pstrcat(pool, "a storage: ", iimg_storage_names, NULL);
}

const char *iimg_config_check_derivative(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "jpeg") == 0 || strcmp(value, "webp") == 0 ? NULL : "a format: jpeg, webp";
}
