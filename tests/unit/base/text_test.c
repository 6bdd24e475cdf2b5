/* text_test.c - checks of text, UUIDs, times and media types. */
#include "base/media_type.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "base/uuid.h"
#include "tap.h"
#include "work.h"

static void utf8(void)
{
    static const struct {
        const char *text;
        bool valid;
        const char *what;
    } rows[] = {
        { "", true, "nothing" },
        { "abc", true, "ASCII" },
        { "Caf\xc3\xa9", true, "two bytes" },
        { "\xe6\xa8\xa1", true, "three bytes" },
        { "\xf0\x9f\x8e\xa8", true, "four bytes" },
        { "\xed\xa0\x80", false, "a surrogate" },
        { "\xc0\xaf", false, "an overlong slash" },
        { "\xe0\x80\xaf", false, "a longer overlong slash" },
        { "\xf4\x90\x80\x80", false, "beyond Unicode" },
        { "\xff", false, "a byte that never occurs" },
        { "\xc3", false, "half a character" },
        { "a\x80", false, "a stray continuation" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok(iimg_text_is_utf8(rows[i].text, strlen(rows[i].text)) == rows[i].valid,
               "%s is %sUTF-8", rows[i].what, rows[i].valid ? "" : "not ");
    }
    tap_is_number(iimg_text_characters("Caf\xc3\xa9 \xf0\x9f\x8e\xa8"), 6,
                  "characters are counted, not bytes");
}

static void trimming(apr_pool_t *pool)
{
    tap_is(iimg_text_trim(pool, "  a b\t\n"), "a b", "white space at both ends is removed");
    tap_is(iimg_text_trim(pool, "\xc2\xa0\xe3\x80\x80x\xe2\x80\x89"), "x",
           "Unicode white space is removed");
    tap_is(iimg_text_trim(pool, " \t "), "", "white space alone becomes empty");
    tap_is(iimg_text_trim(pool, "\xe2\x80\x8b"), "\xe2\x80\x8b",
           "a zero-width space is not white space");
}

static void safe_names(apr_pool_t *pool)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        { "Portrait.PNG", "portrait" },
        { "my photo (1).jpg", "my-photo--1-" },
        { "../../etc/passwd", "passwd" },
        { "C:\\fakepath\\me.jpeg", "me" },
        { "a.var.jpg", "a-var" },
        { "a.cgi", "a" },
        { ".htaccess", "-htaccess" },
        { "\xe6\xa8\xa1\xe7\xaf\x84.jpg", "image" },
        { "Caf\xc3\xa9.jpg", "caf-" },
        { "", "image" },
        { "...", "image" },
        { "under_score-dash.webp", "under_score-dash" },
        { "noextension", "noextension" },
        { "dir/", "image" },
    };
    char *longest = apr_palloc(pool, 301);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is(iimg_text_safe_name(pool, rows[i].from), rows[i].to, "\"%s\" becomes a safe name",
               rows[i].from);
    }
    tap_is(iimg_text_safe_name(pool, NULL), "image", "no name becomes \"image\"");
    memset(longest, 'x', 300);
    longest[300] = '\0';
    tap_is_number(strlen(iimg_text_safe_name(pool, longest)), 80,
                  "a name keeps at most 80 characters");
}

static void times(apr_pool_t *pool)
{
    tap_is(iimg_timestamp_format(pool, "2026-11-22 01:02:03+00"), "2026-11-22T01:02:03.000000Z",
           "whole seconds get six zeros");
    tap_is(iimg_timestamp_format(pool, "2026-11-22 01:02:03.4+00"), "2026-11-22T01:02:03.400000Z",
           "a tenth is padded");
    tap_is(iimg_timestamp_format(pool, "2026-11-22 01:02:03.123456+00"),
           "2026-11-22T01:02:03.123456Z", "microseconds stay");
    tap_is(iimg_timestamp_format(pool, NULL), NULL, "NULL stays NULL");
    tap_is(iimg_timestamp_format(pool, "infinity"), "infinity", "other text does not change");
}

