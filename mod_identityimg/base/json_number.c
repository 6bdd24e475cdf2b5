/* json_number.c - numbers of a client's JSON that are valid but beyond what jansson takes. */
#include "base/json_number.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>

#define SHORTEST_BIG 5      /* characters: "1e309" */

/* Behind a string that begins at p, or at the end of the text. */
static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++) {
        p += *p == '\\' && p + 1 < end;
    }
    return p < end ? p + 1 : end;
}

static const char *skip_number(const char *p, const char *end)
{
    while (p < end && (apr_isdigit(*p) || *p == '-' || *p == '+' || *p == '.' || *p == 'e'
                       || *p == 'E')) {
        p++;
    }
    return p;
}

static const char *skip_digits(const char *p)
{
    return p + strspn(p, "0123456789");
}

/* Whether all of the text is a number (RFC 8259, section 6), and whether it is an integer. */
static bool is_number(const char *text, bool *integer)
{
    const char *p = text + (*text == '-');
    const char *fraction, *exponent;
    const char *behind = *p == '0' ? p + 1 : skip_digits(p);

    *integer = *behind == '\0';
    if (behind == p) {
        return false;
    }
    if (*behind == '.') {
        fraction = behind + 1;
        behind = skip_digits(fraction);
        if (behind == fraction) {
            return false;
        }
    }
    if (*behind == 'e' || *behind == 'E') {
        exponent = behind + 1 + (behind[1] == '+' || behind[1] == '-');
        behind = skip_digits(exponent);
        if (behind == exponent) {
            return false;
        }
    }
    return *behind == '\0';
}

/* What stands for a number that is too big, never longer than it; NULL when it is not. */
static const char *substitute(apr_pool_t *pool, const char *number)
{
    bool integer;
    long long value;

    if (!is_number(number, &integer)) {
        return NULL;
    }
    if (!integer) {
        return isinf(strtod(number, NULL)) ? (*number == '-' ? "-1e99" : "1e99") : NULL;
    }
    errno = 0;
    value = strtoll(number, NULL, 10);
    return errno == ERANGE ? apr_psprintf(pool, "%lld", value) : NULL;
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
        if (p - begin < SHORTEST_BIG) {
            p += p == begin;
            continue;
        }
        number = apr_pstrmemdup(pool, begin, (apr_size_t)(p - begin));
        other = substitute(pool, number);
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
