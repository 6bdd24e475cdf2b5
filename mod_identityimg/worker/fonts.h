/* fonts.h - the fonts of posters: opened once, before any request, and inherited by each process.
 */
#ifndef IIMG_WORKER_FONTS_H
#define IIMG_WORKER_FONTS_H

#include <stdbool.h>

/**
 * Find this machine's fonts and keep them open. Afterwards fontconfig answers from memory: it reads
 * no configuration, no cache and no folder again. The process must have one thread, and still has.
 * @return the number of fonts; 0: posters have no words
 */
int iimg_fonts_prepare(void);

/** The last descriptor of a font. They follow each other from IIMG_WORK_SOCKET + 1 on.
 * @return IIMG_WORK_SOCKET if there are none */
int iimg_fonts_last(void);

#endif
