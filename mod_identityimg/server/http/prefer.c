/* prefer.c - the header Prefer (RFC 7240): whether, and how long, a client wants to wait. */
#include "server/http/prefer.h"

#include <string.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <httpd.h>

/* Digits, in quotes or not, up to a parameter. @return -1: malformed */
static int read_seconds(const char *value)
{
    apr_int64_t seconds;
    char *end;

    value += *value == '"';
    if (!apr_isdigit(*value)) {
        return -1;
    }
    seconds = apr_strtoi64(value, &end, 10);
    end += *end == '"';
    if (*end != '\0' && *end != ';') {
        return -1;
    }
    return seconds < IIMG_PREFER_MAX ? (int)seconds : IIMG_PREFER_MAX;
}

/* httpd's items are in lower case, without blanks around '=' and ';'. */
static bool has_name(const char *item, const char *name)
{
    size_t n = strcspn(item, "=;");

    return n == strlen(name) && strncmp(item, name, n) == 0;
}

void iimg_prefer_parse(apr_pool_t *pool, const char *header, iimg_prefer_t *prefer)
{
    const char *item;

    *prefer = (iimg_prefer_t){ false, -1 };
    while (header && (item = ap_get_list_item(pool, &header)) != NULL) {
        if (has_name(item, "respond-async")) {
            prefer->respond_async = true;
        }
        else if (has_name(item, "wait") && prefer->wait < 0) {
            prefer->wait = item[4] == '=' ? read_seconds(item + 5) : -1;
        }
    }
}
