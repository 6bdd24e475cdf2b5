/* adopt_store.c - identityimgctl adopt-store: bind the database to a store. */
#include "ctl/ctl.h"

#include <stdio.h>
#include "functions/admin/adopt_store.h"

int ctl_adopt_store(iimg_context_t *context, const ctl_options_t *options)
{
    const char *id;
    iimg_error_t *err = iimg_adopt_store(context, options->force, &id);

    if (err) {
        return ctl_trouble(err);
    }
    printf("The database now belongs to the store %s\n", id);
    return CTL_CLEAN;
}
