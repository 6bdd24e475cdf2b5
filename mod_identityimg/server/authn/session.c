/* session.c - the cookie that carries a session's token. */
#include "server/authn/session.h"

#include <stdbool.h>
#include <string.h>
#include <apr_strings.h>
#include "server/http/request.h"
#include "services/accounts/token.h"

#define NAME        "identityimg_session"
#define BLANKS      " \t"
#define SECURE_NAME "__Host-" NAME /* browsers take it over https alone, for this very host */

static bool is_https(request_rec *r)
{
    return strncmp(iimg_context_of(r)->base_url, "https://", 8) == 0;
}

static const char *name_of(request_rec *r)
{
    return is_https(r) ? SECURE_NAME : NAME;
}

/* The value of a pair "name=value" without the blanks around; NULL when it has another name. */
static const char *value_of(apr_pool_t *pool, const char *pair, size_t length, const char *name)
{
    size_t blanks = strspn(pair, BLANKS), name_length = strlen(name);

    if (blanks >= length) {
        return NULL;
    }
    pair += blanks;
    length -= blanks;
    while (length && strchr(BLANKS, pair[length - 1])) {
        length--;
    }
    return length > name_length && pair[name_length] == '=' && strncmp(pair, name, name_length) == 0
               ? apr_pstrmemdup(pool, pair + name_length + 1, length - name_length - 1)
               : NULL;
}

/* Only ';' ends a cookie (RFC 6265): a session within another cookie's value is none. Of two that
 * differ one is somebody else's. */
const char *iimg_session_token(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Cookie"), *found = NULL;

    while (header && *header) {
        size_t length = strcspn(header, ";");
        const char *value = value_of(r->pool, header, length, name_of(r));

        if (value && found && strcmp(value, found) != 0) {
            return "";
        }
        found = value ? value : found;
        header += length + (header[length] == ';');
    }
    return found;
}

const char *iimg_session_hash(request_rec *r)
{
    const char *token = iimg_session_token(r);
    unsigned char digest[IIMG_TOKEN_DIGEST_BYTES];

    if (!token || !iimg_token_has_form(token, strlen(token))) {
        return NULL;
    }
    iimg_token_digest(token, digest);
    return iimg_token_hash(r->pool, digest);
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
