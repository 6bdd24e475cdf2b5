/* credential_cache_test.c - server/authn/credential_cache.c: what is remembered, of whom, and for
 * how long, by a clock of our own. */
#include <apr_thread_cond.h>
#include <apr_time.h>

static apr_time_t credentials_clock = 1800000000000000;

/* Nothing is released during the wait. */
static void credentials_wait(apr_interval_time_t time)
{
    credentials_clock += time;
}

#define apr_time_now()                               credentials_clock
#define apr_thread_cond_timedwait(cond, mutex, time) credentials_wait(time)
#include "server/authn/credential_cache.c"
#undef apr_time_now
#undef apr_thread_cond_timedwait

#include "tap.h"
#include "work.h"

static apr_pool_t *pool;

/* Keys of one set, each with its own last byte. */
static const unsigned char *key_of(int last)
{
    unsigned char *key = apr_pcalloc(pool, IIMG_CREDENTIALS_KEY);

    key[IIMG_CREDENTIALS_KEY - 1] = (unsigned char)last;
    return key;
}

static const char *letters(int count)
{
    char *text = apr_pcalloc(pool, (apr_size_t)count + 1);

    return memset(text, 'x', (apr_size_t)count);
}

static void keep(int key, const char *login, const char *proof, int seconds)
{
    iimg_credentials_remember(key_of(key), &(iimg_credentials_t){ login, proof }, seconds);
}

static bool knows(int key, const char *login, const char *proof)
{
    iimg_credentials_t known = { NULL, NULL };

    return iimg_credentials_recall(pool, key_of(key), &known) && strcmp(known.login, login) == 0
           && strcmp(known.proof, proof) == 0;
}

static void test_keys(void)
{
    static const char here[] = "one", there[] = "other";
    unsigned char one[IIMG_CREDENTIALS_KEY], other[IIMG_CREDENTIALS_KEY];
    static const struct {
        const char *server, *kind, *text;
        apr_size_t length;
        bool same;
        const char *what;
    } cases[] = {
        { here, "basic", "ann\npw", 6, true, "the same" },
        { there, "basic", "ann\npw", 6, false, "another server" },
        { here, "session", "ann\npw", 6, false, "another kind" },
        { here, "basic", "ann\npx", 6, false, "another password" },
        { here, "basic", "ann\npw", 5, false, "a shorter one" },
    };

    iimg_credentials_key((const server_rec *)here, "basic", "ann\npw", 6, one);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(iimg_credentials_key((const server_rec *)cases[i].server, cases[i].kind,
                                    cases[i].text, cases[i].length, other),
               "%s has a key", cases[i].what);
        tap_ok((memcmp(one, other, sizeof(one)) == 0) == cases[i].same, "... which is %s",
               cases[i].same ? "the same" : "another");
    }
}

static void test_memory(void)
{
    tap_ok(!knows(1, "ann", "p"), "nothing is known that was not remembered");
    keep(1, "ann", "p", 0);
    tap_ok(!knows(1, "ann", "p"), "nor what is to be remembered for no time");
    keep(1, "ann", "p", 60);
    tap_ok(knows(1, "ann", "p"), "what is remembered is known");
    tap_ok(!knows(2, "ann", "p"), "... under its own key");
    credentials_clock += apr_time_from_sec(60) - 1;
    tap_ok(knows(1, "ann", "p"), "... until its last moment");
    credentials_clock++;
    tap_ok(!knows(1, "ann", "p"), "... and no longer");
    keep(1, "ann", "q", 60);
    tap_ok(knows(1, "ann", "q"), "it is remembered anew, in its place");
    tap_ok(!iimg_credentials_forget(key_of(2)), "what is not known cannot be forgotten");
    tap_ok(iimg_credentials_forget(key_of(1)) && !knows(1, "ann", "q"), "what is known can");
    tap_ok(!iimg_credentials_forget(key_of(1)), "... once");
    keep(3, letters(255), letters(159), 60);
    tap_ok(knows(3, letters(255), letters(159)),
           "the longest login and proof are remembered whole");
    keep(4, letters(256), "p", 60);
    keep(5, "ann", letters(160), 60);
    tap_ok(!knows(4, letters(255), "p") && !knows(5, "ann", letters(159)),
           "longer ones are not, nor a part of them");
    iimg_credentials_forget(key_of(3));
}

/* Four share a place; the one that expires first gives way, or one that was forgotten. */
static void test_places(void)
{
    keep(1, "a", "p", 50);
    keep(2, "b", "p", 20);
    keep(3, "c", "p", 10);
    keep(4, "d", "p", 40);
    tap_ok(knows(1, "a", "p") && knows(2, "b", "p") && knows(3, "c", "p") && knows(4, "d", "p"),
           "four share a place");
    keep(5, "e", "p", 30);
    tap_ok(knows(5, "e", "p") && !knows(3, "c", "p"),
           "a fifth takes that of the one that expires first");
    tap_ok(knows(1, "a", "p") && knows(2, "b", "p") && knows(4, "d", "p"),
           "... and of no other one");
    keep(7, "g", "p", 0);
    tap_ok(knows(2, "b", "p"), "what is not remembered takes no place");
    keep(4, "d", "q", 60);
    tap_ok(knows(4, "d", "q") && knows(1, "a", "p") && knows(2, "b", "p") && knows(5, "e", "p"),
           "one that is there takes its own again");
    iimg_credentials_forget(key_of(1));
    keep(6, "f", "p", 5);
    tap_ok(knows(6, "f", "p") && knows(2, "b", "p") && knows(4, "d", "q") && knows(5, "e", "p"),
           "a free place is taken before any other");
}

static void test_claims(void)
{
    apr_time_t began = credentials_clock;

    tap_ok(iimg_credentials_claim(key_of(1)), "credentials are claimed");
    tap_ok(iimg_credentials_claim(key_of(2)), "... others as well");
    tap_ok(credentials_clock == began, "... without a wait");
    tap_ok(!iimg_credentials_claim(key_of(1)), "but not a second time");
    tap_is_number(apr_time_sec(credentials_clock - began), 2, "... after two seconds");
    iimg_credentials_release(key_of(1));
    tap_ok(!iimg_credentials_claim(key_of(2)), "what was not released is still claimed");
    tap_ok(iimg_credentials_claim(key_of(1)), "what was released is free");
    iimg_credentials_release(key_of(1));
    iimg_credentials_release(key_of(2));
    for (int i = 0; i < CLAIMS; i++) {
        iimg_credentials_claim(key_of(100 + i));
    }
    tap_ok(!iimg_credentials_claim(key_of(100))
               && !iimg_credentials_claim(key_of(100 + CLAIMS - 1)),
           "so many are claimed at once");
    tap_ok(iimg_credentials_claim(key_of(99)), "one more waits for nobody");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    pool = context->pool;
    tap_ok(iimg_credentials_start(pool) == APR_SUCCESS, "the memory is made");
    test_keys();
    test_memory();
    test_places();
    test_claims();
    work_end(context);
    return tap_done();
}
