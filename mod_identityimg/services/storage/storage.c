/* storage.c - the table of storage drivers. */
#include "services/storage/storage.h"

#include <string.h>

const char *const iimg_storage_names = "file, s3";

static const iimg_storage_driver_t *const drivers[] = { &iimg_storage_file, &iimg_storage_s3,
                                                        NULL };

const iimg_storage_driver_t *iimg_storage_by_name(const char *name)
{
    for (int i = 0; drivers[i]; i++) {
        if (strcmp(drivers[i]->name, name) == 0) {
            return drivers[i];
        }
    }
    return NULL;
}
