/* input_test.c - fields of JSON, forms and queries; parts of multipart bodies; the JSON writer. */
#include "base/input/input.h"
#include "base/json/json.h"
#include "base/input/multipart.h"
#include "tap.h"
#include "work.h"

#define FORM "multipart/form-data; boundary=xyz"
#define PART(name, more, body) \
    "--xyz\r\nContent-Disposition: form-data; name=\"" name "\"" more "\r\n\r\n" body "\r\n"

static apr_pool_t *pool;

static iimg_error_t *parse(const char *type, const char *body, size_t length, iimg_input_t **input)
{
    char *copy = malloc(length ? length : 1); /* no byte too many: ASan detects overruns */
    iimg_error_t *err;

    memcpy(copy, body, length);
    err = iimg_input_parse(pool, type, copy, length, input);
    apr_pool_cleanup_register(pool, copy, (apr_status_t(*)(void *))(void (*)(void))free,
                              apr_pool_cleanup_null);
    return err;
}

static const char *sentence(iimg_error_t *err)
{
    return err ? err->message : NULL;
}

static void choices(const iimg_input_t *input)
{
    static const char *const words[] = { "x", "yy", NULL };
    const char *text = "default";

    tap_is(sentence(iimg_input_choice(input, "none", words, &text)), NULL,
           "a choice may be absent");
    tap_is(text, "default", "an absent choice changes nothing");
    tap_is(sentence(iimg_input_choice(input, "n", words, &text)), NULL,
           "an allowed word is accepted");
    tap_ok(text == words[0], "the value is the word of the table");
    tap_is(sentence(iimg_input_choice(input, "s", words, &text)),
           "\"4\" is not a valid choice. Allowed: x, yy.",
           "another word is refused, with a list of the words");
    tap_is(sentence(iimg_input_choice(input, "i", words, &text)), "Not a valid string.",
           "a number is refused");
}

static void words_of(const char *type, const char *body, const char *want)
{
    iimg_input_t *input;
    apr_array_header_t *values;
    iimg_error_t *err = parse(type, body, strlen(body), &input);

    if (!err) {
        err = iimg_input_words(input, "w", 3, &values);
    }
    tap_is(err      ? err->message
           : values ? apr_array_pstrcat(pool, values, '|')
                    : "absent",
           want, "words of %s", body);
}

static void word_lists(void)
{
    words_of("application/json", "{}", "absent");
    words_of("application/json", "{\"w\":null}", "absent");
    words_of("application/json", "{\"w\":[]}", "");
    words_of("application/json", "{\"w\":[\"a\",\" b c \"]}", "a|b c");
    words_of("application/json", "{\"w\":[\"a\",\"b\",\"c\",\"d\"]}", "At most 3 items.");
    words_of("application/json", "{\"w\":[1]}", "Not a valid string.");
    words_of("application/json", "{\"w\":[\" \"]}", "This field may not be blank.");
    words_of("application/json", "{\"w\":[\"a\\u0000\"]}", "Null characters are not allowed.");
    words_of("application/json", "{\"w\":\"a\"}", "Expected a list of texts.");
    words_of("application/json", "{\"w\":{}}", "Expected a list of texts.");
    words_of("application/x-www-form-urlencoded", "w=a,%20b", "a|b");
    words_of("application/x-www-form-urlencoded", "w=", "");
    words_of("application/x-www-form-urlencoded", "w=a,b,c,d", "At most 3 items.");
}

