/* version.h - the version of the module, of identityimgctl and of the API's description. */
#ifndef IIMG_BASE_VERSION_H
#define IIMG_BASE_VERSION_H

#define IIMG_VERSION "0.1.0"

#endif