static void uuids(apr_pool_t *pool)
{
    const char *made = iimg_uuid_create(pool);

    tap_is(iimg_uuid_parse(pool, "00000000-0000-4000-8000-00000000000A"),
           "00000000-0000-4000-8000-00000000000a", "both cases are read as lower case");
    tap_is(iimg_uuid_parse(pool, "00000000-0000-4000-8000-00000000000"), NULL,
           "a missing digit is refused");
    tap_is(iimg_uuid_parse(pool, "00000000-0000-4000-8000-00000000000g"), NULL, "g is not a digit");
    tap_is(iimg_uuid_parse(pool, "000000000000040008000000000000000000"), NULL,
           "misplaced dashes are refused");
    tap_is(iimg_uuid_parse(pool, NULL), NULL, "NULL is not a UUID");
    tap_is(iimg_uuid_parse(pool, made), made, "a created UUID is valid");
    tap_ok(made[14] == '4' && strchr("89ab", made[19]) != NULL, "a created UUID has version 4");
    tap_ok(strcmp(made, iimg_uuid_create(pool)) != 0, "two created UUIDs differ");
}

/* A container whose last compatible brand is avif. */
static const char *sniff_with_many_brands(int count)
{
    static unsigned char bytes[16 + 4 * 20000];

    memcpy(bytes, "\0\0\0\0ftypmif1\0\0\0", 16);
    for (int i = 0; i < count; i++) {
        memcpy(bytes + 16 + 4 * i, i + 1 == count ? "avif" : "miaf", 4);
    }
    return iimg_media_type_sniff(bytes, 16 + 4 * (size_t)count)->name;
}

static void media_types(void)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *name;
    } rows[] = {
        { "\xff\xd8\xff\xe0", 4, "JPEG" },
        { "\x89PNG\r\n\x1a\n", 8, "PNG" },
        { "GIF89a", 6, "GIF" },
        { "RIFF\0\0\0\0WEBPVP8 ", 16, "WebP" },
        { "\0\0\0\x18"
          "ftypheic",
          12, "HEIC" },
        { "\0\0\0\x18"
          "ftypavif",
          12, "AVIF" },
        { "\0\0\0\x18"
          "ftypmp42",
          12, "unknown" },
        { "\0\0\0\x1c"
          "ftypmif1\0\0\0\0avifmif1miaf",
          28, "AVIF" },
        { "\0\0\0\x1c"
          "ftypmif1\0\0\0\0miafmif1avif",
          28, "AVIF" },
        { "\0\0\0\x18"
          "ftypmif1\0\0\0\0mif1heic",
          24, "HEIC" },
        { "\0\0\0\x18"
          "ftypmif1\0\0\0\0mif1heix",
          24, "HEIC" },
        { "\0\0\0\x14"
          "ftypmif1\0\0\0\0mif1",
          20, "HEIC" },
        { "\0\0\0\x18"
          "ftypmiaf\0\0\0\0mif1avif",
          24, "AVIF" },
        { "\0\0\0\x18"
          "ftypMA1A\0\0\0\0mif1avif",
          24, "AVIF" },
        { "\0\0\0\x18"
          "ftypmiaf\0\0\0\0mif1miaf",
          24, "unknown" },
        { "\0\0\0\x18"
          "ftypmsf1\0\0\0\0iso8avis",
          24, "AVIF" },
        { "\0\0\0\x18"
          "ftypmsf1\0\0\0\0iso8hevc",
          24, "HEIC" },
        { "\0\0\0\x18"
          "ftypavis\0\0\0\0iso8heic",
          24, "AVIF" },
        { "\0\0\0\x18"
          "ftypheic\0\0\0\0avifmif1",
          24, "HEIC" },
        { "\0\0\0\x18"
          "ftypmp42\0\0\0\0avifmif1",
          24, "unknown" },
        { "\0\0\0\x18"
          "ftypqt  \0\0\0\0heicmif1",
          24, "unknown" },
        { "\0\0\0\x18"
          "ftypisom\0\0\0\0avifav01",
          24, "unknown" },
        { "\0\0\0\x14"
          "ftypmif1\0\0\0\0miafavif",
          24, "HEIC" }, /* behind the box */
        { "\0\0\0\x17"
          "ftypmif1\0\0\0\0miafavif",
          24, "HEIC" }, /* a brand cut short */
        { "\0\0\0\0"
          "ftypmif1\0\0\0\0miafavif",
          24, "AVIF" }, /* to the end of the file */
        { "\xff\xff\xff\xff"
          "ftypmif1\0\0\0\0miafavif",
          24, "AVIF" }, /* beyond it */
        { "\0\0\0\4"
          "ftypmif1\0\0\0\0miafavif",
          24, "HEIC" }, /* shorter than its head */
        { "\0\0\0\1"
          "ftyp\0\0\0\0\0\0\0\x1cmif1\0\0\0\0avif",
          28, "AVIF" },
        { "\0\0\0\1"
          "ftyp\xff\xff\xff\xff\0\0\0\0mif1\0\0\0\0avif",
          28, "AVIF" },
        { "\0\0\0\1"
          "ftyp\0\0\0\0",
          12, "unknown" },
        { "\0\0\0\1"
          "ftypavif",
          12, "unknown" },
        { "RIFF\0\0\0\0WAVE", 12, "unknown" },
        { "\x89PNG", 4, "unknown" },
        { "", 0, "unknown" },
    };
    static const struct {
        const char *bytes;
        size_t length;
        const char *words;
    } strangers[] = {
        { "", 0, "an empty file" },
        { "%PDF-1.7", 8, "a PDF document" },
        { "II*\0", 4, "a TIFF picture" },
        { "<?xml version=\"1.0\"?><svg xmlns=\"\">", 34, "an SVG drawing" },
        { "<!DOCTYPE html><p>", 18, "an HTML page" },
        { "hello", 5, "text" },
        { "\1\2\3", 3, "unknown data" },
        { "\0\0\0\x18"
          "ftypmp42",
          12, "a video or another ISO media file" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is(iimg_media_type_sniff(rows[i].bytes, rows[i].length)->name, rows[i].name,
               "magic bytes %zu are %s", i + 1, rows[i].name);
    }
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        tap_is(iimg_media_type_describe(strangers[i].bytes, strangers[i].length),
               strangers[i].words, "bytes are described as %s", strangers[i].words);
    }
    tap_is(sniff_with_many_brands(200), "AVIF", "a brand among hundreds is found");
    tap_is(sniff_with_many_brands(20000), "HEIC", "a brand behind thousands of others is ignored");
    tap_is(iimg_media_type_by_extension("png")->media_type, "image/png",
           "a known extension has its type");
    tap_ok(iimg_media_type_by_extension("php") == NULL, "an unknown extension has none");
}