static void json_fields(void)
{
    static const struct {
        const char *body, *sentence;
    } rows[] = {
        { "{", "JSON parse error" },
        { "[1]", "Invalid data. Expected a dictionary, but got list." },
        { "\"x\"", "Invalid data. Expected a dictionary, but got str." },
        { "null", "Invalid data. Expected a dictionary, but got NoneType." },
        { "{\"a\":1,\"a\":2}", "JSON parse error" },
        { "{\"a\":\"\\ud800\"}", "JSON parse error" },
        { "{\"a\":1e999}", "JSON parse error" },
        { "\xef\xbb\xbf{}", "JSON parse error" },
        { "{\"a\":\"\xff\"}", "JSON parse error" },
        { "{\"\\u0000\":1}", "JSON parse error" },
    };
    static const char good[] =
        "{\"n\":\"  x \",\"i\":3,\"s\":\"4\",\"t\":true,\"z\":null,\"nul\":\"a\\u0000b\",\"f\":1.5}";
    iimg_input_t *input;
    iimg_error_t *err;
    const char *text;
    long long number = -7;
    bool present, flag = false;
    char *deep = apr_palloc(pool, 20001);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        err = parse("application/json", rows[i].body, strlen(rows[i].body), &input);
        tap_ok(err && err->kind == IIMG_INVALID
                   && strncmp(err->message, rows[i].sentence, strlen(rows[i].sentence)) == 0,
               "JSON %zu is refused: %s", i + 1, rows[i].sentence);
    }
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    tap_ok(parse("application/json", deep, 20000, &input) != NULL,
           "ten thousand nested lists are refused");

    tap_is(sentence(parse("application/json; charset=utf-8", good, strlen(good), &input)), NULL,
           "an object is read");
    tap_is(sentence(iimg_input_text(input, "n", 10, &text)), NULL, "a text is read");
    tap_is(text, "x", "and trimmed");
    tap_is(sentence(iimg_input_text_raw(input, "n", 4, &text)), NULL, "a raw text is read");
    tap_is(text, "  x ", "a raw text is not trimmed");
    tap_is(sentence(iimg_input_text_raw(input, "n", 3, &text)),
           "Ensure this field has no more than 3 characters.", "white space counts for the length");
    tap_is(sentence(iimg_input_text_raw(input, "none", 3, &text)), NULL,
           "a raw text may be absent");
    tap_ok(text == NULL, "an absent raw text is NULL");
    tap_is(sentence(iimg_input_text_raw(input, "nul", 10, &text)),
           "Null characters are not allowed.", "a NUL in a raw text is refused");
    choices(input);
    tap_is(sentence(iimg_input_text(input, "none", 10, &text)), NULL, "a text may be absent");
    tap_ok(text == NULL, "but NULL");
    tap_is(sentence(iimg_input_text(input, "i", 10, &text)), "Not a valid string.",
           "a number is not a text");
    tap_is(sentence(iimg_input_text(input, "z", 10, &text)), "This field may not be null.",
           "null is not a text");
    tap_is(sentence(iimg_input_text(input, "nul", 10, &text)), "Null characters are not allowed.",
           "a NUL is refused");
    tap_is(sentence(iimg_input_integer(input, "i", &present, &number)), NULL, "an integer is read");
    tap_is_number(number, 3, "as it is");
    iimg_input_integer(input, "s", &present, &number);
    tap_is_number(number, 4, "a string of digits is an integer");
    tap_is(sentence(iimg_input_integer(input, "t", &present, &number)),
           "A valid integer is required.", "true is not an integer");
    tap_is(sentence(iimg_input_integer(input, "f", &present, &number)),
           "A valid integer is required.", "1.5 is not an integer");
    iimg_input_integer(input, "z", &present, &number);
    tap_ok(!present, "null is absent");
    iimg_input_bool(input, "t", &flag);
    tap_ok(flag, "true is true");
    tap_is(sentence(iimg_input_bool(input, "i", &flag)), "Must be a valid boolean.",
           "3 is not a boolean");
}

static void texts_of(const char *type, const char *body, const char *expected)
{
    iimg_input_t *input;
    apr_array_header_t *values;
    iimg_error_t *err = parse(type, body, strlen(body), &input);

    if (!err) {
        err = iimg_input_texts(input, "w", 3, 4, &values);
    }
    tap_is(err      ? err->message
           : values ? apr_array_pstrcat(pool, values, '|')
                    : "absent",
           expected, "texts of %s", body);
}

static void text_lists(void)
{
    texts_of("application/json", "{}", "absent");
    texts_of("application/json", "{\"w\":null}", "This field may not be null.");
    texts_of("application/json", "{\"w\":[]}", "");
    texts_of("application/json", "{\"w\":[\"a,b\",\" c d \"]}", "a,b|c d");
    texts_of("application/json", "{\"w\":[\"a\",\"b\",\"c\",\"d\"]}", "At most 3 items.");
    texts_of("application/json", "{\"w\":[\"a\",null]}", "Not a valid string.");
    texts_of("application/json", "{\"w\":[\" \"]}", "This field may not be blank.");
    texts_of("application/json", "{\"w\":[\"12345\"]}",
             "Ensure this field has no more than 4 characters.");
    texts_of("application/json", "{\"w\":[\"a\\u0000\"]}", "Null characters are not allowed.");
    texts_of("application/json", "{\"w\":\"a\"}", "Expected a list of texts.");
    texts_of("application/x-www-form-urlencoded", "w=a,b&x=1&w=c", "a,b|c");
    texts_of("application/x-www-form-urlencoded", "w=", "");
    texts_of("application/x-www-form-urlencoded", "w=a&w=", "This field may not be blank.");
    texts_of("application/x-www-form-urlencoded", "w=%ff", "Not a valid string.");
    texts_of("application/x-www-form-urlencoded", "w=a&w=b&w=c&w=d", "At most 3 items.");
}

