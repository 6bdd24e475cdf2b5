/* password_queue.c - few passwords are hashed at once, so that logins leave CPU for everything
 * else.
 *
 * Who sends many waits behind who sends few: a place goes to the one of whose kind the fewest are
 * hashed, then to who came first; and where all may not wait, the newest of those with the most
 * gives way. One client alone may have it all. */
#include "services/accounts/password_queue.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <apr_strings.h>

#define RETRY_AFTER 2 /* seconds */

typedef enum {
    FREE,
    WAITING,
    CALLED,
    SENT_AWAY,
    HASHING
} stand_t;

/* Somebody who waits or hashes. */
typedef struct place_t {
    stand_t stand;
    char who[IIMG_PASSWORD_WHO];
    unsigned long ticket; /* who came first has the smaller one */
    pthread_cond_t changed;
} place_t;

/* As many again for those who were sent away and have not woken up yet. */
#define PLACES (IIMG_PASSWORDS_AT_ONCE + 2 * IIMG_PASSWORDS_WAITING)

/* Guarded by its own mutex. */
static struct {
    pthread_mutex_t mutex;
    place_t places[PLACES];
    unsigned long tickets;
} queue = { .mutex = PTHREAD_MUTEX_INITIALIZER,
            .places = { [0 ... PLACES - 1] = { .changed = PTHREAD_COND_INITIALIZER } } };

iimg_error_t *iimg_password_busy(iimg_context_t *context)
{
    iimg_error_t *err = iimg_error(
        context->pool, IIMG_LIMITED,
        "Too many passwords are being worked on. Try again in a moment.");

    return iimg_error_retry(iimg_error_code(err, "login_busy"), RETRY_AFTER);
}

/* Within the mutex ---------------------------------------------------------------------------- */

/* Who has been called hashes, but has not woken up yet. */
static bool has_slot(const place_t *place)
{
    return place->stand == HASHING || place->stand == CALLED;
}

static int count_slots(const char *who)
{
    int n = 0;

    for (int i = 0; i < PLACES; i++) {
        n += has_slot(&queue.places[i]) && (!who || strcmp(queue.places[i].who, who) == 0);
    }
    return n;
}

static int count_waiting(const char *who)
{
    int n = 0;

    for (int i = 0; i < PLACES; i++) {
        n += queue.places[i].stand == WAITING && (!who || strcmp(queue.places[i].who, who) == 0);
    }
    return n;
}

/* The newest of those of whom the most wait, if that are clearly more than wait of `who`. */
static place_t *gives_way(const char *who)
{
    int most = count_waiting(who) + 1;
    place_t *found = NULL;

    for (int i = 0; i < PLACES; i++) {
        place_t *place = &queue.places[i];
        int n = place->stand == WAITING ? count_waiting(place->who) : 0;

        if (n > most || (found && n == most && place->ticket > found->ticket)) {
            most = n;
            found = place;
        }
    }
    return found;
}

static void call_next(void)
{
    place_t *next = NULL;
    int fewest = 0;

    for (int i = 0; i < PLACES; i++) {
        place_t *place = &queue.places[i];
        int n = place->stand == WAITING ? count_slots(place->who) : 0;

        if (place->stand == WAITING
            && (!next || n < fewest || (n == fewest && place->ticket < next->ticket))) {
            next = place;
            fewest = n;
        }
    }
    if (next && count_slots(NULL) < IIMG_PASSWORDS_AT_ONCE) {
        next->stand = CALLED;
        pthread_cond_signal(&next->changed);
    }
}

static place_t *free_place(void)
{
    for (int i = 0; i < PLACES; i++) {
        if (queue.places[i].stand == FREE) {
            return &queue.places[i];
        }
    }
    return NULL;
}

/* Stand in line. @return NULL when there is no place for `who` */
static place_t *line_up(const char *who)
{
    bool at_once = count_slots(NULL) < IIMG_PASSWORDS_AT_ONCE;
    place_t *other = NULL, *place;

    if (!at_once && count_waiting(NULL) >= IIMG_PASSWORDS_WAITING) {
        other = gives_way(who);
        if (!other) {
            return NULL;
        }
        other->stand = SENT_AWAY;
        pthread_cond_signal(&other->changed);
    }
    place = free_place();
    if (place) {
        apr_cpystrn(place->who, who, sizeof(place->who));
        place->ticket = queue.tickets++;
        place->stand = at_once ? CALLED : WAITING;
    }
    return place;
}

static void wait_for_turn(place_t *place)
{
    struct timespec until;
    int rv = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IIMG_PASSWORD_WAIT;
    while (place->stand == WAITING && rv != ETIMEDOUT) {
        rv = pthread_cond_clockwait(&place->changed, &queue.mutex, CLOCK_MONOTONIC, &until);
    }
    place->stand = place->stand == CALLED ? HASHING : FREE;
}

/* --------------------------------------------------------------------------------------------- */

bool iimg_password_is_full(const char *who)
{
    bool full;

    pthread_mutex_lock(&queue.mutex);
    full = count_slots(NULL) >= IIMG_PASSWORDS_AT_ONCE
           && count_waiting(NULL) >= IIMG_PASSWORDS_WAITING && !gives_way(who);
    pthread_mutex_unlock(&queue.mutex);
    return full;
}

iimg_error_t *iimg_password_enter(iimg_context_t *context, const char *who,
                                  iimg_password_place_t **place)
{
    pthread_mutex_lock(&queue.mutex);
    *place = line_up(who);
    if (*place) {
        wait_for_turn(*place);
        *place = (*place)->stand == HASHING ? *place : NULL;
    }
    pthread_mutex_unlock(&queue.mutex);
    return *place ? NULL : iimg_password_busy(context);
}

void iimg_password_leave(iimg_password_place_t *place)
{
    pthread_mutex_lock(&queue.mutex);
    place->stand = FREE;
    call_next();
    pthread_mutex_unlock(&queue.mutex);
}
