/* memo_test.c - base/memo.c: a text is found by its key, until another text replaces it. */
#include "base/memo.h"
#include <apr_thread_proc.h>
#include "tap.h"
#include "work.h"

#define ROUNDS 20000

static const char *recalled(iimg_memo_t *memo, const char *key, char *text, apr_size_t room)
{
    apr_size_t length = iimg_memo_recall(memo, key, strlen(key), text, room - 1);

    text[length] = '\0';
    return text;
}

static void keep(iimg_memo_t *memo, const char *key, const char *text)
{
    iimg_memo_keep(memo, key, strlen(key), text, strlen(text));
}

static void finding(apr_pool_t *pool)
{
    iimg_memo_t *memo = iimg_memo_create(pool, 1024);
    char text[32], long_key[IIMG_MEMO_TELLING + 3];

    tap_is(recalled(memo, "a", text, sizeof(text)), "", "an empty cache finds nothing");
    keep(memo, "a", "one");
    keep(memo, "b", "two");
    tap_is(recalled(memo, "a", text, sizeof(text)), "one", "a stored text is found");
    tap_is(recalled(memo, "b", text, sizeof(text)), "two", "each text is found by its key");
    tap_is(recalled(memo, "", text, sizeof(text)), "", "an empty key finds nothing");
    tap_is(recalled(memo, "aa", text, sizeof(text)), "", "a key with the same start finds nothing");
    tap_is(recalled(memo, "a", text, 3), "", "a text that does not fit is not copied");
    keep(memo, "a", "three");
    tap_is(recalled(memo, "a", text, sizeof(text)), "three",
           "the last text replaces the earlier one");
    keep(memo, "a", "");
    tap_is(recalled(memo, "a", text, sizeof(text)), "three", "an empty text is not stored");
    memset(long_key, 'k', sizeof(long_key));
    long_key[sizeof(long_key) - 1] = '\0';
    keep(memo, long_key, "long");
    long_key[sizeof(long_key) - 2] = 'l';
    tap_is(recalled(memo, long_key, text, sizeof(text)), "", "keys are compared completely");
}

static void places(apr_pool_t *pool)
{
    iimg_memo_t *memo = iimg_memo_create(pool, 1);
    char text[32];

    keep(memo, "a", "one");
    keep(memo, "b", "two");
    tap_is(recalled(memo, "a", text, sizeof(text)), "", "a later key replaces the entry");
    tap_is(recalled(memo, "b", text, sizeof(text)), "two", "the later key is found");
}

typedef struct work_t {
    iimg_memo_t *memo;
    int wrong;
} work_t;

/* Each text contains its key twice. */
static void *APR_THREAD_FUNC work(apr_thread_t *thread, void *baton)
{
    work_t *mine = baton;

    (void)thread;
    for (int i = 0; i < ROUNDS; i++) {
        char key[16], want[32], text[32];

        apr_snprintf(key, sizeof(key), "%d", i % 50);
        apr_snprintf(want, sizeof(want), "%s %s", key, key);
        recalled(mine->memo, key, text, sizeof(text));
        mine->wrong += *text && strcmp(text, want) != 0;
        keep(mine->memo, key, want);
    }
    return NULL;
}

static void sharing(apr_pool_t *pool)
{
    iimg_memo_t *memo = iimg_memo_create(pool, 8);
    apr_thread_t *threads[4];
    work_t works[4];
    int wrong = 0;

    for (int i = 0; i < 4; i++) {
        works[i] = (work_t){ memo, 0 };
        apr_thread_create(&threads[i], NULL, work, &works[i], pool);
    }
    for (int i = 0; i < 4; i++) {
        apr_status_t rv;

        apr_thread_join(&rv, threads[i]);
        wrong += works[i].wrong;
    }
    tap_is_number(wrong, 0, "threads find complete texts of their keys");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    finding(context->pool);
    places(context->pool);
    sharing(context->pool);
    work_end(context);
    return tap_done();
}
