/* password_queue_test.c - services/password_queue.c: two at once, the others wait, but not for ever. */
#include "services/password_queue.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include "tap.h"
#include "work.h"

#define THREADS 12

static atomic_int inside, most, entered;

static void *pass(void *unused)
{
    apr_pool_t *pool;
    iimg_context_t context = { 0 };

    (void)unused;
    apr_pool_create(&pool, NULL);
    context.pool = pool;
    if (!iimg_password_enter(&context)) {
        int now = atomic_fetch_add(&inside, 1) + 1, was = atomic_load(&most);

        while (now > was && !atomic_compare_exchange_weak(&most, &was, now)) {
            continue;
        }
        usleep(20000);
        atomic_fetch_sub(&inside, 1);
        atomic_fetch_add(&entered, 1);
        iimg_password_leave();
    }
    apr_pool_destroy(pool);
    return NULL;
}

static void test_turns(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, pass, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    tap_is_number(atomic_load(&entered), THREADS, "all of %d come in", THREADS);
    tap_is_number(atomic_load(&most), IIMG_PASSWORDS_AT_ONCE, "never more than two at once");
}

static void test_deadline(iimg_context_t *context)
{
    iimg_error_t *err;

    tap_ok(!iimg_password_enter(context) && !iimg_password_enter(context), "two are inside");
    err = iimg_password_enter(context);
    tap_ok(err && err->kind == IIMG_LIMITED, "the third is told to come again");
    tap_is(err->code, "login_busy", "by a code");
    tap_ok(err->retry_after > 0, "and when");
    iimg_password_leave();
    tap_ok(!iimg_password_enter(context), "when one leaves there is a place");
    iimg_password_leave();
    iimg_password_leave();
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_turns();
    test_deadline(context);
    work_end(context);
    return tap_done();
}
