/* unauthenticated.h - the errors of requests without valid credentials. */
#ifndef IIMG_FUNCTIONS_SHARED_UNAUTHENTICATED_H
#define IIMG_FUNCTIONS_SHARED_UNAUTHENTICATED_H

#include "base/context.h"
#include "base/error.h"

typedef enum {
    IIMG_NO_CREDENTIALS,
    IIMG_WRONG_PASSWORD,
    IIMG_INVALID_TOKEN,
    IIMG_INACTIVE_USER
} iimg_unauthenticated_t;

/** Create the error for a reason. @return IIMG_UNAUTHENTICATED with the reason's code */
iimg_error_t *iimg_unauthenticated(iimg_context_t *context, iimg_unauthenticated_t reason);

#endif
