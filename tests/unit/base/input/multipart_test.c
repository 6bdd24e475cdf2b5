/* multipart_test.c - base/input/multipart.c: limits of a form, each at the limit and one beyond,
 * with small and large parts; lines that resemble delimiters. */
#include "base/input/multipart.h"
#include "tap.h"
#include "work.h"

#define BOUNDARY "form"
#define TYPE     "multipart/form-data; boundary=" BOUNDARY
#define LARGE    100000

static iimg_error_t *parse(apr_pool_t *pool, const char *body, apr_array_header_t **parts)
{
    return iimg_multipart_parse(pool, TYPE, body, strlen(body), parts);
}

/* COUNT parts f0, f1 ... of SIZE bytes each, distinguished by their first byte. */
static const char *form_of(apr_pool_t *pool, int count, size_t size)
{
    char *body = apr_palloc(pool, (size_t)count * (size + 100) + 100), *to = body;

    for (int i = 0; i < count; i++) {
        to += sprintf(to, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"f%d\"\r\n\r\n",
                      i);
        memset(to, 'x', size);
        *to = (char)('!' + i % 90);
        to += size;
        to += sprintf(to, "\r\n");
    }
    sprintf(to, "--" BOUNDARY "--\r\n");
    return body;
}

static bool are_whole(apr_pool_t *pool, const apr_array_header_t *parts, size_t size)
{
    for (int i = 0; i < parts->nelts; i++) {
        const iimg_part_t *part = &APR_ARRAY_IDX(parts, i, iimg_part_t);

        if (strcmp(part->name, apr_psprintf(pool, "f%d", i)) != 0 || part->length != size
            || part->data[0] != '!' + i % 90 || part->data[size - 1] != 'x') {
            return false;
        }
    }
    return true;
}

static void test_part_limit(apr_pool_t *pool)
{
    static const size_t sizes[] = { 2, 1000, LARGE };
    apr_array_header_t *parts;
    iimg_error_t *err;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        err = parse(pool, form_of(pool, IIMG_MULTIPART_MAX_PARTS, sizes[i]), &parts);
        tap_ok(!err, "100 parts of %lu bytes are accepted", (unsigned long)sizes[i]);
        tap_is_number(err ? 0 : parts->nelts, 100, "all 100 parts are found");
        tap_ok(!err && are_whole(pool, parts, sizes[i]), "each part has its name and its bytes");
        err = parse(pool, form_of(pool, IIMG_MULTIPART_MAX_PARTS + 1, sizes[i]), &parts);
        tap_is(err ? err->message : "", "Multipart form parse error - more than 100 parts",
               "101 parts of %lu bytes are refused", (unsigned long)sizes[i]);
        tap_is(err ? err->code : "", "parse_error", "the refusal has its code");
    }
}

/* A form with one part whose headers, with the delimiter in front and the empty line behind, have
 * BYTES bytes; LINES of them with the delimiter, without the empty line. */
static const char *headers_of(apr_pool_t *pool, int bytes, int lines)
{
    const char *disposition = "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"f\"\r\n";
    char *head = apr_pcalloc(pool, (size_t)bytes + 1), *to = head;
    int filler;

    to += sprintf(to, "%s", disposition);
    for (int i = 3; i < lines; i++) {
        to += sprintf(to, "X-%d: y\r\n", i);
    }
    to += sprintf(to, "X: ");
    filler = bytes - (int)(to - head) - 4; /* two line ends behind it */
    memset(to, 'z', (size_t)filler);
    strcpy(to + filler, "\r\n\r\n");
    return apr_pstrcat(pool, head, "value\r\n--" BOUNDARY "--\r\n", NULL);
}

