/* picture_worker.h - runs identityimg-worker as a child of httpd's parent. */
#ifndef IIMG_SERVER_PICTURE_WORKER_H
#define IIMG_SERVER_PICTURE_WORKER_H

#include <httpd.h>

/**
 * Start the worker, in post_config. It ends with the last child that uses it: after a graceful
 * restart, old children use the old one. If it ends earlier, it is restarted with an increasing
 * delay.
 * @param servers at least one of them is enabled
 * @return NULL, or why not
 */
const char *iimg_picture_worker_begin(apr_pool_t *pconf, server_rec *servers);

/** In a new child: close the worker's end of the socket. */
void iimg_picture_worker_share(void);

#endif