static void given(void)
{
    static const char body[] =
        "{\"t\":\" x \",\"n\":null,\"b\":\" \",\"u\":\"00000000-0000-4000-8000-00000000000A\",\"yes\":true}";
    static const char *const there[] = { "t", "n", NULL }, *const not_there[] = { "t", "none", "z",
                                                                                  NULL };
    iimg_input_t *input;
    iimg_given_t text;
    iimg_given_bool_t flag;

    parse("application/json", body, strlen(body), &input);
    tap_is(sentence(iimg_input_require(input, there)), NULL,
           "a present field is not missing, even if null");
    tap_is(iimg_input_require(input, not_there)->field, "none", "the first absent field is named");
    tap_is(sentence(iimg_input_given(input, "none", 9, 0, &text)), NULL, "a member may be absent");
    tap_ok(!text.given, "an absent member is reported");
    iimg_input_given(input, "t", 9, 0, &text);
    tap_is(text.given ? text.value : NULL, "x", "a text is given");
    tap_is(sentence(iimg_input_given(input, "n", 9, 0, &text)), "This field may not be null.",
           "null is refused");
    tap_is(sentence(iimg_input_given(input, "n", 9, IIMG_MAY_BE_NULL, &text)), NULL,
           "null or blank is accepted if allowed");
    tap_ok(text.given && !text.value, "an accepted null is given, without a value");
    tap_is(sentence(iimg_input_given(input, "b", 9, IIMG_MAY_BE_NULL, &text)),
           "This field may not be blank.", "blank is refused");
    tap_is(sentence(iimg_input_given(input, "b", 9, IIMG_MAY_BE_BLANK, &text)), NULL,
           "null or blank is accepted if allowed");
    tap_is(sentence(iimg_input_given_uuid(input, "u", 0, &text)), NULL, "a UUID is read");
    tap_is(text.value, "00000000-0000-4000-8000-00000000000a", "a UUID is in lower case");
    tap_is(sentence(iimg_input_given_uuid(input, "n", 0, &text)), "This field may not be null.",
           "null is not a UUID");
    tap_is(sentence(iimg_input_given_uuid(input, "n", IIMG_MAY_BE_NULL, &text)), NULL,
           "null or blank is accepted if allowed");
    tap_is(sentence(iimg_input_given_bool(input, "yes", &flag)), NULL, "a boolean is read");
    tap_ok(flag.given && flag.value, "as it is");
    tap_is(sentence(iimg_input_given_bool(input, "n", &flag)), "This field may not be null.",
           "null is not a boolean");
    iimg_input_given_bool(input, "none", &flag);
    tap_ok(!flag.given, "a boolean may be absent");
}

static void urlencoded_fields(void)
{
    iimg_input_t *input;
    const char *text;
    bool flag = true;

    tap_is(sentence(parse("application/x-www-form-urlencoded", "name=a+b%20c%C3%A9&save=false&x",
                          31, &input)),
           NULL, "a form is read");
    iimg_input_text(input, "name", 20, &text);
    tap_is(text, "a b c\xc3\xa9", "plus and percent are decoded");
    iimg_input_bool(input, "save", &flag);
    tap_ok(!flag, "the word false is false");
    tap_ok(iimg_input_has(input, "x"), "a field without '=' is present");
    tap_is(sentence(parse("application/x-www-form-urlencoded", "n=%00", 5, &input)),
           "Null characters are not allowed.", "an escaped NUL is refused");
    tap_ok(parse("application/x-www-form-urlencoded", "n=%zz", 5, &input) != NULL,
           "a bad escape is refused");
    tap_is(sentence(parse("application/x-www-form-urlencoded", "n=%ff", 5, &input)), NULL,
           "bytes are decoded");
    tap_is(sentence(iimg_input_text(input, "n", 9, &text)), "Not a valid string.",
           "a text must be UTF-8");
    iimg_input_parse_query(pool, "user_id=1&user_id=2", &input);
    tap_is_number(iimg_input_count(input, "user_id"), 2, "fields are counted");
    tap_is(sentence(iimg_input_uuid(input, "user_id", &text)), "Give user_id once only.",
           "an id given twice is refused");
    tap_is(sentence(iimg_input_parse_query(pool, NULL, &input)), NULL, "a NULL query is empty");
}

