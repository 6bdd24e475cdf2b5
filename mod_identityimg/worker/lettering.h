/* lettering.h - words as a mask: the largest size that fits, cut where none does. */
#ifndef IIMG_WORKER_LETTERING_H
#define IIMG_WORKER_LETTERING_H

#include <stdbool.h>
#include <stddef.h>

/** Words and the box that they have to fit into. */
typedef struct iimg_lettering_t {
    const char *words; /* any bytes: what is no UTF-8 is replaced */
    bool bold;
    int width, height; /* pixels, from 1 */
} iimg_lettering_t;

/**
 * Draw words: width x height bytes, 0 for paper to 255 for ink. Characters that no font has become
 * boxes. Words that are too many for the smallest readable size end with an ellipsis.
 * @return the mask, never freed; NULL if there are no fonts or no memory
 */
unsigned char *iimg_lettering_draw(const iimg_lettering_t *lettering);

#endif
