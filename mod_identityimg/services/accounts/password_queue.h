/* password_queue.h - few passwords are hashed at once, so that logins leave CPU for everything
 * else. */
#ifndef IIMG_SERVICES_ACCOUNTS_PASSWORD_QUEUE_H
#define IIMG_SERVICES_ACCOUNTS_PASSWORD_QUEUE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

#define IIMG_PASSWORDS_AT_ONCE 2  /* in a process */
#define IIMG_PASSWORDS_WAITING 10 /* beyond these nobody queues up: threads are few */
#define IIMG_PASSWORD_WAIT     2  /* seconds, at most */

#define IIMG_PASSWORD_WHO 64 /* bytes of a client's name, NUL included: an address */

typedef struct place_t iimg_password_place_t;

/**
 * Wait for a place to hash in; iimg_password_leave gives it back.
 * @param who for whom, by address: nobody who sends many holds up who sends few
 * Errors: IIMG_LIMITED (login_busy) when too many wait, or when it takes too long.
 */
iimg_error_t *iimg_password_enter(iimg_context_t *context, const char *who,
                                  iimg_password_place_t **place);
void iimg_password_leave(iimg_password_place_t *place);

/** Whether iimg_password_enter would send `who` away at this moment, without waiting. */
bool iimg_password_is_full(const char *who);

/** The error for a login that cannot be looked at now. */
iimg_error_t *iimg_password_busy(iimg_context_t *context);

#endif
