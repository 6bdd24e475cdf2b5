/* ctl.h - the commands of identityimgctl and their exit status. */
#ifndef IIMG_CTL_CTL_H
#define IIMG_CTL_CTL_H

#include <stdbool.h>
#include "base/context.h"
#include "ctl/options.h"
#include "services/services.h"

/** Exit status. */
#define CTL_CLEAN     0 /* done, no differences */
#define CTL_DIFFERENT 1 /* done, with differences or objects that remain */
#define CTL_TROUBLE   2 /* failed; stderr has the reason */

/** Run a command. @return the exit status */
int ctl_sweep(iimg_context_t *context, const ctl_options_t *options);
int ctl_adopt_store(iimg_context_t *context, const ctl_options_t *options);
int ctl_reconcile(iimg_context_t *context, const ctl_options_t *options);

/** Print an error to stderr. @return CTL_TROUBLE */
int ctl_trouble(const iimg_error_t *err);

#endif
