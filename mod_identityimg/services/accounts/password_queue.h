/* password_queue.h - a fair queue for hashing passwords, which limits the CPU that logins use. */
#ifndef IIMG_SERVICES_ACCOUNTS_PASSWORD_QUEUE_H
#define IIMG_SERVICES_ACCOUNTS_PASSWORD_QUEUE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"

#define IIMG_PASSWORDS_AT_ONCE 2  /* hashed in a process */
#define IIMG_PASSWORDS_WAITING 10 /* each occupies a thread of httpd */
#define IIMG_PASSWORD_WAIT     2  /* seconds, at most */

#define IIMG_PASSWORD_CLIENT 64 /* bytes of a client's name (an address), with NUL */

typedef struct place_t iimg_password_place_t;

/**
 * Wait for a slot. iimg_password_leave releases it.
 * @param client address of the client, for fairness
 * Errors: IIMG_LIMITED code login_busy: the queue is full, this entry was evicted, or the wait took
 * too long.
 */
iimg_error_t *iimg_password_enter(iimg_context_t *context, const char *client,
                                  iimg_password_place_t **place);
void iimg_password_leave(iimg_password_place_t *place);

/** Whether iimg_password_enter would fail for this client now, without waiting. */
bool iimg_password_is_full(const char *client);

/** Make the error for a login that finds the queue full. */
iimg_error_t *iimg_password_busy(iimg_context_t *context);

#endif
