/* path.h - match a request's path against a pattern such as "reference-images/{id}/". */
#ifndef IIMG_BASE_PATH_H
#define IIMG_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Whether the whole path matches the pattern. {id} matches one segment that is not empty.
 * @param id        the text at {id}, within path; NULL when the pattern has none
 * @param id_length of it; unchanged when there is none
 */
bool iimg_path_matches(const char *pattern, const char *path, const char **id, size_t *id_length);

#endif
