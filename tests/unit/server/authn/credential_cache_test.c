/* credential_cache_test.c - server/authn/credential_cache.c: keys, entries, eviction and locks,
 * with a mocked clock. */
#include <apr_thread_cond.h>
#include <apr_time.h>

static apr_time_t cache_clock = 1800000000000000;

/* No lock is released during the wait. */
static void mock_wait(apr_interval_time_t time)
{
    cache_clock += time;
}

#define apr_time_now()                               cache_clock
#define apr_thread_cond_timedwait(cond, mutex, time) mock_wait(time)
#include "server/authn/credential_cache.c"
#undef apr_time_now
#undef apr_thread_cond_timedwait

#include "tap.h"
#include "work.h"

static apr_pool_t *pool;

/* Keys of one set, each with its own last byte. */
static const unsigned char *key_of(int last)
{
    unsigned char *key = apr_pcalloc(pool, IIMG_CREDENTIAL_KEY_BYTES);

    key[IIMG_CREDENTIAL_KEY_BYTES - 1] = (unsigned char)last;
    return key;
}

static const char *letters(int count)
{
    char *text = apr_pcalloc(pool, (apr_size_t)count + 1);

    return memset(text, 'x', (apr_size_t)count);
}

static void put(int key, const char *login, const char *proof, int seconds)
{
    iimg_credential_cache_put(key_of(key), &(iimg_credentials_t){ login, proof }, seconds);
}

static bool has(int key, const char *login, const char *proof)
{
    iimg_credentials_t known = { NULL, NULL };

    return iimg_credential_cache_get(pool, key_of(key), &known) && strcmp(known.login, login) == 0
           && strcmp(known.proof, proof) == 0;
}

static void test_keys(void)
{
    static const char here[] = "one", there[] = "other";
    unsigned char one[IIMG_CREDENTIAL_KEY_BYTES], other[IIMG_CREDENTIAL_KEY_BYTES];
    static const struct {
        const char *server, *kind, *text;
        apr_size_t length;
        bool same;
        const char *what;
    } cases[] = {
        { here, "basic", "ann\npw", 6, true, "the same credentials" },
        { there, "basic", "ann\npw", 6, false, "another server" },
        { here, "session", "ann\npw", 6, false, "another kind" },
        { here, "basic", "ann\npx", 6, false, "another password" },
        { here, "basic", "ann\npw", 5, false, "a shorter password" },
    };

    iimg_credential_cache_key((const server_rec *)here, "basic", "ann\npw", 6, one);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(iimg_credential_cache_key((const server_rec *)cases[i].server, cases[i].kind,
                                         cases[i].text, cases[i].length, other),
               "a key is made of %s", cases[i].what);
        tap_ok((memcmp(one, other, sizeof(one)) == 0) == cases[i].same, "the key of %s is %s",
               cases[i].what, cases[i].same ? "the same" : "another one");
    }
}

static void test_entries(void)
{
    tap_ok(!has(1, "ann", "p"), "credentials that were not cached are not found");
    put(1, "ann", "p", 0);
    tap_ok(!has(1, "ann", "p"), "zero seconds cache nothing");
    put(1, "ann", "p", 60);
    tap_ok(has(1, "ann", "p"), "cached credentials are found");
    tap_ok(!has(2, "ann", "p"), "credentials are found under their own key only");
    cache_clock += apr_time_from_sec(60) - 1;
    tap_ok(has(1, "ann", "p"), "an entry is found until it expires");
    cache_clock++;
    tap_ok(!has(1, "ann", "p"), "an expired entry is not found");
    put(1, "ann", "q", 60);
    tap_ok(has(1, "ann", "q"), "a new entry replaces an expired one");
    tap_ok(!iimg_credential_cache_remove(key_of(2)), "removing a missing entry reports false");
    tap_ok(iimg_credential_cache_remove(key_of(1)) && !has(1, "ann", "q"),
           "removing an entry reports true");
    tap_ok(!iimg_credential_cache_remove(key_of(1)), "removing an entry again reports false");
    put(3, letters(255), letters(159), 60);
    tap_ok(has(3, letters(255), letters(159)), "the longest login and proof are cached unchanged");
    put(4, letters(256), "p", 60);
    put(5, "ann", letters(160), 60);
    tap_ok(!has(4, letters(255), "p") && !has(5, "ann", letters(159)),
           "longer ones are not cached, nor truncated");
    iimg_credential_cache_remove(key_of(3));
}

/* A set has four entries; the one that expires first is evicted, unless one is free. */
static void test_eviction(void)
{
    put(1, "a", "p", 50);
    put(2, "b", "p", 20);
    put(3, "c", "p", 10);
    put(4, "d", "p", 40);
    tap_ok(has(1, "a", "p") && has(2, "b", "p") && has(3, "c", "p") && has(4, "d", "p"),
           "four keys share a set");
    put(5, "e", "p", 30);
    tap_ok(has(5, "e", "p") && !has(3, "c", "p"),
           "a fifth key evicts the entry that expires first");
    tap_ok(has(1, "a", "p") && has(2, "b", "p") && has(4, "d", "p"),
           "the other entries of the set stay");
    put(7, "g", "p", 0);
    tap_ok(has(2, "b", "p"), "zero seconds evict nothing");
    put(4, "d", "q", 60);
    tap_ok(has(4, "d", "q") && has(1, "a", "p") && has(2, "b", "p") && has(5, "e", "p"),
           "a cached key reuses its own entry");
    iimg_credential_cache_remove(key_of(1));
    put(6, "f", "p", 5);
    tap_ok(has(6, "f", "p") && has(2, "b", "p") && has(4, "d", "q") && has(5, "e", "p"),
           "a free entry is used before any is evicted");
}

static void test_locks(void)
{
    apr_time_t began = cache_clock;

    tap_ok(iimg_credential_cache_lock(key_of(1)), "credentials can be locked");
    tap_ok(iimg_credential_cache_lock(key_of(2)), "other credentials can be locked meanwhile");
    tap_ok(cache_clock == began, "locking free credentials takes no time");
    tap_ok(!iimg_credential_cache_lock(key_of(1)), "locked credentials cannot be locked again");
    tap_is_number(apr_time_sec(cache_clock - began), 2, "locking times out after two seconds");
    iimg_credential_cache_unlock(key_of(1));
    tap_ok(!iimg_credential_cache_lock(key_of(2)), "unlocking one key leaves others locked");
    tap_ok(iimg_credential_cache_lock(key_of(1)), "unlocked credentials can be locked again");
    iimg_credential_cache_unlock(key_of(1));
    iimg_credential_cache_unlock(key_of(2));
    for (int i = 0; i < LOCKS; i++) {
        iimg_credential_cache_lock(key_of(100 + i));
    }
    tap_ok(!iimg_credential_cache_lock(key_of(100))
               && !iimg_credential_cache_lock(key_of(100 + LOCKS - 1)),
           "all locks can be used at once");
    tap_ok(iimg_credential_cache_lock(key_of(99)),
           "without a free lock, credentials are verified without one");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    pool = context->pool;
    tap_ok(iimg_credential_cache_start(pool) == APR_SUCCESS, "the cache starts");
    test_keys();
    test_entries();
    test_eviction();
    test_locks();
    work_end(context);
    return tap_done();
}
