/* openapi.h - the description of the API in openapi.json, as it was when this was built. */
#ifndef IIMG_OPENAPI_H
#define IIMG_OPENAPI_H

/** Its text, up to iimg_openapi_end. */
extern const char iimg_openapi[], iimg_openapi_end[];

/** Hexadecimal digits that are others when the text is another. */
extern const char iimg_openapi_digest[];

#endif
