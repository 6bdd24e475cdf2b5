/* challenge.c - the WWW-Authenticate header of a 401. */
#include "server/http/challenge.h"

#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <http_core.h>

/* The refused request, if r is its ErrorDocument. */
static request_rec *guarded(request_rec *r)
{
    return r->prev ? r->prev : r;
}

bool iimg_challenge_is_bearer(request_rec *r)
{
    const char *sent = apr_table_get(r->headers_in, "Authorization");
    const char *type = ap_auth_type(guarded(r));
    size_t length = strlen("Bearer");

    return sent && strncasecmp(sent, "Bearer", length) == 0
           && (sent[length] == ' ' || sent[length] == '\0') && type
           && strcasecmp(type, "Basic") != 0;
}

/* fetch() or XMLHttpRequest: browsers since 2023 send Sec-Fetch-Mode, many libraries the other. */
static bool is_script(const request_rec *r)
{
    const char *mode = apr_table_get(r->headers_in, "Sec-Fetch-Mode");
    const char *with = apr_table_get(r->headers_in, "X-Requested-With");

    return (mode && strcmp(mode, "navigate") != 0)
           || (with && strcasecmp(with, "XMLHttpRequest") == 0);
}

/* No "Basic" where passwords are not accepted, or for scripts. */
static bool wants_basic(request_rec *r)
{
    const char *type = ap_auth_type(guarded(r));

    return !is_script(r) && (!type || strcasecmp(type, "Basic") == 0);
}

static bool is_basic(const char *challenge)
{
    return strncasecmp(challenge, "Basic", strlen("Basic")) == 0;
}

void iimg_challenge_set(request_rec *r)
{
    const char *theirs = apr_table_get(r->err_headers_out, "WWW-Authenticate");
    const char *realm = ap_auth_name(guarded(r));
    const char *form = "Bearer realm=\"%s\"";

    if (theirs && !(is_basic(theirs) && is_script(r))) {
        return;
    }
    if (wants_basic(r)) {
        form = "Basic realm=\"%s\", charset=\"UTF-8\"";
    }
    else if (iimg_challenge_is_bearer(r)) {
        form = "Bearer realm=\"%s\", error=\"invalid_token\"";
    }
    apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                   apr_psprintf(r->pool, form, realm ? ap_escape_quotes(r->pool, realm) : "api"));
}
