/* zygote.h - receive requests and fork a sandboxed process for each. */
#ifndef IIMG_WORKER_ZYGOTE_H
#define IIMG_WORKER_ZYGOTE_H

/**
 * Serve until all processes with the other end of the socket are gone.
 * @param socket  the receiving end of the socket pair
 * @param workers most pictures at the same time
 * @return NULL at that end, or the problem
 */
const char *iimg_zygote_run(int socket, int workers);

#endif
