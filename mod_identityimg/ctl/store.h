/* store.h - the tool's picture store. */
#ifndef IIMG_CTL_STORE_H
#define IIMG_CTL_STORE_H

#include "ctl/ctl.h"

/**
 * Open the store that the options describe, in the context's services, and ask it whether it takes
 * us.
 * @return NULL, or a sentence that says which option to mend
 */
const char *ctl_store_open(iimg_context_t *context, const ctl_options_t *options,
                           iimg_storage_t *storage);

#endif
