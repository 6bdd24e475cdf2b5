/* picture.h - what a row says of its picture: the original's key and the derivatives' ending. */
#ifndef IIMG_MODELS_PICTURE_H
#define IIMG_MODELS_PICTURE_H

typedef struct iimg_picture_t {
    const char *key;   /* of the original; NULL: the row has no picture */
    const char *sized; /* ending of the derivatives: "jpg", "png"; NULL with key */
} iimg_picture_t;

#endif
