/* tap.h - the checks of a unit test, printed as TAP, with the plan at the end. */
#ifndef IIMG_TAP_H
#define IIMG_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_checks;   /* so far */
static int tap_failures; /* of them */

/** Check a condition; the rest is the title (printf style). @return the condition */
#define tap_ok(condition, ...) tap_report(__FILE__, __LINE__, (condition), __VA_ARGS__)

/** Check that two texts are equal; NULL equals only NULL. */
#define tap_is(got, want, ...) tap_report_text(__FILE__, __LINE__, (got), (want), __VA_ARGS__)

/** Check that two integers are equal. */
#define tap_is_number(got, want, ...) \
    tap_report_number(__FILE__, __LINE__, (long long)(got), (long long)(want), __VA_ARGS__)

__attribute__((unused, format(printf, 4, 5))) static bool tap_report(const char *file, int line,
                                                                     bool passed,
                                                                     const char *sentence, ...)
{
    va_list arguments;

    tap_checks++;
    printf("%s %d - ", passed ? "ok" : "not ok", tap_checks);
    va_start(arguments, sentence);
    vprintf(sentence, arguments);
    va_end(arguments);
    printf("\n");
    if (!passed) {
        tap_failures++;
        printf("# at %s:%d\n", file, line);
    }
    fflush(stdout);
    return passed;
}

#define tap_report_text(file, line, got, want, ...) \
    do { \
        const char *tap_got = (got), *tap_want = (want); \
        bool tap_same = tap_got && tap_want ? strcmp(tap_got, tap_want) == 0 \
                                            : tap_got == tap_want; \
        if (!tap_report(file, line, tap_same, __VA_ARGS__)) { \
            printf("# got:  %s\n# want: %s\n", tap_got ? tap_got : "(NULL)", \
                   tap_want ? tap_want : "(NULL)"); \
        } \
    } while (0)

#define tap_report_number(file, line, got, want, ...) \
    do { \
        long long tap_got = (got), tap_want = (want); \
        if (!tap_report(file, line, tap_got == tap_want, __VA_ARGS__)) { \
            printf("# got:  %lld\n# want: %lld\n", tap_got, tap_want); \
        } \
    } while (0)

/** Print the plan. @return the exit status */
__attribute__((unused)) static int tap_done(void)
{
    printf("1..%d\n", tap_checks);
    return tap_failures ? 1 : 0;
}

#endif