static void test_header_limits(apr_pool_t *pool)
{
    static const char
        *const sentence = "Multipart form parse error - a part has more than 8192 bytes "
                          "or 40 lines of headers";
    static const struct {
        int bytes, lines;
        bool accepted;
    } cases[] = {
        { 1000, 2, true },
        { IIMG_MULTIPART_MAX_HEADERS, 2, true },
        { IIMG_MULTIPART_MAX_HEADERS + 1, 2, false },
        { 4000, IIMG_MULTIPART_MAX_HEADER_LINES, true },
        { 4000, IIMG_MULTIPART_MAX_HEADER_LINES + 1, false },
    };
    apr_array_header_t *parts;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_error_t *err = parse(pool, headers_of(pool, cases[i].bytes, cases[i].lines), &parts);

        tap_is(err ? err->message : NULL, cases[i].accepted ? NULL : sentence,
               "headers of %d bytes in %d lines are %s", cases[i].bytes, cases[i].lines,
               cases[i].accepted ? "accepted" : "refused");
        tap_ok(err || APR_ARRAY_IDX(parts, 0, iimg_part_t).length == 5, "the part is whole");
    }
}

/* Bodies and the content of their first part, or the reason of the refusal. */
static void test_delimiters(apr_pool_t *pool)
{
#define HEAD "Content-Disposition: form-data; name=\"f\"\r\n"
    static const struct {
        const char *title, *body, *content, *refusal;
    } cases[] = {
        { "a preamble and an epilogue", "x\r\n--form\r\n" HEAD "\r\na\r\n--form--\r\n--form\r\nb",
          "a" },
        { "line feeds alone", "--form\nContent-Disposition: form-data; name=f\n\na\n--form--",
          "a" },
        { "blanks behind the boundary", "--form \t\r\n" HEAD "\r\na\r\n--form-- \r\n", "a" },
        { "an empty part", "--form\r\n" HEAD "\r\n\r\n--form--", "" },
        { "an empty part without its line break", "--form\r\n" HEAD "\r\n--form--", "" },
        { "a part of a line break", "--form\r\n" HEAD "\r\n\r\n\r\n--form--", "\r\n" },
        { "a longer boundary in a part", "--form\r\n" HEAD "\r\na\r\n--formx\r\n--form--",
          "a\r\n--formx" },
        { "a boundary within a line", "--form\r\n" HEAD "\r\na --form\r\n--form--", "a --form" },
        { "text behind the closing delimiter", "--form\r\n" HEAD "\r\na\r\n--form--x", NULL,
          "the body is cut short" },
        { "no closing delimiter", "--form\r\n" HEAD "\r\na\r\n--form\r\n", NULL,
          "the body is cut short" },
        { "no delimiter", "x", NULL, "the body holds no boundary" },
        { "two delimiters in a row", "--form\r\n--form--", NULL,
          "a part has no usable Content-Disposition" },
        { "no headers", "--form\r\n\r\na\r\n--form--", NULL,
          "a part has no usable Content-Disposition" },
        { "no empty line", "--form\r\n" HEAD "--form--", NULL,
          "a part has no usable Content-Disposition" },
        { "an attachment", "--form\r\nContent-Disposition: attachment; name=f\r\n\r\na\r\n--form--",
          NULL, "a part has no usable Content-Disposition" },
        { "no name", "--form\r\nContent-Disposition: form-data\r\n\r\na\r\n--form--", NULL,
          "a part has no usable Content-Disposition" },
        { "a multipart in a part",
          "--form\r\n" HEAD
          "Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n\r\n--y--\r\n--form--",
          NULL, "a part is itself a multipart or a message" },
        { "a message in a part",
          "--form\r\n" HEAD "Content-Type: message/rfc822\r\n\r\na\r\n--form--", NULL,
          "a part is itself a multipart or a message" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        apr_array_header_t *parts;
        iimg_error_t *err = parse(pool, cases[i].body, &parts);
        const iimg_part_t *part = err ? NULL : &APR_ARRAY_IDX(parts, 0, iimg_part_t);

        tap_is(part ? apr_pstrmemdup(pool, part->data, part->length) : NULL, cases[i].content,
               "the content of a form with %s", cases[i].title);
        tap_is(err ? err->message : NULL,
               cases[i].refusal
                   ? apr_pstrcat(pool, "Multipart form parse error - ", cases[i].refusal, NULL)
                   : NULL,
               "whether a form with %s is refused", cases[i].title);
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    iimg_multipart_start();
    test_delimiters(context->pool);
    test_part_limit(context->pool);
    test_header_limits(context->pool);
    work_end(context);
    return tap_done();
}
