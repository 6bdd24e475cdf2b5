/* number_test.c - checks of integers beyond 64 bits, and of form NFC. */
#include "base/json/number.h"

#include <stdbool.h>
#include <string.h>
#include <apr_strings.h>
#include "base/text.h"
#include "tap.h"
#include "work.h"

static void integers(apr_pool_t *pool)
{
    static const struct {
        const char *text, *clamped;
        int numbers;
    } rows[] = {
        { "", "", 0 },
        { "{\"a\":1}", "{\"a\":1}", 0 },
        { "9223372036854775807", "9223372036854775807", 0 },
        { "9223372036854775808", "9223372036854775807", 1 },
        { "-9223372036854775808", "-9223372036854775808", 0 },
        { "-9223372036854775809", "-9223372036854775808", 1 },
        { "[12345678901234567890123,1]", "[9223372036854775807    ,1]", 1 },
        { "[99999999999999999999,-99999999999999999999]",
          "[9223372036854775807 ,-9223372036854775808 ]", 2 },
        { "{\"99999999999999999999\":\"99999999999999999999\"}",
          "{\"99999999999999999999\":\"99999999999999999999\"}", 0 },
        { "\"a\\\"99999999999999999999\"", "\"a\\\"99999999999999999999\"", 0 },
        { "\"99999999999999999999", "\"99999999999999999999", 0 },
        { "\"\\", "\"\\", 0 },
        { "099999999999999999999", "099999999999999999999", 0 },
        { "-099999999999999999999", "-099999999999999999999", 0 },
        { "99999999999999999999.5", "99999999999999999999.5", 0 },
        { "99999999999999999999e5", "99999999999999999999e5", 0 },
        { "--99999999999999999999", "--99999999999999999999", 0 },
        { "+99999999999999999999", "+99999999999999999999", 0 },
        { "99999999999999999999-", "99999999999999999999-", 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].text);
        apr_array_header_t *numbers;
        const char *text = iimg_json_clamp_numbers(pool, apr_pmemdup(pool, rows[i].text, n), n,
                                                   &numbers);

        tap_is(apr_pstrmemdup(pool, text, n), rows[i].clamped, "%s becomes %s", rows[i].text,
               rows[i].clamped);
        tap_ok((numbers ? numbers->nelts : 0) == rows[i].numbers, "... with %d numbers replaced",
               rows[i].numbers);
    }
}

/* @return whether an integer with this many digits is replaced */
static bool is_replaced(apr_pool_t *pool, size_t digits)
{
    char *text = apr_pcalloc(pool, digits + 1);
    apr_array_header_t *numbers;

    memset(text, '9', digits);
    iimg_json_clamp_numbers(pool, text, digits, &numbers);
    return numbers != NULL;
}

static void lengths(apr_pool_t *pool)
{
    tap_ok(!is_replaced(pool, 18), "18 digits fit into 64 bits");
    tap_ok(is_replaced(pool, 19) && is_replaced(pool, 1000), "19 to 1000 digits are replaced");
    tap_ok(!is_replaced(pool, 1001), "1001 digits are left to the parser");
}

static void forms(apr_pool_t *pool)
{
    static const char plain[] = "plain", composed[] = "Zo\xc3\xab";
    char marks[2 * (IIMG_TEXT_MAX_MARKS + 1) + 2] = "a", *to = marks + 1;

    tap_ok(iimg_text_nfc(pool, plain) == plain, "ASCII is in form NFC");
    tap_ok(iimg_text_nfc(pool, composed) == composed, "a composed text does not change");
    tap_is(iimg_text_nfc(pool, "Zoe\xcc\x88"), composed, "a decomposed text is composed");
    tap_is(iimg_text_nfc(pool, "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"), "\xed\x95\x9c",
           "Hangul is composed");
    tap_is(iimg_text_nfc(pool, "q\xcc\x88\xcc\xa3"), "q\xcc\xa3\xcc\x88",
           "remaining marks are sorted");
    for (int i = 0; i < IIMG_TEXT_MAX_MARKS; i++, to += 2) {
        memcpy(to, "\xcc\x81", 3);
    }
    tap_ok(iimg_text_nfc(pool, marks) != marks, "a text with %d marks in a row is normalized",
           IIMG_TEXT_MAX_MARKS);
    memcpy(to, "\xcc\x81", 3);
    tap_ok(iimg_text_nfc(pool, marks) == marks, "one more mark leaves the text unchanged");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    integers(context->pool);
    lengths(context->pool);
    forms(context->pool);
    work_end(context);
    return tap_done();
}
