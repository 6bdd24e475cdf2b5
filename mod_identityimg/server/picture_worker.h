/* picture_worker.h - identityimg-worker as a child of httpd's parent: started, watched, left behind. */
#ifndef IIMG_SERVER_PICTURE_WORKER_H
#define IIMG_SERVER_PICTURE_WORKER_H

#include <httpd.h>

/**
 * Start the worker, in post_config. It ends with the last child that may ask it: after a graceful
 * restart the old children go on with the old one. When it ends before, it is started again, the
 * more slowly the more often that happens.
 * @param servers one of them is enabled
 * @return NULL, or what is wrong
 */
const char *iimg_picture_worker_begin(apr_pool_t *pconf, server_rec *servers);

/** In a new child: keep only the end that asks. */
void iimg_picture_worker_share(void);

#endif
