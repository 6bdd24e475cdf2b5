/* path.h - matching a request's path with a pattern such as "reference-images/{id}/". */
#ifndef IIMG_BASE_PATH_H
#define IIMG_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Whether the path is the pattern's, to its end. {id} stands for one word: no slash, not empty.
 * @param id        the text at {id}, within path; NULL when the pattern has none
 * @param id_length of it; untouched then
 */
bool iimg_path_matches(const char *pattern, const char *path, const char **id, size_t *id_length);

#endif
