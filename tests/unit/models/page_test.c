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

    tap_is(patterns(pool, ""), "{}", "no words match all rows");
    tap_is(patterns(pool, "one two"), "{\"%one%\",\"%two%\"}", "each word matches anywhere");
    tap_is(patterns(pool, "100%"), "{\"%100\\\\%%\"}", "a percent sign has no special meaning");
    tap_is(patterns(pool, "a_b"), "{\"%a\\\\_b%\"}", "an underscore has no special meaning");
    tap_is(patterns(pool, "a\\b"), "{\"%a\\\\\\\\b%\"}", "a backslash has no special meaning");
    tap_is(patterns(pool, "\"{,}'"), "{\"%\\\"{,}'%\"}",
           "characters of array syntax have no special meaning");
    work_end(context);
    return tap_done();
}
