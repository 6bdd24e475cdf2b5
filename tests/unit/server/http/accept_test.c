/* accept_test.c - the header Accept. */
#include <stddef.h>
#include "server/http/accept.c"
#include "tap.h"

static const struct {
    const char *text;
    bool named;
} cases[] = {
    { NULL, false },
    { "", false },
    { "application/problem+json", true },
    { "Application/Problem+JSON", true },
    { "application/json, application/problem+json", true },
    { "application/json,application/problem+json;q=0.1", true },
    { " application/problem+json ; charset=utf-8", true },
    { "application/problem+json;q=1", true },
    { "application/problem+json;q=0.001", true },
    { "application/problem+json;q=0", false },
    { "application/problem+json; Q=0.000, application/json", false },
    { "application/problem+json;x=y;q=0.", false },
    { "application/problem+json;q=0;x=y", false },
    { "application/problem+jsonx", false },
    { "xapplication/problem+json", false },
    { "application/json;type=application/problem+json", false },
    { "*/*", false },
    { "application/*", false },
    { ",,;,=, ,application/problem+json", true },
    { "application/problem+json;q=0.5;q=0", true },
    { "application/problem+jso", false },
};

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(iimg_accept_names(cases[i].text, "application/problem+json") == cases[i].named,
               "Accept: %s", cases[i].text ? cases[i].text : "(none)");
    }
    return tap_done();
}
