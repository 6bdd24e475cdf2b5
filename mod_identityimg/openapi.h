/* openapi.h - openapi.json as part of the module. */
#ifndef IIMG_OPENAPI_H
#define IIMG_OPENAPI_H

/** The text, up to iimg_openapi_end. */
extern const char iimg_openapi[], iimg_openapi_end[];

/** A digest of the text, in hexadecimal digits. */
extern const char iimg_openapi_digest[];

#endif
