/* media.h - serves pictures: verifies a URL's signature, then httpd's default handler sends the
 * file. */
#ifndef IIMG_SERVER_HTTP_MEDIA_H
#define IIMG_SERVER_HTTP_MEDIA_H

#include <httpd.h>

/*
 * Functions for hooks; each declines requests for anything else than a picture.
 *   translate     verifies the signature before any access to the file system
 *   map           finds the file by its key, without a directory walk
 *   type          sets media type and default handler, before mod_mime does
 *   headers       sets caching, and headers that keep uploads harmless in a browser
 *   handle        answers refused requests in JSON
 */
int iimg_media_translate(request_rec *r);
int iimg_media_map(request_rec *r);
int iimg_media_type(request_rec *r);
int iimg_media_headers(request_rec *r);
int iimg_media_handle(request_rec *r);

#endif
