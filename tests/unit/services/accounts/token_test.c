/* token_test.c - services/accounts/token.c: random texts of one form, and their hashes. */
#include "services/accounts/token.h"
#include "tap.h"
#include "work.h"

#define KNOWN "iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KNOWN_HASH \
    "12f23d6b2cfa321bfe58397894c294f7a18e5e6dc794a2fafd744430da9aaf78" /* by sha256sum(1) */

static const struct {
    const char *text, *what;
} others[] = {
    { "", "nothing" },
    { "iimg_", "the prefix" },
    { "iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a token that is a character too short" },
    { KNOWN "A", "a token that is a character too long" },
    { "Iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "another prefix" },
    { "iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+", "a plus" },
    { "iimg_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "padding" },
    { "iimg_AAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAA", "a space" },
    { "iimg_AAAAAAAAAAAAAAAAAAAAA\xc3\xa9"
      "AAAAAAAAAAAAAAAAAAAA",
      "a letter that is none of ASCII" },
};

int main(void)
{
    iimg_context_t *context = work_begin();
    unsigned char digest[IIMG_TOKEN_DIGEST_BYTES];
    bool dash = false, underscore = false;
    const char *last = "";

    for (int i = 0; i < 200; i++) {
        const char *token = iimg_token_create(context->pool);

        if (!iimg_token_has_form(token, strlen(token)) || strcmp(token, last) == 0) {
            tap_ok(false, "%s has a token's form, and is another than the last", token);
        }
        dash |= strchr(token, '-') != NULL;
        underscore |= strchr(token + 5, '_') != NULL;
        last = token;
    }
    tap_ok(dash && underscore, "200 tokens use all of base64url's letters");
    iimg_token_digest(KNOWN, digest);
    tap_is(iimg_token_hash(context->pool, digest), "sha256:" KNOWN_HASH, "the hash is SHA-256's");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        tap_ok(!iimg_token_has_form(others[i].text, strlen(others[i].text)),
               "%s is no token's form", others[i].what);
    }
    tap_ok(iimg_token_has_form(KNOWN, IIMG_TOKEN_LENGTH), "43 letters behind the prefix are");
    work_end(context);
    return tap_done();
}
