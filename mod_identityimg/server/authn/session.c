/* session.c - the cookie that carries a session's token. */
#include "server/authn/session.h"

#include <stdbool.h>
#include <string.h>
#include <apr_strings.h>
#include "server/http/request.h"
#include "services/accounts/token.h"

#define NAME        "identityimg_session"
#define BLANKS      " \t"
#define SECURE_NAME "__Host-" NAME /* browsers accept it over https only, from its own host */

static bool is_https(request_rec *r)
{
    return strncmp(iimg_context_of(r)->base_url, "https://", 8) == 0;
}

static const char *cookie_name(request_rec *r)
{
    return is_https(r) ? SECURE_NAME : NAME;
}

/* @return the value of "name=value", trimmed; NULL for another name */
static const char *read_value(apr_pool_t *pool, const char *pair, size_t length, const char *name)
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

/* Only ';' ends a cookie (RFC 6265): another separator would find a session in the value of
 * another cookie. Of two different sessions, one was set by another site. */
const char *iimg_session_token(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Cookie"), *found = NULL;

    while (header && *header) {
        size_t length = strcspn(header, ";");
        const char *value = read_value(r->pool, header, length, cookie_name(r));

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
                                cookie_name(r), value, seconds, is_https(r) ? "; Secure" : ""));
}

void iimg_session_set(request_rec *r, const char *token, int seconds)
{
    set_cookie(r, token, seconds);
}

void iimg_session_clear(request_rec *r)
{
    set_cookie(r, "", 0);
}
