/* version.h - the version that is released next. */
#ifndef IIMG_VERSION
#define IIMG_VERSION "0.1.0"
#endif
