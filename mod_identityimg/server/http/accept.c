/* accept.c - reads the header Accept. */
#include "server/http/accept.h"

#include <string.h>
#include <strings.h>

#define BLANK " \t"

/* Whether parameters, from the first ';' on, hold q=0. */
static bool is_refused(const char *text, const char *end)
{
    while ((text = memchr(text, ';', (size_t)(end - text))) != NULL) {
        text++;
        text += strspn(text, BLANK);
        if (strncasecmp(text, "q=0", 3) == 0) {
            text += 3;
            text += *text == '.' ? 1 + strspn(text + 1, "0") : 0;
            return text + strspn(text, BLANK) >= end || text[strspn(text, BLANK)] == ';';
        }
    }
    return false;
}

bool iimg_accept_names(const char *header, const char *type)
{
    size_t n = strlen(type);

    while (header && *header) {
        const char *end = header + strcspn(header, ",");

        header += strspn(header, BLANK);
        if (strncasecmp(header, type, n) == 0 && strchr(BLANK ",;", header[n])) {
            return !is_refused(header + n, end);
        }
        header = end + (*end == ',');
    }
    return false;
}
