/* media.h - pictures over httpd's own file path: signature first, then the default handler. */
#ifndef IIMG_SERVER_HTTP_MEDIA_H
#define IIMG_SERVER_HTTP_MEDIA_H

#include <httpd.h>

/*
 * The hooks' bodies; each declines what is no picture of ours.
 *   translate     checks the signature before the file system is touched
 *   map           the file, by its parsed key; no directory walk
 *   type          media type by the key's extension and httpd's default handler, before mod_mime
 *                 looks at the name's parts
 *   headers       what keeps a stranger's bytes harmless in a browser, and caching
 *   handle        answers what is refused, in JSON
 */
int iimg_media_translate(request_rec *r);
int iimg_media_map(request_rec *r);
int iimg_media_type(request_rec *r);
int iimg_media_headers(request_rec *r);
int iimg_media_handle(request_rec *r);

#endif
