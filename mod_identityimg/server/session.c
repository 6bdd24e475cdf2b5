/* session.c - the cookie that carries a session's token. */
#include "server/session.h"

#include <stdbool.h>
#include <string.h>
#include <apr_strings.h>
#include "server/request.h"

#define NAME "identityimg_session"
#define SECURE_NAME "__Host-" NAME      /* browsers take it over https alone, for this very host */

static bool is_https(request_rec *r)
{
    return strncmp(iimg_context_of(r)->base_url, "https://", 8) == 0;
}

static const char *name_of(request_rec *r)
{
    return is_https(r) ? SECURE_NAME : NAME;
}

const char *iimg_session_token(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Cookie"), *name;
    size_t name_length;

    if (!header) {
        return NULL;
    }
    name = name_of(r);
    name_length = strlen(name);
    while (*header) {
        size_t length;

        header += strspn(header, "; \t,");
        length = strcspn(header, "; \t,");
        if (length > name_length && header[name_length] == '='
            && strncmp(header, name, name_length) == 0) {
            return apr_pstrmemdup(r->pool, header + name_length + 1, length - name_length - 1);
        }
        header += length;
    }
    return NULL;
}

static void set_cookie(request_rec *r, const char *value, int seconds)
{
    apr_table_addn(r->err_headers_out, "Set-Cookie",
                   apr_psprintf(r->pool, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s",
                                name_of(r), value, seconds, is_https(r) ? "; Secure" : ""));
}

void iimg_session_set(request_rec *r, const char *token, int seconds)
{
    set_cookie(r, token, seconds);
}

void iimg_session_clear(request_rec *r)
{
    set_cookie(r, "", 0);
}
