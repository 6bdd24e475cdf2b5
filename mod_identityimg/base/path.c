/* path.c - match a request's path against a pattern. */
#include "base/path.h"

#include <string.h>

bool iimg_path_matches(const char *pattern, const char *path, const char **id, size_t *id_length)
{
    *id = NULL;
    while (*pattern) {
        if (*pattern == '{') {
            *id = path;
            *id_length = strcspn(path, "/");
            if (*id_length == 0) {
                return false;
            }
            path += *id_length;
            pattern += strlen("{id}");
        }
        else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}
