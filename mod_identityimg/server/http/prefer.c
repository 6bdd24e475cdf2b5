/* prefer.c - reads the header Prefer. */
#include "server/http/prefer.h"

#include <string.h>
#include <strings.h>

typedef struct piece_t {
    const char *text;
    size_t length;
} piece_t;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static piece_t trim(piece_t piece)
{
    while (piece.length > 0 && is_blank(piece.text[0])) {
        piece.text++;
        piece.length--;
    }
    while (piece.length > 0 && is_blank(piece.text[piece.length - 1])) {
        piece.length--;
    }
    return piece;
}

/* Up to a separator that does not stand in a quoted string. @return what is behind it */
static const char *split(const char *text, size_t length, char separator, piece_t *piece)
{
    const char *end = text + length, *p = text;
    bool quoted = false;

    for (; p < end && (quoted || *p != separator); p++) {
        if (*p == '"') {
            quoted = !quoted;
        }
        else if (quoted && *p == '\\' && p + 1 < end) {
            p++;
        }
    }
    *piece = trim((piece_t){ text, (size_t)(p - text) });
    return p < end ? p + 1 : end;
}

static bool is_word(piece_t piece, const char *word)
{
    return piece.length == strlen(word) && strncasecmp(piece.text, word, piece.length) == 0;
}

/* Digits, perhaps in quotes. @return -1: no number */
static int read_seconds(piece_t value)
{
    int seconds = 0;

    if (value.length >= 2 && value.text[0] == '"' && value.text[value.length - 1] == '"') {
        value = trim((piece_t){ value.text + 1, value.length - 2 });
    }
    if (value.length == 0) {
        return -1;
    }
    for (size_t i = 0; i < value.length; i++) {
        if (value.text[i] < '0' || value.text[i] > '9') {
            return -1;
        }
        seconds = seconds * 10 + (value.text[i] - '0');
        seconds = seconds < IIMG_PREFER_MOST ? seconds : IIMG_PREFER_MOST;
    }
    return seconds;
}

/* name [BWS "=" BWS value] *( OWS ";" parameter ); parameters say nothing that we know. */
static void read_one(piece_t preference, iimg_prefer_t *prefer)
{
    piece_t plain, name, value;
    const char *rest;

    split(preference.text, preference.length, ';', &plain);
    rest = split(plain.text, plain.length, '=', &name);
    value = trim((piece_t){ rest, (size_t)(plain.text + plain.length - rest) });
    if (is_word(name, "respond-async")) {
        prefer->respond_async = true;
    }
    else if (is_word(name, "wait") && prefer->wait < 0) {
        prefer->wait = read_seconds(value);
    }
}

void iimg_prefer_parse(const char *text, iimg_prefer_t *prefer)
{
    const char *end = text ? text + strlen(text) : NULL;

    *prefer = (iimg_prefer_t){ false, -1 };
    while (text && text < end) {
        piece_t preference;

        text = split(text, (size_t)(end - text), ',', &preference);
        read_one(preference, prefer);
    }
}