static const char *joined(apr_pool_t *pool, const char *text)
{
    return apr_array_pstrcat(pool, iimg_text_words(pool, text), '|');
}

static void words(apr_pool_t *pool)
{
    tap_is(joined(pool, ""), "", "an empty text has no words");
    tap_is(joined(pool, " \t\xe3\x80\x80 "), "", "white space has no words");
    tap_is(joined(pool, "one"), "one", "a word is one");
    tap_is(joined(pool, "  one\ntwo\xc2\xa0\xe6\xa8\xa1\xe7\xaf\x84  "),
           "one|two|\xe6\xa8\xa1\xe7\xaf\x84", "white space of any kind separates words");
}

static void emails(void)
{
    static const char *const good[] = { "a@b", "alice@example.com", "o'brien+tag@mail.example",
                                        "m\xc3\xbcller@b\xc3\xbc"
                                        "cher.example" };
    static const char *const bad[] = {
        "",      "@",       "a",           "a@",          "@b",    "a@b@c",   "a b@c", "a@b c",
        "a\n@b", "a\x7f@b", "a\xc2\x85@b", "a\xc2\xa0@b", "a:b@c", "\"a\"@b", "<a@b>", "a,b@c",
        "a;b@c", "(a)@b",   "[a]@b",       "a\\@b",       "a@.b",  "a@b.",    "a@b..c"
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        tap_ok(iimg_text_is_email(good[i]), "valid email %zu is accepted", i + 1);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        tap_ok(!iimg_text_is_email(bad[i]), "invalid email %zu is refused", i + 1);
    }
}

