/* version.h - the version of the module, identityimgctl, the API's description and the pages. `make
 * docs` copies it into openapi.json; the build of the pages reads it here. */
#ifndef IIMG_BASE_VERSION_H
#define IIMG_BASE_VERSION_H

#define IIMG_VERSION "0.2.0"

#endif
