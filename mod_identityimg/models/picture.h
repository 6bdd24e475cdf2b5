/* picture.h - the picture of a row: the original's key and the extension of its derivatives. */
#ifndef IIMG_MODELS_PICTURE_H
#define IIMG_MODELS_PICTURE_H

typedef struct iimg_picture_t {
    const char *key;   /* of the original; NULL: the row has no picture */
    const char *sized; /* extension of the derivatives: "jpg", "png"; NULL if key is */
} iimg_picture_t;

#endif
