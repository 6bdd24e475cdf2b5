/* array_test.c - base/db/array.c: parse and format arrays. */
#include "base/db/array.h"
#include "tap.h"
#include "work.h"

static void check(apr_pool_t *pool, const char *text, int count, const char *const *items)
{
    apr_array_header_t *parsed = iimg_db_array_parse(pool, text);

    tap_is_number(parsed->nelts, count, "%s has %d elements", text ? text : "NULL", count);
    for (int i = 0; i < count && i < parsed->nelts; i++) {
        tap_is(APR_ARRAY_IDX(parsed, i, const char *), items[i], "element %d of %s", i, text);
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();
    apr_array_header_t *items = apr_array_make(context->pool, 4, sizeof(const char *)), *again;
    static const char *const hostile[] = {
        "", "a\"b", "c\\d", "{e,f}", "NULL", " g ", "\xc3\xa9\n"
    };

    check(context->pool, NULL, 0, NULL);
    check(context->pool, "{}", 0, NULL);
    check(context->pool, "{a,b}", 2, (const char *const[]){ "a", "b" });
    check(context->pool, "{\"a b\",\"c,d\",\"e\\\"f\",\"\"}", 4,
          (const char *const[]){ "a b", "c,d", "e\"f", "" });
    check(context->pool, "{\"never closed", 1, (const char *const[]){ "never closed" });
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        APR_ARRAY_PUSH(items, const char *) = hostile[i];
    }
    again = iimg_db_array_parse(context->pool, iimg_db_array_format(context->pool, items));
    tap_is_number(again->nelts, items->nelts, "a formatted array is parsed");
    for (int i = 0; i < again->nelts; i++) {
        tap_is(APR_ARRAY_IDX(again, i, const char *), hostile[i], "element %d survives", i);
    }
    work_end(context);
    return tap_done();
}
