/* password_queue_test.c - the queue for hashing passwords: limits, timeouts, fairness, eviction. */
#include "services/accounts/password_queue.c"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include "tap.h"
#include "work.h"

#define THREADS 12

static atomic_int inside, most, entered, turn;

typedef struct visitor_t {
    pthread_t thread;
    const char *client;
    int turn; /* position in the order of slots; 0: refused or evicted */
    atomic_bool done;
} visitor_t;

static void *pass(void *visitor_)
{
    visitor_t *visitor = visitor_;
    apr_pool_t *pool;
    iimg_context_t context = { 0 };
    iimg_password_place_t *place;

    apr_pool_create(&pool, NULL);
    context.pool = pool;
    if (!iimg_password_enter(&context, visitor->client, &place)) {
        int now = atomic_fetch_add(&inside, 1) + 1, was = atomic_load(&most);

        visitor->turn = atomic_fetch_add(&turn, 1) + 1;
        while (now > was && !atomic_compare_exchange_weak(&most, &was, now)) {
            continue;
        }
        usleep(20000);
        atomic_fetch_sub(&inside, 1);
        atomic_fetch_add(&entered, 1);
        iimg_password_leave(place);
    }
    atomic_store(&visitor->done, true);
    apr_pool_destroy(pool);
    return NULL;
}

static void come(visitor_t *visitor, const char *client)
{
    visitor->client = client;
    visitor->turn = 0;
    atomic_store(&visitor->done, false);
    pthread_create(&visitor->thread, NULL, pass, visitor);
}

static void test_turns(void)
{
    visitor_t visitors[THREADS];

    for (int i = 0; i < THREADS; i++) {
        come(&visitors[i], "192.0.2.1");
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(visitors[i].thread, NULL);
    }
    tap_is_number(atomic_load(&entered), THREADS, "all of %d come in, also from one address",
                  THREADS);
    tap_is_number(atomic_load(&most), IIMG_PASSWORDS_AT_ONCE, "never more than two at once");
}

static void test_deadline(iimg_context_t *context)
{
    iimg_password_place_t *first, *second, *third;
    iimg_error_t *err;

    tap_ok(!iimg_password_enter(context, "a", &first)
               && !iimg_password_enter(context, "a", &second),
           "two are inside");
    err = iimg_password_enter(context, "a", &third);
    tap_ok(err && err->kind == IIMG_LIMITED, "the third is told to come again");
    tap_is(err->code, "login_busy", "by a code");
    tap_ok(err->retry_after > 0, "the error says when to retry");
    iimg_password_leave(first);
    tap_ok(!iimg_password_enter(context, "a", &third), "when one leaves there is a place");
    iimg_password_leave(second);
    iimg_password_leave(third);
}

/* Waits, with patience, until so many are gone. */
static int gone(const visitor_t *visitors, int count, int want)
{
    int n = 0;

    for (int i = 0; i < 100; i++) {
        n = 0;
        for (int k = 0; k < count; k++) {
            n += atomic_load(&visitors[k].done);
        }
        if (n >= want) {
            break;
        }
        usleep(10000);
    }
    return n;
}

/* Two entries of a client hash and ten wait when another client arrives. */
static void test_eviction(iimg_context_t *context)
{
    iimg_password_place_t *first, *second, *extra;
    visitor_t crowd[IIMG_PASSWORDS_WAITING], other;
    int away = 0;

    iimg_password_enter(context, "crowd", &first);
    iimg_password_enter(context, "crowd", &second);
    tap_ok(!iimg_password_is_full("crowd"), "the queue has room");
    for (int i = 0; i < IIMG_PASSWORDS_WAITING; i++) {
        come(&crowd[i], "crowd");
    }
    for (int i = 0; i < 100 && !iimg_password_is_full("crowd"); i++) {
        usleep(10000);
    }
    tap_ok(iimg_password_is_full("crowd"),
           "with ten waiting entries the queue is full for their client");
    tap_ok(iimg_password_enter(context, "crowd", &extra) != NULL,
           "another entry of that client is refused");
    tap_ok(!iimg_password_is_full("other"), "the queue is not full for another client");
    come(&other, "other");
    tap_is_number(gone(crowd, IIMG_PASSWORDS_WAITING, 1), 1,
                  "an entry of another client evicts one");
    atomic_store(&turn, 0);
    iimg_password_leave(first);
    pthread_join(other.thread, NULL);
    tap_is_number(other.turn, 1, "the other client gets the next slot");
    iimg_password_leave(second);
    for (int i = 0; i < IIMG_PASSWORDS_WAITING; i++) {
        pthread_join(crowd[i].thread, NULL);
        away += crowd[i].turn == 0;
    }
    tap_is_number(away, 1, "the other entries get their slots later");
}

/* Entries in the state that threads leave, since the order in which threads arrive is not known. */
static void test_newest(void)
{
    static const unsigned long tickets[] = { 5, 9, 7 };

    for (int i = 0; i < 3; i++) {
        queue.places[i].state = WAITING;
        queue.places[i].ticket = tickets[i];
        strcpy(queue.places[i].client, "crowd");
    }
    tap_ok(find_evictable("other") == &queue.places[1], "the newest entry is the one to evict");
    for (int i = 0; i < 3; i++) {
        queue.places[i].state = FREE;
    }
}

/* Ten entries of three clients wait. A new entry evicts one only if another client has at least two
 * more. */
static void test_shares(iimg_context_t *context)
{
    static const struct {
        int a, b, c;
        bool full_for_b;
    } cases[] = {
        { 4, 3, 3, true },
        { 5, 3, 2, false },
        { 5, 5, 0, true },
        { 6, 4, 0, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_password_place_t *first, *second;
        visitor_t visitors[IIMG_PASSWORDS_WAITING];

        iimg_password_enter(context, "x", &first);
        iimg_password_enter(context, "x", &second);
        for (int k = 0; k < IIMG_PASSWORDS_WAITING; k++) {
            come(&visitors[k], k < cases[i].a ? "a" : k < cases[i].a + cases[i].b ? "b" : "c");
        }
        for (int k = 0; k < 100 && !iimg_password_is_full("a"); k++) {
            usleep(10000);
        }
        tap_ok(iimg_password_is_full("a"),
               "the queue is full for the client with the most entries");
        tap_ok(iimg_password_is_full("b") == cases[i].full_for_b,
               "with %d, %d and %d waiting entries there is %s place for the second client",
               cases[i].a, cases[i].b, cases[i].c, cases[i].full_for_b ? "no" : "a");
        iimg_password_leave(first);
        iimg_password_leave(second);
        for (int k = 0; k < IIMG_PASSWORDS_WAITING; k++) {
            pthread_join(visitors[k].thread, NULL);
        }
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_turns();
    test_deadline(context);
    test_eviction(context);
    test_newest();
    test_shares(context);
    work_end(context);
    return tap_done();
}
