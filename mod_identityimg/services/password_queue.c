/* password_queue.c - few passwords are hashed at once, so that logins leave CPU for everything else. */
#include "services/password_queue.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define RETRY_AFTER 2       /* seconds */

/* Guarded by its own mutex. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t left;
    int hashing;
    int waiting;
} queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

iimg_error_t *iimg_password_busy(iimg_context_t *context)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_LIMITED,
                                   "Too many passwords are being worked on. Try again in a moment.");

    return iimg_error_retry(iimg_error_code(err, "login_busy"), RETRY_AFTER);
}

/* Within the mutex. @return whether there is a place */
static bool wait_for_place(void)
{
    struct timespec until;
    int rv = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IIMG_PASSWORD_WAIT;
    queue.waiting++;
    while (queue.hashing >= IIMG_PASSWORDS_AT_ONCE && rv != ETIMEDOUT) {
        rv = pthread_cond_clockwait(&queue.left, &queue.mutex, CLOCK_MONOTONIC, &until);
    }
    queue.waiting--;
    return queue.hashing < IIMG_PASSWORDS_AT_ONCE;
}

iimg_error_t *iimg_password_enter(iimg_context_t *context)
{
    bool entered;

    pthread_mutex_lock(&queue.mutex);
    entered = queue.hashing < IIMG_PASSWORDS_AT_ONCE
              || (queue.waiting < IIMG_PASSWORDS_WAITING && wait_for_place());
    queue.hashing += entered;
    pthread_mutex_unlock(&queue.mutex);
    return entered ? NULL : iimg_password_busy(context);
}

void iimg_password_leave(void)
{
    pthread_mutex_lock(&queue.mutex);
    queue.hashing--;
    pthread_cond_signal(&queue.left);
    pthread_mutex_unlock(&queue.mutex);
}
