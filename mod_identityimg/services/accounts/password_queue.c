/* password_queue.c - a fair queue for hashing passwords, which limits the CPU that logins use.
 *
 * Fair queue: the next slot goes to the client with the fewest hashes in progress, ties in arrival
 * order. When the queue is full, the newest entry of the client with the most waiting entries is
 * evicted. A single client may use all slots.
 *
 * The queue is one for each process. Threads of httpd call it for each login; they block for
 * IIMG_PASSWORD_WAIT at most and must not hold a database connection meanwhile. One mutex guards
 * everything; it is never held while a password is hashed. */
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
    GRANTED, /* has a slot, but its thread has not woken up yet */
    EVICTED, /* its thread has not woken up yet */
    HASHING
} state_t;

/* An entry of the queue. */
typedef struct place_t {
    state_t state;
    char client[IIMG_PASSWORD_CLIENT];
    unsigned long ticket; /* ascends in arrival order */
    pthread_cond_t changed;
} place_t;

/* Evicted entries occupy a place until their threads wake up. */
#define PLACES (IIMG_PASSWORDS_AT_ONCE + 2 * IIMG_PASSWORDS_WAITING)

static struct {
    pthread_mutex_t mutex;
    place_t places[PLACES];
    unsigned long tickets;
} queue = { .mutex = PTHREAD_MUTEX_INITIALIZER,
            .places = { [0 ... PLACES - 1] = { .changed = PTHREAD_COND_INITIALIZER } } };

iimg_error_t *iimg_password_busy(iimg_context_t *context)
{
    iimg_error_t *err = iimg_error_with_code(
        context->pool, IIMG_LIMITED, "login_busy",
        "Too many passwords are being checked. Try again in a moment.");

    return iimg_error_retry(err, RETRY_AFTER);
}

/* With the mutex locked ------------------------------------------------------------------------ */

static bool has_slot(const place_t *place)
{
    return place->state == HASHING || place->state == GRANTED;
}

static int count_slots(const char *client)
{
    int n = 0;

    for (int i = 0; i < PLACES; i++) {
        n += has_slot(&queue.places[i]) && (!client || strcmp(queue.places[i].client, client) == 0);
    }
    return n;
}

static int count_waiting(const char *client)
{
    int n = 0;

    for (int i = 0; i < PLACES; i++) {
        n += queue.places[i].state == WAITING
             && (!client || strcmp(queue.places[i].client, client) == 0);
    }
    return n;
}

/* @return the newest entry of the client with the most waiting entries; NULL if `client` would then
 * have as many */
static place_t *find_evictable(const char *client)
{
    int most = count_waiting(client) + 1;
    place_t *found = NULL;

    for (int i = 0; i < PLACES; i++) {
        place_t *place = &queue.places[i];
        int n = place->state == WAITING ? count_waiting(place->client) : 0;

        if (n > most || (found && n == most && place->ticket > found->ticket)) {
            most = n;
            found = place;
        }
    }
    return found;
}

static void grant_next(void)
{
    place_t *next = NULL;
    int fewest = 0;

    for (int i = 0; i < PLACES; i++) {
        place_t *place = &queue.places[i];
        int n = place->state == WAITING ? count_slots(place->client) : 0;

        if (place->state == WAITING
            && (!next || n < fewest || (n == fewest && place->ticket < next->ticket))) {
            next = place;
            fewest = n;
        }
    }
    if (next && count_slots(NULL) < IIMG_PASSWORDS_AT_ONCE) {
        next->state = GRANTED;
        pthread_cond_signal(&next->changed);
    }
}

static place_t *find_free_place(void)
{
    for (int i = 0; i < PLACES; i++) {
        if (queue.places[i].state == FREE) {
            return &queue.places[i];
        }
    }
    return NULL;
}

/* @return NULL if there is no place for the client */
static place_t *enqueue(const char *client)
{
    bool at_once = count_slots(NULL) < IIMG_PASSWORDS_AT_ONCE;
    place_t *evicted, *place;

    if (!at_once && count_waiting(NULL) >= IIMG_PASSWORDS_WAITING) {
        evicted = find_evictable(client);
        if (!evicted) {
            return NULL;
        }
        evicted->state = EVICTED;
        pthread_cond_signal(&evicted->changed);
    }
    place = find_free_place();
    if (place) {
        apr_cpystrn(place->client, client, sizeof(place->client));
        place->ticket = queue.tickets++;
        place->state = at_once ? GRANTED : WAITING;
    }
    return place;
}

static void wait_for_turn(place_t *place)
{
    struct timespec until;
    int rv = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IIMG_PASSWORD_WAIT;
    while (place->state == WAITING && rv != ETIMEDOUT) {
        rv = pthread_cond_clockwait(&place->changed, &queue.mutex, CLOCK_MONOTONIC, &until);
    }
    place->state = place->state == GRANTED ? HASHING : FREE;
}

/* The interface ------------------------------------------------------------------------------- */

bool iimg_password_is_full(const char *client)
{
    bool full;

    pthread_mutex_lock(&queue.mutex);
    full = count_slots(NULL) >= IIMG_PASSWORDS_AT_ONCE
           && count_waiting(NULL) >= IIMG_PASSWORDS_WAITING && !find_evictable(client);
    pthread_mutex_unlock(&queue.mutex);
    return full;
}

iimg_error_t *iimg_password_enter(iimg_context_t *context, const char *client,
                                  iimg_password_place_t **place)
{
    pthread_mutex_lock(&queue.mutex);
    *place = enqueue(client);
    if (*place) {
        wait_for_turn(*place);
        *place = (*place)->state == HASHING ? *place : NULL;
    }
    pthread_mutex_unlock(&queue.mutex);
    return *place ? NULL : iimg_password_busy(context);
}

void iimg_password_leave(iimg_password_place_t *place)
{
    pthread_mutex_lock(&queue.mutex);
    place->state = FREE;
    grant_next();
    pthread_mutex_unlock(&queue.mutex);
}
