/* number.c - replace integers beyond 64 bits, which jansson refuses. */
#include "base/json/number.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define SHORTEST_BIG 19   /* characters: 2^63 */
#define LONGEST_BIG  1000 /* characters */

/* @return what follows the string at p, or the end of the text */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++) {
        p += *p == '\\' && p + 1 < end;
    }
    return p < end ? p + 1 : end;
}

static const char *skip_number(const char *p, const char *end)
{
    while (p < end
           && (apr_isdigit(*p) || *p == '-' || *p == '+' || *p == '.' || *p == 'e' || *p == 'E')) {
        p++;
    }
    return p;
}

/* RFC 8259, section 6: no leading zeros. */
static bool is_integer(const char *text)
{
    const char *digits = text + (*text == '-');

    return *digits >= '1' && *digits <= '9' && digits[strspn(digits, "0123456789")] == '\0';
}

/* @return a replacement of a big integer, not longer than the integer; NULL for other numbers */
static const char *replacement_of(apr_pool_t *pool, const char *number)
{
    long long value;

    if (!is_integer(number)) {
        return NULL;
    }
    errno = 0;
    value = strtoll(number, NULL, 10);
    return errno == ERANGE ? apr_psprintf(pool, "%" APR_INT64_T_FMT, (apr_int64_t)value) : NULL;
}

const char *iimg_json_clamp_numbers(apr_pool_t *pool, const char *text, apr_size_t length,
                                    apr_array_header_t **numbers)
{
    const char *p = text, *end = text + length;
    char *copy = NULL;

    *numbers = NULL;
    while (p < end) {
        const char *begin = p, *number, *other;

        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        p = skip_number(p, end);
        if (p - begin < SHORTEST_BIG || p - begin > LONGEST_BIG) {
            p += p == begin;
            continue;
        }
        number = apr_pstrmemdup(pool, begin, (apr_size_t)(p - begin));
        other = replacement_of(pool, number);
        if (other) {
            copy = copy ? copy : apr_pmemdup(pool, text, length);
            *numbers = *numbers ? *numbers : apr_array_make(pool, 1, sizeof(const char *));
            APR_ARRAY_PUSH(*numbers, const char *) = number;
            memset(copy + (begin - text), ' ', (size_t)(p - begin));
            memcpy(copy + (begin - text), other, strlen(other));
        }
    }
    return copy ? copy : text;
}
