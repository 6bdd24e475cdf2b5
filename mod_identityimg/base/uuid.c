/* uuid.c - create and parse UUIDs as text. */
#include "base/uuid.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <apr_escape.h>
#include <apr_strings.h>

const char *iimg_uuid_create(apr_pool_t *pool)
{
    unsigned char b[16];
    const char *hex;

    if (getrandom(b, sizeof(b), 0) != sizeof(b)) {
        abort(); /* cannot happen for 16 bytes; a predictable UUID would be unsafe */
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    hex = apr_pescape_hex(pool, b, sizeof(b), 0);
    return apr_psprintf(pool, "%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static bool is_dash_place(int i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

const char *iimg_uuid_parse(apr_pool_t *pool, const char *text)
{
    char *out;

    if (!text || strlen(text) != IIMG_UUID_LENGTH) {
        return NULL;
    }
    out = apr_pstrdup(pool, text);
    for (int i = 0; i < IIMG_UUID_LENGTH; i++) {
        unsigned char c = (unsigned char)text[i];

        if (is_dash_place(i) ? c != '-' : !isxdigit(c)) {
            return NULL;
        }
        out[i] = (char)tolower(c);
    }
    return out;
}

bool iimg_uuid_at(const char *text)
{
    for (int i = 0; i < IIMG_UUID_LENGTH; i++) {
        bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');

        if (is_dash_place(i) ? text[i] != '-' : !digit) {
            return false;
        }
    }
    return true;
}
