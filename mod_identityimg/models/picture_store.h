/* picture_store.h - which picture store belongs to the database: the one row of picture_store. */
#ifndef IIMG_MODELS_PICTURE_STORE_H
#define IIMG_MODELS_PICTURE_STORE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

typedef struct iimg_picture_store_t {
    const char *id; /* a lowercase UUID; NULL: the database has no store yet */
    bool marked;    /* the store's marker was seen once; since then it must exist */
} iimg_picture_store_t;

/** Read the row. Errors: IIMG_UNAVAILABLE. */
iimg_error_t *iimg_picture_store_get(iimg_context_t *context, iimg_picture_store_t *store);

/**
 * Propose an id for a store that is about to be marked. If several nodes do so at the same time,
 * the first id is kept, and all nodes get that.
 * @param store the row afterwards
 * Errors: IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_picture_store_propose(iimg_context_t *context, const char *id,
                                         iimg_picture_store_t *store);

/** Record that the marker with this id was seen in the store. Errors: IIMG_UNAVAILABLE. */
iimg_error_t *iimg_picture_store_confirm(iimg_context_t *context, const char *id);

/** Replace the id by that of a store whose marker was seen. Errors: IIMG_UNAVAILABLE. */
iimg_error_t *iimg_picture_store_adopt(iimg_context_t *context, const char *id);

#endif
