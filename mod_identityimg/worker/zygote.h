/* zygote.h - takes requests in turn and forks a locked-in process for each. */
#ifndef IIMG_WORKER_ZYGOTE_H
#define IIMG_WORKER_ZYGOTE_H

/**
 * Serve until nobody can ask any more: all processes that hold the other end are gone.
 * @param socket  our end of the pair
 * @param workers most pictures at once
 * @return NULL at that end, or why it cannot go on
 */
const char *iimg_zygote_run(int socket, int workers);

#endif
