/* path_test.c - base/path.c: which paths match a pattern. */
#include "base/path.h"
#include "tap.h"

int main(void)
{
    static const struct {
        const char *pattern, *path;
        bool matches;
        const char *id;
    } rows[] = {
        { "users/me/", "users/me/", true, NULL },
        { "users/me/", "users/me", false, NULL },
        { "users/me/", "users/me/x", false, NULL },
        { "users/me/", "users/ME/", false, NULL },
        { "users/me/", "", false, NULL },
        { "", "", true, NULL },
        { "photos/{id}/", "photos/7/", true, "7" },
        { "photos/{id}/", "photos/a b%/", true, "a b%" },
        { "photos/{id}/", "photos//", false, NULL },
        { "photos/{id}/", "photos/7", false, NULL },
        { "photos/{id}/", "photos/7/8/", false, NULL },
        { "photos/{id}/upload/", "photos/7/upload/", true, "7" },
        { "photos/{id}/upload/", "photos/7/uploads/", false, NULL },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *id = "untouched";
        size_t length = 0;
        char found[32] = "";
        bool matches = iimg_path_matches(rows[i].pattern, rows[i].path, &id, &length);

        tap_ok(matches == rows[i].matches, "\"%s\" is %s path of \"%s\"", rows[i].path,
               rows[i].matches ? "a" : "no", rows[i].pattern);
        if (matches && id) {
            memcpy(found, id, length);
        }
        if (rows[i].matches) {
            tap_is(matches && id ? found : NULL, rows[i].id, "the id is found");
        }
    }
    return tap_done();
}
