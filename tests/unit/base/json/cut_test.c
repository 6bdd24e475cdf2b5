/* cut_test.c - base/json/cut.c: JSON without long strings, in pieces of any size. */
#include <stdlib.h>
#include <apr_strings.h>
#include "base/json/cut.h"
#include "tap.h"
#include "work.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct {
    const char *sentence, *text, *rest;
    const char *spans[3]; /* the strings that were cut out */
} rows[] = {
    { "an empty text stays empty", "", "", { NULL } },
    { "what has no such member stays",
      "{\"a\":[1,true,null,\"b\"]}",
      "{\"a\":[1,true,null,\"b\"]}",
      { NULL } },
    { "a value is cut out", "{\"data\":\"abc\"}", "{\"data\":\"0\"}", { "abc" } },
    { "several are numbered",
      "[{\"data\":\"a\"},{\"data\" : \"b\"},{\"data\":\n\"\"}]",
      "[{\"data\":\"0\"},{\"data\" : \"1\"},{\"data\": \"2\"}]",
      { "a", "b", "" } },
    { "escapes stay as they are written",
      "{\"data\":\"a\\\"b\\\\\",\"x\":\"\\\"\"}",
      "{\"data\":\"0\",\"x\":\"\\\"\"}",
      { "a\\\"b\\\\" } },
    { "other values of the member stay",
      "{\"data\":1,\"data\":[\"x\"],\"data\":null}",
      "{\"data\":1,\"data\":[\"x\"],\"data\":null}",
      { NULL } },
    { "the word as a value is none", "[\"data\",\"x\"]", "[\"data\",\"x\"]", { NULL } },
    { "nor is it one as another's value",
      "{\"a\":\"data\",\"b\":\"c\"}",
      "{\"a\":\"data\",\"b\":\"c\"}",
      { NULL } },
    { "a longer name is another",
      "{\"datas\":\"a\",\"xdata\":\"b\",\"Data\":\"c\"}",
      "{\"datas\":\"a\",\"xdata\":\"b\",\"Data\":\"c\"}",
      { NULL } },
    { "a string of ten bytes is kept", "[\"1234567890\"]", "[\"1234567890\"]", { NULL } },
    { "a longer one is left empty",
      "{\"signature\":\"12345678901\",\"a\":\"b\"}",
      "{\"signature\":\"\",\"a\":\"b\"}",
      { NULL } },
    { "a long name is left empty, and its value stays",
      "{\"12345678901\":\"b\"}",
      "{\"\":\"b\"}",
      { NULL } },
    { "white space is made less", "[ \r\n\t 1\n,\n\n2 ]", "[ 1 , 2 ]", { NULL } },
    { "nonsense stays nonsense", "1 2}}:\"data\":", "1 2}}:\"data\":", { NULL } },
};

/* @param step bytes a piece */
static iimg_json_cut_t *cut_up(apr_pool_t *pool, const char *text, size_t step)
{
    iimg_json_cut_t *cut = iimg_json_cut_create(pool, "data", 10, 1000);
    size_t length = strlen(text);

    for (size_t at = 0; at < length; at += step) {
        iimg_json_cut_feed(cut, text + at, step < length - at ? step : length - at);
    }
    return cut;
}

static bool has_spans(apr_pool_t *pool, const iimg_json_cut_t *cut, size_t i)
{
    int n = 0;

    for (; n < 3 && rows[i].spans[n]; n++) {
        const iimg_json_span_t *span = iimg_json_cut_span(cut, apr_itoa(pool, n));

        if (!span || span->length != strlen(rows[i].spans[n])
            || strncmp(rows[i].text + span->offset, rows[i].spans[n], span->length) != 0) {
            return false;
        }
    }
    return iimg_json_cut_span(cut, apr_itoa(pool, n)) == NULL;
}

static void test_rows(apr_pool_t *pool)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t step = 1; step < 40; step = step * 3) {
            iimg_json_cut_t *cut = cut_up(pool, rows[i].text, step);
            apr_size_t length;
            const char *rest = iimg_json_cut_rest(cut, &length);

            tap_is(apr_pstrmemdup(pool, rest, length), rows[i].rest, "%s, in pieces of %d",
                   rows[i].sentence, (int)step);
            tap_ok(has_spans(pool, cut, i), "the spans are right");
        }
    }
}

static void test_limits(apr_pool_t *pool)
{
    iimg_json_cut_t *cut = iimg_json_cut_create(pool, "data", 10, 100);
    char *large = apr_palloc(pool, 200000);

    memset(large, 'x', 200000);
    tap_ok(iimg_json_cut_feed(cut, "{\"data\":\"", 9), "a string begins");
    tap_ok(iimg_json_cut_feed(cut, large, 200000), "a cut string has no limit");
    tap_ok(iimg_json_cut_feed(cut, "\",\"a\":\"", 7), "another begins");
    tap_ok(iimg_json_cut_feed(cut, large, 200000), "nor has a dropped string");
    tap_ok(iimg_json_cut_feed(cut, "\"}", 2), "the end");
    tap_is_number(iimg_json_cut_span(cut, "0")->length, 200000, "the span has its length");
    tap_ok(!iimg_json_cut_feed(cut, large, 101), "the rest has a limit");
    tap_ok(!iimg_json_cut_feed(cut, "1", 1), "the scan stays refused");
    cut = iimg_json_cut_create(pool, "data", 10, 100);
    iimg_json_cut_feed(cut, large, 91);
    tap_ok(!iimg_json_cut_feed(cut, "\"", 1),
           "a string that might not fit is refused, in pieces of any size");
    cut = iimg_json_cut_create(pool, "data", 10, 100000);
    for (int i = 0; i < IIMG_JSON_MAX_CUTS; i++) {
        iimg_json_cut_feed(cut, "{\"data\":\"x\"}", 12);
    }
    tap_ok(iimg_json_cut_span(cut, "255") != NULL, "256 strings are cut out");
    tap_ok(!iimg_json_cut_feed(cut, "{\"data\":\"x\"}", 12), "one more cut is refused");
}

static void test_numbers(apr_pool_t *pool)
{
    iimg_json_cut_t *cut = cut_up(pool, "{\"data\":\"x\",\"data\":\"never ends", 100);

    tap_ok(iimg_json_cut_span(cut, "0") != NULL, "a number finds its span");
    tap_ok(!iimg_json_cut_span(cut, "1"), "a string that has not ended has no span");
    tap_ok(!iimg_json_cut_span(cut, NULL) && !iimg_json_cut_span(cut, "")
               && !iimg_json_cut_span(cut, "0x") && !iimg_json_cut_span(cut, "-1")
               && !iimg_json_cut_span(cut, "99999999999999999999"),
           "other texts have no span");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_rows(context->pool);
    test_limits(context->pool);
    test_numbers(context->pool);
    work_end(context);
    return tap_done();
}
