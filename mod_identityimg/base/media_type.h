/* media_type.h - recognize picture formats by their first bytes. */
#ifndef IIMG_BASE_MEDIA_TYPE_H
#define IIMG_BASE_MEDIA_TYPE_H

#include <apr.h>

typedef enum {
    IIMG_FORMAT_UNKNOWN,
    IIMG_FORMAT_JPEG,
    IIMG_FORMAT_PNG,
    IIMG_FORMAT_WEBP,
    IIMG_FORMAT_GIF,
    IIMG_FORMAT_HEIC,
    IIMG_FORMAT_AVIF
} iimg_format_t;

/** A row of the table of picture formats. */
typedef struct iimg_media_type_t {
    iimg_format_t format;
    const char *name;       /* "JPEG", for sentences */
    const char *media_type; /* "image/jpeg" */
    const char *extension;  /* "jpg" */
} iimg_media_type_t;

/**
 * Recognize the format of a picture by its magic bytes.
 * @return the row, never NULL; that of IIMG_FORMAT_UNKNOWN (media type application/octet-stream)
 *         for all other bytes
 */
const iimg_media_type_t *iimg_media_type_sniff(const void *data, apr_size_t length);

/** @return the row with that extension, without the dot; NULL when there is none */
const iimg_media_type_t *iimg_media_type_by_extension(const char *extension);

/** @return a format that can be decoded, by number from 0; NULL after the last one */
const iimg_media_type_t *iimg_media_type_read(int number);

/**
 * Describe bytes that are not a supported picture, for the sentence that refuses them.
 * @return a literal: "a PDF document", "an HTML page", ...; otherwise "unknown data"
 */
const char *iimg_media_type_describe(const void *data, apr_size_t length);

/** The supported formats, for sentences: "JPEG, PNG, WebP, GIF, HEIC or AVIF". */
extern const char *const iimg_media_types_allowed;

#endif
