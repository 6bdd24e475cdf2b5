/* value_test.c - server/config/value.c: which texts directives take. */
#include "server/config/value.c"
#include "tap.h"
#include "work.h"

int main(void)
{
    static const struct {
        const char *(*check)(apr_pool_t *pool, const char *value);
        const char *what, *value;
        bool good;
    } cases[] = {
        { iimg_config_check_url, "URL", "https://x.y", true },
        { iimg_config_check_url, "URL", "https://xy", false },
        { iimg_config_check_url, "URL", "http://xyz", false },
        { iimg_config_check_url, "URL", "http://xyzw", true },
        { iimg_config_check_url, "URL", "https://", false },
        { iimg_config_check_url, "URL", "ftp://example.com", false },
        { iimg_config_check_url, "URL", "https:/example.com", false },
        { iimg_config_check_url, "URL", "https://exa mple.com", false },
        { iimg_config_check_url, "URL", "https://exa\"mple.com", false },
        { iimg_config_check_url, "URL", "https://exa<mple.com", false },
        { iimg_config_check_url, "URL", "https://exa>mple.com", false },
        { iimg_config_check_url, "URL", "https://example.com/a?b#c", true },
        { iimg_config_check_base_url, "base URL", "https://example.com:8443", true },
        { iimg_config_check_base_url, "base URL", "https://example.com/", false },
        { iimg_config_check_base_url, "base URL", "https://example.com?x", false },
        { iimg_config_check_base_url, "base URL", "https://example.com#x", false },
        { iimg_config_check_base_url, "base URL", "example.com", false },
        { iimg_config_check_path, "path", "/a", true },
        { iimg_config_check_path, "path", "/a/b.c", true },
        { iimg_config_check_path, "path", "/", false },
        { iimg_config_check_path, "path", "", false },
        { iimg_config_check_path, "path", "a", false },
        { iimg_config_check_path, "path", "/a/", false },
        { iimg_config_check_path, "path", "/a//b", false },
        { iimg_config_check_path, "path", "/a/.b", false },
        { iimg_config_check_path, "path", "/.a", false },
        { iimg_config_check_path, "path", "/a?b", false },
        { iimg_config_check_path, "path", "/a#b", false },
        { iimg_config_check_path, "path", "/a%62", false },
        { iimg_config_check_path, "path", "/a b", false },
        { iimg_config_check_path, "path", "/a\"b", false },
        { iimg_config_check_file, "file", "/", true },
        { iimg_config_check_file, "file", "/etc/x", true },
        { iimg_config_check_file, "file", "etc/x", false },
        { iimg_config_check_file, "file", "", false },
        { iimg_config_check_storage, "storage", "file", true },
        { iimg_config_check_storage, "storage", "s3", true },
        { iimg_config_check_storage, "storage", "s", false },
        { iimg_config_check_storage, "storage", "FILE", false },
        { iimg_config_check_derivative, "format", "jpeg", true },
        { iimg_config_check_derivative, "format", "webp", true },
        { iimg_config_check_derivative, "format", "jpg", false },
        { iimg_config_check_derivative, "format", "", false },
    };
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok((cases[i].check(context->pool, cases[i].value) == NULL) == cases[i].good,
               "%s \"%s\" is %s", cases[i].what, cases[i].value,
               cases[i].good ? "taken" : "refused");
    }
    work_end(context);
    return tap_done();
}
