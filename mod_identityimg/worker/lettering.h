/* lettering.h - draw words as a mask, in the largest size that fits. */
#ifndef IIMG_WORKER_LETTERING_H
#define IIMG_WORKER_LETTERING_H

#include <stdbool.h>
#include <stddef.h>

/** Words and the box to fit them into. */
typedef struct iimg_lettering_t {
    const char *words; /* any bytes; invalid UTF-8 is replaced */
    bool bold;
    int width, height; /* pixels, at least 1 */
} iimg_lettering_t;

/**
 * Draw words: width x height bytes, from 0 for paper to 255 for ink. Characters without a font are
 * boxes. Words that do not fit at the smallest readable size end with an ellipsis.
 * @return the mask, never freed; NULL without fonts or memory
 */
unsigned char *iimg_lettering_draw(const iimg_lettering_t *lettering);

#endif
