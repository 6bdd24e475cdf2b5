/* page_test.c - patterns of a search. */
#include "base/text.h"
#include "models/page.h"
#include "tap.h"
#include "work.h"

static const char *patterns(apr_pool_t *pool, const char *search)
{
    return iimg_page_patterns(pool, iimg_text_words(pool, search));
}

int main(void)
{
    iimg_context_t *context = work_begin();
    apr_pool_t *pool = context->pool;

    tap_is(patterns(pool, ""), "{}", "no words match every row");
    tap_is(patterns(pool, "one two"), "{\"%one%\",\"%two%\"}", "each word may stand anywhere");
    tap_is(patterns(pool, "100%"), "{\"%100\\\\%%\"}", "a percent sign is itself");
    tap_is(patterns(pool, "a_b"), "{\"%a\\\\_b%\"}", "so is an underscore");
    tap_is(patterns(pool, "a\\b"), "{\"%a\\\\\\\\b%\"}", "so is a backslash");
    tap_is(patterns(pool, "\"{,}'"), "{\"%\\\"{,}'%\"}",
           "what means something in an array means nothing here");
    work_end(context);
    return tap_done();
}
