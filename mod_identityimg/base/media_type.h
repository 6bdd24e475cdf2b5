/* media_type.h - which kind of picture some bytes are, by their first bytes and nothing else. */
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

/** One row of the table of picture kinds. */
typedef struct iimg_media_type_t {
    iimg_format_t format;
    const char *name;       /* "JPEG", for sentences */
    const char *media_type; /* "image/jpeg" */
    const char *extension;  /* "jpg" */
} iimg_media_type_t;

/**
 * Tell the kind of a picture by its magic bytes.
 * @return the row; the one of IIMG_FORMAT_UNKNOWN (media type application/octet-stream) when the
 *         bytes are none that we read. Never NULL
 */
const iimg_media_type_t *iimg_media_type_sniff(const void *data, apr_size_t length);

/** @return the row with that extension, without the dot; NULL when there is none */
const iimg_media_type_t *iimg_media_type_by_extension(const char *extension);

/** @return the number-th kind that we read, from 0; NULL behind the last one */
const iimg_media_type_t *iimg_media_type_read(int number);

/**
 * Name what strangers' bytes look like, for the sentence that refuses them.
 * @return "a PDF document", "HTML", "text", ...; "unknown data" when nothing fits; a literal
 */
const char *iimg_media_type_describe(const void *data, apr_size_t length);

/** The kinds we read, for sentences: "JPEG, PNG, WebP, GIF, HEIC or AVIF". */
extern const char *const iimg_media_types_allowed;

#endif