/* The bytes of a code point by the definition, whether UTF-8 takes it or not. */
static int encode(unsigned long point, int length, char *to)
{
    static const unsigned char first[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };

    for (int i = length - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    to[0] = (char)(first[length] | point);
    return length;
}

/* All code points in each length up to the first that needs more bits. */
static void all_code_points(void)
{
    static const struct {
        unsigned long from, to;
        int length;
    } rows[] = {
        { 0, 0x7f, 1 },        { 0x80, 0x7ff, 2 },       { 0x800, 0xd7ff, 3 },
        { 0xe000, 0xffff, 3 }, { 0x10000, 0x10ffff, 4 },
    };

    for (int length = 1; length <= 4; length++) {
        static const unsigned long ends[] = { 0, 0x80, 0x800, 0x10000, 0x200000 };
        unsigned long wrong = 0;

        for (unsigned long point = 0; point < ends[length]; point++) {
            bool good = false;
            char bytes[4];

            for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                good = good
                       || (rows[i].length == length && point >= rows[i].from
                           && point <= rows[i].to);
            }
            encode(point, length, bytes);
            wrong += iimg_text_is_utf8(bytes, (apr_size_t)length) != good;
            wrong += length > 1 && iimg_text_is_utf8(bytes, (apr_size_t)length - 1);
        }
        tap_is_number(wrong, 0, "all sequences of %d bytes are checked as in RFC 3629", length);
    }
    for (int position = 1; position < 4; position++) {
        static const unsigned char thirds[] = { 0x7f, 0xc0 };

        for (int length = position + 1; length <= 4; length++) {
            for (size_t i = 0; i < 2; i++) {
                char bytes[4];

                encode(length == 2 ? 0x100 : length == 3 ? 0x2000 : 0x50000, length, bytes);
                bytes[position] = (char)thirds[i];
                tap_ok(!iimg_text_is_utf8(bytes, (apr_size_t)length), "0x%02x is no byte %d of %d",
                       thirds[i], position + 1, length);
            }
        }
    }
    tap_ok(!iimg_text_is_utf8("\x80", 1) && !iimg_text_is_utf8("\xc1\xbf", 2)
               && !iimg_text_is_utf8("\xf5\x80\x80\x80", 4),
           "bytes that start no sequence");
}

static void ascii_spaces(apr_pool_t *pool)
{
    for (int c = 1; c < 0x80; c++) {
        bool space = c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
        const char *text = apr_psprintf(pool, "%ca%c", c, c);
        bool control = c < 0x20 || c == 0x7f;

        tap_ok((strlen(iimg_text_trim(pool, text)) == 1) == space, "0x%02x is %s", c,
               space ? "white space" : "none");
        tap_ok(iimg_text_is_email(apr_psprintf(pool, "a%cb@c", c))
                   == !(space || control || strchr("\"(),:;<>@[\\]", c)),
               "0x%02x in an email", c);
    }
    tap_ok(!iimg_text_is_email("a\xc2\x80@b") && !iimg_text_is_email("a\xc2\x9f@b")
               && iimg_text_is_email("a\xc2\xa1@b") && iimg_text_is_email("a\xc3\x80@b"),
           "control characters beyond ASCII end at U+009F");
}

static void name_length(apr_pool_t *pool)
{
    for (int length = 79; length <= 81; length++) {
        char name[90] = "";

        memset(name, 'a', (size_t)length);
        tap_is_number(strlen(iimg_text_safe_name(pool, name)), length < 80 ? length : 80,
                      "a name of %d characters", length);
    }
    tap_is(iimg_text_safe_name(pool, "AZaz09_-@[`{/:.jpg"), "image", "a folder is not a name");
    tap_is(iimg_text_safe_name(pool, "AZaz09_-@[`{:;"), "azaz09_-------", "which characters stay");
    tap_is(iimg_text_safe_name(pool, ".jpg"), "-jpg", "a dot that leads");
    tap_is(iimg_text_safe_name(pool, "--"), "image", "dashes alone");
    tap_is(iimg_text_safe_name(pool, "_"), "_", "an underscore alone");
}

static void mark_limit(apr_pool_t *pool)
{
    for (int marks = 64; marks <= 65; marks++) {
        char text[200] = "e";

        for (int i = 0; i < marks; i++) {
            strcat(text, "\xcc\x81");
        }
        tap_ok((strncmp(iimg_text_nfc(pool, text), "\xc3\xa9", 2) == 0) == (marks == 64),
               "%d marks in a row are %s", marks, marks == 64 ? "composed" : "left alone");
        strcpy(text + 1 + 2 * 40, "x");
        for (int i = 0; i < 40; i++) {
            strcat(text, "\xcc\x81");
        }
        tap_ok(strncmp(iimg_text_nfc(pool, text), "\xc3\xa9", 2) == 0,
               "marks are counted for each letter");
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    utf8();
    trimming(context->pool);
    safe_names(context->pool);
    times(context->pool);
    uuids(context->pool);
    words(context->pool);
    emails();
    all_code_points();
    ascii_spaces(context->pool);
    name_length(context->pool);
    mark_limit(context->pool);
    media_types();
    work_end(context);
    return tap_done();
}
