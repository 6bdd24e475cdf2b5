/* store.h - the picture store of identityimgctl. */
#ifndef IIMG_CTL_STORE_H
#define IIMG_CTL_STORE_H

#include "ctl/ctl.h"

/**
 * Open the store that the options describe, and check that it is reachable.
 * @return NULL, or a sentence that names the option to fix
 */
const char *ctl_store_open(iimg_context_t *context, const ctl_options_t *options,
                           iimg_storage_t *storage);

#endif
