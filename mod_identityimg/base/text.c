/* text.c - check and change text from clients. */
#include "base/text.h"

#include <string.h>
#include <apr_strings.h>
#include <glib.h>

/* Measure the UTF-8 sequence at p (RFC 3629, section 4). @return 0 when it is invalid */
static int sequence_length(const unsigned char *p, apr_size_t left)
{
    static const struct {
        unsigned char first, last, second_from, second_to;
        int length;
    } rows[] = {
        { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    size_t i = 0;

    while (i < sizeof(rows) / sizeof(rows[0]) && (*p < rows[i].first || *p > rows[i].last)) {
        i++;
    }
    if (i == sizeof(rows) / sizeof(rows[0]) || (apr_size_t)rows[i].length > left) {
        return 0;
    }
    for (int k = 1; k < rows[i].length; k++) {
        unsigned char from = k == 1 ? rows[i].second_from : 0x80;
        unsigned char to = k == 1 ? rows[i].second_to : 0xbf;

        if (p[k] < from || p[k] > to) {
            return 0;
        }
    }
    return rows[i].length;
}

bool iimg_text_is_utf8(const char *text, apr_size_t length)
{
    const unsigned char *p = (const unsigned char *)text, *end = p + length;

    while (p < end) {
        int n = sequence_length(p, (apr_size_t)(end - p));

        if (!n) {
            return false;
        }
        p += n;
    }
    return true;
}

apr_size_t iimg_text_characters(const char *text)
{
    apr_size_t n = 0;

    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

static bool has_too_many_marks(const char *text)
{
    int marks = 0;

    for (; *text; text = g_utf8_next_char(text)) {
        marks = g_unichar_combining_class(g_utf8_get_char(text)) ? marks + 1 : 0;
        if (marks > IIMG_TEXT_MAX_MARKS) {
            return true;
        }
    }
    return false;
}

const char *iimg_text_nfc(apr_pool_t *pool, const char *text)
{
    char *composed;
    const char *copy;

    if (is_ascii(text) || has_too_many_marks(text)) {
        return text;
    }
    composed = g_utf8_normalize(text, -1, G_NORMALIZE_NFC);
    copy = composed && strcmp(composed, text) != 0 ? apr_pstrdup(pool, composed) : text;
    g_free(composed);
    return copy;
}

/* White space beyond ASCII, as in Python's str.isspace. */
static const char *const spaces[] = {
    "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81",
    "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
    "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8",
    "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
};

static bool is_ascii_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static size_t space_at(const char *p)
{
    if (is_ascii_space((unsigned char)*p)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        if (strncmp(p, spaces[i], strlen(spaces[i])) == 0) {
            return strlen(spaces[i]);
        }
    }
    return 0;
}

static size_t space_before(const char *begin, const char *end)
{
    if (end > begin && is_ascii_space((unsigned char)end[-1])) {
        return 1;
    }
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t n = strlen(spaces[i]);

        if ((size_t)(end - begin) >= n && memcmp(end - n, spaces[i], n) == 0) {
            return n;
        }
    }
    return 0;
}

const char *iimg_text_trim(apr_pool_t *pool, const char *text)
{
    const char *end;
    size_t n;

    while (*text && (n = space_at(text)) > 0) {
        text += n;
    }
    end = text + strlen(text);
    while ((n = space_before(text, end)) > 0) {
        end -= n;
    }
    return *end ? apr_pstrmemdup(pool, text, (apr_size_t)(end - text)) : text;
}

apr_array_header_t *iimg_text_words(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *words = apr_array_make(pool, 4, sizeof(const char *));

    for (;;) {
        const char *begin;
        size_t n;

        while (*text && (n = space_at(text)) > 0) {
            text += n;
        }
        begin = text;
        while (*text && space_at(text) == 0) {
            text++;
        }
        if (text == begin) {
            return words;
        }
        APR_ARRAY_PUSH(words, const char *) = apr_pstrmemdup(pool, begin,
                                                             (apr_size_t)(text - begin));
    }
}

/* Control characters of ASCII and of ISO 6429 (C1). */
static bool is_control(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;

    return *u < 0x20 || *u == 0x7f || (u[0] == 0xc2 && u[1] >= 0x80 && u[1] <= 0x9f);
}

bool iimg_text_is_email(const char *text)
{
    const char *at = strchr(text, '@'), *domain;
    size_t n;

    if (!at || at == text || strchr(at + 1, '@')) {
        return false;
    }
    for (const char *p = text; *p; p++) {
        if (is_control(p) || space_at(p) || strchr("\"(),:;<>[\\]", *p)) {
            return false;
        }
    }
    domain = at + 1;
    n = strlen(domain);
    return n > 0 && domain[0] != '.' && domain[n - 1] != '.' && !strstr(domain, "..");
}

/* Find the name after the last slash and before the extension. A leading dot starts no extension.
 */
static void find_base_name(const char *filename, const char **begin, const char **end)
{
    const char *dot;

    for (const char *p = filename; *p; p++) {
        if (*p == '/' || *p == '\\') {
            filename = p + 1;
        }
    }
    dot = strrchr(filename, '.');
    *begin = filename;
    *end = dot && dot != filename ? dot : filename + strlen(filename);
}

#define SAFE_NAME_MAX 80

const char *iimg_text_safe_name(apr_pool_t *pool, const char *filename)
{
    char *out = apr_palloc(pool, SAFE_NAME_MAX + 1), *to = out;
    const char *p, *end;
    bool usable = false;

    find_base_name(filename ? filename : "", &p, &end);
    for (; p < end && to < out + SAFE_NAME_MAX; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
        bool safe = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';

        if (((unsigned char)c & 0xc0) == 0x80) {
            continue; /* one dash for each character, not for each byte */
        }
        usable = usable || (safe && c != '-');
        *to++ = safe ? c : '-';
    }
    *to = '\0';
    return usable ? out : "image";
}
