/* ctl.h - what the commands of identityimgctl are given. */
#ifndef IIMG_CTL_CTL_H
#define IIMG_CTL_CTL_H

#include <stdbool.h>
#include "base/context.h"
#include "ctl/options.h"
#include "services/services.h"

/** What identityimgctl ends with. */
#define CTL_CLEAN     0 /* done; nothing differs */
#define CTL_DIFFERENT 1 /* something differs */
#define CTL_TROUBLE   2 /* it could not be done; a sentence on stderr says why */

/** Commands. @return what the program ends with */
int ctl_sweep(iimg_context_t *context, const ctl_options_t *options);
int ctl_adopt_store(iimg_context_t *context, const ctl_options_t *options);
int ctl_reconcile(iimg_context_t *context, const ctl_options_t *options);

/** Say on stderr what went wrong. @return CTL_TROUBLE */
int ctl_trouble(const iimg_error_t *err);

#endif