static void types(void)
{
    iimg_input_t *input;
    iimg_error_t *err = parse("text/plain", "x", 1, &input);

    tap_ok(err && err->kind == IIMG_UNSUPPORTED_TYPE, "text/plain is refused");
    tap_is(sentence(err), "Unsupported media type \"text/plain\" in request.",
           "the message names text/plain");
    tap_is(sentence(parse("text/plain", "", 0, &input)), NULL, "an empty body may have any type");
    tap_ok(!iimg_input_has(input, "x"), "an empty body has no fields");
}

static void multipart_fields(void)
{
    static const char body[] = PART("name", "", "H\xc3\xa9llo")
        PART("image",
             "; filename=\"b\xc3\xbc"
             "d.jpg\"\r\nContent-Transfer-Encoding: base64",
             "\xff\xd8\r\n--xy\r\n\0\n\r\n") "--xyz--\r\n";
    iimg_input_t *input;
    const iimg_part_t *part;
    const char *text;

    tap_is(sentence(parse(FORM, body, sizeof(body) - 1, &input)), NULL, "a multipart form is read");
    iimg_input_text(input, "name", 10, &text);
    tap_is(text, "H\xc3\xa9llo", "its texts");
    iimg_input_file(input, "image", &part);
    tap_ok(part && part->length == 14
               && memcmp(part->data, "\xff\xd8\r\n--xy\r\n\0\n\r\n", 14) == 0,
           "files are read to the byte, whatever the Content-Transfer-Encoding");
    tap_is(part ? part->filename : NULL,
           "b\xc3\xbc"
           "d.jpg",
           "file names are read");
}

static void multipart_refused(void)
{
    static const struct {
        const char *type, *body, *what;
    } rows[] = {
        { "multipart/form-data", PART("a", "", "b") "--xyz--", "no boundary" },
        { FORM, "--abc\r\n\r\nx\r\n--abc--", "another boundary" },
        { FORM, PART("a", "", "b"), "no closing boundary" },
        { FORM, "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhalf",
          "a part cut short" },
        { FORM, "--xyz\r\nContent-Type: text/plain\r\n\r\nb\r\n--xyz--", "no Content-Disposition" },
        { FORM, "--xyz\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nb\r\n--xyz--",
          "another disposition" },
        { FORM, "--xyz\r\nContent-Disposition: form-data\r\n\r\nb\r\n--xyz--",
          "a part without a name" },
        { FORM,
          PART("a", "\r\nContent-Type: multipart/mixed; boundary=q",
               "--q\r\n\r\nx\r\n--q--") "--xyz--",
          "a multipart part" },
        { FORM, PART("a", "\r\nContent-Type: message/rfc822", "Subject: x\r\n\r\ny") "--xyz--",
          "a message part" },
        { FORM, PART("a", "\r\nContent-Type: message/http", "x") "--xyz--",
          "a part of a message type that GMime does not know" },
        { FORM, PART("a", "\r\nContent-Type: Message/External-Body", "x") "--xyz--",
          "a message part in another case" },
        { FORM, "--xyz\r", "a form cut in its first delimiter" },
        { FORM, "--xyz\r\nContent-Dispo", "a form cut in its first header" },
    };
    iimg_input_t *input;
    char *many = apr_palloc(pool, 2000000), *to = many;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_error_t *err = parse(rows[i].type, rows[i].body, strlen(rows[i].body), &input);

        tap_ok(err && err->kind == IIMG_INVALID
                   && strncmp(err->message, "Multipart form parse error - ", 29) == 0,
               "%s is refused: %s", rows[i].what, err ? err->message : "-");
    }
    for (int i = 0; i < 10000; i++) {
        to += sprintf(to, "--xyz\r\nContent-Disposition: form-data; name=\"%d\"\r\n\r\nx\r\n", i);
    }
    to += sprintf(to, "--xyz--\r\n");
    tap_ok(parse(FORM, many, (size_t)(to - many), &input) != NULL,
           "ten thousand parts are refused");
    to = many;
    for (int i = 0; i < 10000; i++) {
        to += sprintf(to, "--%s%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n",
                      i ? "b" : "xyz", i ? i - 1 : 0, i);
    }
    tap_ok(parse("multipart/form-data; boundary=xyz0", many, (size_t)(to - many), &input) != NULL,
           "ten thousand nested multiparts are refused");
    tap_is(sentence(parse(FORM, "--xyz--\r\n", 9, &input)), NULL,
           "a form without parts is accepted");
    tap_ok(parse(FORM,
                 PART("image", "; filename=\"a\"", "1")
                     PART("image", "; filename=\"b\"", "2") "--xyz--",
                 strlen(PART("image", "; filename=\"a\"", "1")
                            PART("image", "; filename=\"b\"", "2") "--xyz--"),
                 &input)
                   == NULL
               && iimg_input_file(input, "image", &(const iimg_part_t *){ NULL }) != NULL,
           "two files in one field are refused");
}

