/* adopt_store.h - make a store the database's own, at the operator's command. */
#ifndef IIMG_FUNCTIONS_ADMIN_ADOPT_STORE_H
#define IIMG_FUNCTIONS_ADMIN_ADOPT_STORE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

/**
 * Make the configured store the one that belongs to the database. One with a marker keeps it, and
 * the database takes its id over; one without gets a marker.
 * @param force also when the store does not look like the database's
 * @param id    set to the store's id
 * Errors: IIMG_CONFLICT (it does not look like it, or its marker cannot be understood),
 * IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_adopt_store(iimg_context_t *context, bool force, const char **id);

#endif
