/* dimensions.h - width and height of a picture from its header, without decoding it. */
#ifndef IIMG_SERVICES_PICTURES_DIMENSIONS_H
#define IIMG_SERVICES_PICTURES_DIMENSIONS_H

#include <stdbool.h>
#include <apr.h>

/**
 * Read the pixel size that a JPEG, PNG or WebP states, as stored: orientation is not applied.
 * The bytes may be a stranger's.
 * @return false when the bytes are none of these or the header is cut; width, height untouched
 */
bool iimg_picture_dimensions(const void *data, apr_size_t length, int *width, int *height);

#endif
