/* prefer_test.c - the header Prefer. */
#include <stddef.h>
#include "server/http/prefer.c"
#include "tap.h"

static const struct {
    const char *text;
    bool async;
    int wait;
} cases[] = {
    { NULL, false, -1 },
    { "", false, -1 },
    { "respond-async", true, -1 },
    { "Respond-Async", true, -1 },
    { "wait=10", false, 10 },
    { "respond-async, wait=10", true, 10 },
    { "wait=10,respond-async", true, 10 },
    { " wait = 10 ; foo=bar , respond-async ; x", true, 10 },
    { "wait=\"7\"", false, 7 },
    { "wait=5, wait=9", false, 5 },
    { "wait=0", false, 0 },
    { "wait", false, -1 },
    { "wait=", false, -1 },
    { "wait=-1", false, -1 },
    { "wait=1.5", false, -1 },
    { "wait=ten", false, -1 },
    { "wait=99999999999999999999", false, 86400 },
    { "foo=\"respond-async, wait=3\"", false, -1 },
    { "foo=\"a\\\", wait=3\", wait=4", false, 4 },
    { "foo=\"unfinished, wait=3", false, -1 },
    { ",,;,=, ,respond-async", true, -1 },
    { "respond-asynchronously", false, -1 },
    { "return=minimal, handling=strict", false, -1 },
};

int main(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_prefer_t prefer;

        iimg_prefer_parse(cases[i].text, &prefer);
        tap_ok(prefer.respond_async == cases[i].async && prefer.wait == cases[i].wait, "Prefer: %s",
               cases[i].text ? cases[i].text : "(none)");
    }
    return tap_done();
}
