/* fonts.h - open the fonts of posters in the zygote, for its processes to inherit. */
#ifndef IIMG_WORKER_FONTS_H
#define IIMG_WORKER_FONTS_H

#include <stdbool.h>

/**
 * Find fonts and keep them open. Afterwards fontconfig works from memory and reads no
 * configuration, cache or folder. Starts no thread.
 * @return the number of fonts; 0: posters have no words
 */
int iimg_fonts_prepare(void);

/** @return the last descriptor of a font, the first being IIMG_WORK_SOCKET + 1; IIMG_WORK_SOCKET if
 * there are none */
int iimg_fonts_last(void);

#endif
