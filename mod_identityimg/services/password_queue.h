/* password_queue.h - few passwords are hashed at once, so that logins leave CPU for everything else. */
#ifndef IIMG_PASSWORD_QUEUE_H
#define IIMG_PASSWORD_QUEUE_H

#include "base/context.h"
#include "base/error.h"

#define IIMG_PASSWORDS_AT_ONCE 2        /* in a process */
#define IIMG_PASSWORDS_WAITING 10       /* beyond these nobody queues up: threads are few */
#define IIMG_PASSWORD_WAIT 2            /* seconds, at most */

/**
 * Wait for a place to hash in; iimg_password_leave gives it back.
 * Errors: IIMG_LIMITED (login_busy) when too many wait, or when it takes too long.
 */
iimg_error_t *iimg_password_enter(iimg_context_t *context);
void iimg_password_leave(void);

/** The error for a login that cannot be looked at now. */
iimg_error_t *iimg_password_busy(iimg_context_t *context);

#endif