/* A file of so many bytes that are half boundaries, line ends and NULs, then a short part, then the
 * same file again; GMime sees the middle of none of them. */
static void multipart_large(size_t size, const char *boundary, unsigned state)
{
    static const char *const pieces[] = { "\r\n", "\n",     "\r",       "--", "-",   "x",
                                          "xx",   "\r\n--", "\r\n--xx", "a",  "\0\0" };
    const char *type = apr_psprintf(pool, "multipart/form-data; boundary=%s", boundary);
    const char *delimiter = apr_pstrcat(pool, "--", boundary, NULL);
    char *file = apr_palloc(pool, size + 8), *body = apr_palloc(pool, 2 * size + 1000), *to = body;
    const iimg_part_t *one = NULL, *other = NULL;
    iimg_input_t *input;
    const char *text = NULL, *said;
    char *found;

    for (size_t n = 0; n < size;) {
        const char *piece =
            pieces[(state = state * 1664525 + 1013904223) >> 16 & 0xff ? (state >> 24) % 11 : 9];
        size_t length = *piece ? strlen(piece) : 2;

        memcpy(file + n, piece, length);
        n += length;
    }
    while ((found = memmem(file, size, delimiter, strlen(delimiter))) != NULL) {
        found[2] = 'q';
    }
    for (int i = 0; i < 2; i++) {
        to += sprintf(
            to, "--%s\r\nContent-Disposition: form-data; name=\"f%d\"; filename=\"a\"\r\n\r\n",
            boundary, i);
        memcpy(to, file, size);
        to += size;
        to += sprintf(
            to, "\r\n%s",
            i ? ""
              : apr_psprintf(pool,
                             "--%s\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nshort\r\n",
                             boundary));
    }
    to += sprintf(to, "--%s--\r\n", boundary);
    said = sentence(parse(type, body, (size_t)(to - body), &input));
    if (!said) {
        iimg_input_file(input, "f0", &one);
        iimg_input_file(input, "f1", &other);
        iimg_input_text(input, "t", 10, &text);
    }
    tap_ok(!said && one && other && text && strcmp(text, "short") == 0 && one->length == size
               && other->length == size && memcmp(one->data, file, size) == 0
               && memcmp(other->data, file, size) == 0,
           "two files of %zu bytes come back to the byte from between %s: %s", size, delimiter,
           said ? said : "read");
}

static void multipart_sizes(void)
{
    static const size_t sizes[] = { 80000, 83967, 83968, 84000, 84100, 200001, 1000003 };

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        multipart_large(sizes[i], "xxxx", 1 + (unsigned)i);
        multipart_large(sizes[i], "--x", 100 + (unsigned)i);
        multipart_large(sizes[i],
                        "aLongBoundaryOfSeventyCharactersWhichIsJustAsManyAsRFC2046AllowsThere",
                        200 + (unsigned)i);
    }
}

