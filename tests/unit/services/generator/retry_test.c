/* retry_test.c - when a call that failed is made again. */
#include "services/generator/retry.h"
#include "tap.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define SECOND      APR_USEC_PER_SEC

static const struct {
    const char *sentence;
    iimg_again_t again;
    int retry_after, calls, retries;
    int left; /* seconds until the deadline */
    bool paid;
    int least, most; /* milliseconds to wait; most 0: it is given up */
} rows[] = {
    { "a permanent failure is not retried", IIMG_AGAIN_NO, 0, 1, 4, 300, false, 0, 0 },
    { "a permanent failure with Retry-After is not retried", IIMG_AGAIN_NO, 5, 1, 4, 300, false, 0,
      0 },
    { "the first wait is up to a second", IIMG_AGAIN_FREE, 0, 1, 4, 300, false, 500, 1000 },
    { "the second up to two", IIMG_AGAIN_FREE, 0, 2, 4, 300, false, 1000, 2000 },
    { "the fourth up to eight", IIMG_AGAIN_FREE, 0, 4, 4, 300, false, 4000, 8000 },
    { "the fifth call is the last", IIMG_AGAIN_FREE, 0, 5, 4, 300, false, 0, 0 },
    { "without retries there is one", IIMG_AGAIN_FREE, 0, 1, 0, 300, false, 0, 0 },
    { "waits do not grow for ever", IIMG_AGAIN_FREE, 0, 10, 10, 300, false, 32000, 64000 },
    { "the pause is Retry-After plus up to a second", IIMG_AGAIN_FREE, 37, 1, 4, 300, false, 37500,
      38000 },
    { "a minute is not too long", IIMG_AGAIN_FREE, 60, 1, 4, 300, false, 60500, 61000 },
    { "more than that is", IIMG_AGAIN_FREE, 61, 1, 4, 300, false, 0, 0 },
    { "a wait beyond the deadline is none", IIMG_AGAIN_FREE, 37, 1, 4, 30, false, 0, 0 },
    { "no retry without time for the call", IIMG_AGAIN_FREE, 0, 1, 4, 5, false, 0, 0 },
    { "just enough time is enough", IIMG_AGAIN_FREE, 0, 1, 4, 6, false, 500, 1000 },
    { "a call that may be billed is retried", IIMG_AGAIN_PAID, 0, 1, 4, 300, false, 500, 1000 },
    { "a call that may be billed is retried once only", IIMG_AGAIN_PAID, 0, 2, 4, 300, true, 0, 0 },
    { "a free failure after a billed one is retried", IIMG_AGAIN_FREE, 0, 2, 4, 300, true, 1000,
      2000 },
};

static void test_row(size_t i, apr_uint32_t chance)
{
    apr_time_t now = 1000 * SECOND;
    iimg_retry_t retry = { .deadline = now + rows[i].left * SECOND,
                           .retries = rows[i].retries,
                           .calls = rows[i].calls,
                           .paid = rows[i].paid };
    iimg_error_t err = { .again = rows[i].again, .retry_after = rows[i].retry_after };
    apr_interval_time_t wait = -1;
    bool again = iimg_retry_decide(&retry, &err, now, chance, &wait);

    tap_ok(again == (rows[i].most > 0)
               && (!again || (wait >= rows[i].least * 1000 && wait <= rows[i].most * 1000)),
           "%s (chance %u)", rows[i].sentence, chance);
    tap_ok(retry.paid == (rows[i].paid || (again && rows[i].again == IIMG_AGAIN_PAID)),
           "a billed retry is recorded");
}

static void test_chance(void)
{
    iimg_retry_t retry = { .deadline = 1000 * SECOND, .retries = 4, .calls = 1 };
    iimg_error_t err = { .again = IIMG_AGAIN_FREE };
    apr_interval_time_t one, other;

    iimg_retry_decide(&retry, &err, 0, 1, &one);
    iimg_retry_decide(&retry, &err, 0, 400000, &other);
    tap_ok(one != other, "two that failed together come back apart");
}

int main(void)
{
    static const apr_uint32_t chances[] = { 0, 1, 499999, 500000, 4294967295u };

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t k = 0; k < COUNT(chances); k++) {
            test_row(i, chances[k]);
        }
    }
    test_chance();
    return tap_done();
}
