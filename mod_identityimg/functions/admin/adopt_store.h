/* adopt_store.h - bind the configured store to the database, on the operator's request. */
#ifndef IIMG_FUNCTIONS_ADMIN_ADOPT_STORE_H
#define IIMG_FUNCTIONS_ADMIN_ADOPT_STORE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

/**
 * Bind the configured store to the database. If the store has a marker, the database takes over its
 * id; otherwise the store gets a marker.
 * @param force bind it even if its objects do not match the database
 * @param id    set to the store's id
 * Errors: IIMG_CONFLICT (its objects do not match, or its marker is not valid),
 * IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_adopt_store(iimg_context_t *context, bool force, const char **id);

#endif