/* A part whose headers have so many bytes and lines of such a length, and a file part behind it. */
static iimg_error_t *form_with_headers(size_t bytes, int width)
{
    static const char head[] = "--xyz\r\nContent-Disposition: form-data; name=\"a\"\r\n";
    static const char rest[] = "\r\n\r\nx\r\n" PART("b", "; filename=\"c\"",
                                                    "--xyz and more") "--xyz--";
    char *body = apr_palloc(pool, 20000), *to = body;
    iimg_input_t *input;

    to += sprintf(to, "%s", head);
    while (to < body + bytes - 4) { /* the headers end in CR LF CR LF */
        *to = (to - body) % width == 0 ? '\n' : 'X';
        to++;
    }
    to += sprintf(to, "%s", rest);
    return parse(FORM, body, (size_t)(to - body), &input);
}

static void multipart_headers(void)
{
    static const char refused[] =
        "Multipart form parse error - a part has more than 8192 bytes or 40 lines of headers";

    tap_is(sentence(form_with_headers(8191, 500)), NULL, "a part may have 8 kB of headers");
    tap_is(sentence(form_with_headers(8192, 500)), NULL, "its content is complete");
    tap_is(sentence(form_with_headers(8193, 500)), refused, "more is refused");
    tap_is(sentence(form_with_headers(15000, 500)), refused, "much more is refused");
    tap_is(sentence(form_with_headers(3800, 100)), NULL, "a part may have 40 lines of headers");
    tap_is(sentence(form_with_headers(3900, 100)), refused, "more is refused");
}

/* Any change of a good body gives an answer or an error, and never a byte read outside of it. */
static void mutations(void)
{
    static const char *const types_[] = { FORM, "application/json",
                                          "application/x-www-form-urlencoded" };
    static const char *const bodies[] = {
        PART("name", "", "hello") PART("image", "; filename=\"x.jpg\"\r\nContent-Type: image/jpeg",
                                       "\xff\xd8\xff\r\n\r\n") "--xyz--\r\n",
        "{\"name\":\"a\\u00e9\",\"order\":1,\"ids\":[\"00000000-0000-4000-8000-00000000000a\"],\"x\":{\"y\":[null,true]}}",
        "name=a%20b&order=1&user_id=00000000-0000-4000-8000-00000000000a",
    };
    apr_pool_t *outer = pool;
    unsigned int seed = 1;

    for (int i = 0; i < 30000; i++) {
        int which = i % 3;
        char body[1024];
        size_t length = strlen(bodies[which]);
        const iimg_part_t *part;
        apr_array_header_t *ids;
        iimg_input_t *input;
        const char *text;

        memcpy(body, bodies[which], length);
        for (int k = rand_r(&seed) % 4; k >= 0; k--) {
            body[(size_t)rand_r(&seed) % length] = (char)rand_r(&seed);
        }
        length -= (size_t)(rand_r(&seed) % 3 == 0 ? rand_r(&seed) % (int)length : 0);
        apr_pool_create(&pool, outer);
        if (!parse(types_[which], body, length, &input)) {
            iimg_input_text(input, "name", 255, &text);
            iimg_input_uuids(input, "ids", 5, &ids);
            iimg_input_file(input, "image", &part);
        }
        apr_pool_destroy(pool);
    }
    pool = outer;
    tap_ok(true, "30000 changed bodies were read or refused");
}

static void writing(void)
{
    iimg_json_t *out = iimg_json_create(pool, 1);

    iimg_json_object_open(out);
    iimg_json_member(out, "text", "a\"b\\c\n\x01\xc3\xa9/");
    iimg_json_key(out, "list");
    iimg_json_array_open(out);
    iimg_json_integer(out, -9223372036854775807LL - 1);
    iimg_json_bool(out, true);
    iimg_json_null(out);
    iimg_json_array_open(out);
    iimg_json_array_close(out);
    iimg_json_array_close(out);
    iimg_json_member(out, "nothing", NULL);
    iimg_json_key(out, "raw");
    iimg_json_raw(out, "{\"a\":1}");
    iimg_json_object_close(out);
    tap_is(
        apr_pstrmemdup(pool, out->text, out->length),
        "{\"text\":\"a\\\"b\\\\c\\n\\u0001\xc3\xa9/\",\"list\":[-9223372036854775808,true,null,[]],\"nothing\":null,\"raw\":{\"a\":1}}",
        "JSON is written with commas and escapes");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    pool = context->pool;
    iimg_multipart_start();
    json_fields();
    word_lists();
    text_lists();
    given();
    urlencoded_fields();
    types();
    multipart_fields();
    multipart_refused();
    multipart_headers();
    multipart_sizes();
    mutations();
    writing();
    work_end(context);
    return tap_done();
}
