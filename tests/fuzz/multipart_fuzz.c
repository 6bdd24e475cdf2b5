/* multipart_fuzz.c - the first line is the Content-Type and the rest the body; then the input is a
 * file in a valid form, which must be read byte by byte. */
#include "fields.h"

#define BOUNDARY "form-of-the-fuzzer"
#define TYPE     "multipart/form-data; boundary=" BOUNDARY
#define HEAD \
    "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"image\"; " \
    "filename=\"a.b\"\r\n\r\n"
#define LARGE 90000
#define TAIL  "\r\n--" BOUNDARY "--\r\n"

void fuzz_start(apr_pool_t *pool)
{
    (void)pool;
    iimg_multipart_start();
}

static void strange_form(apr_pool_t *pool, const char *data, size_t length)
{
    const char *end = memchr(data, '\n', length);
    size_t line = end ? (size_t)(end - data) : length;
    char *type = fuzz_text(pool, data, line);
    iimg_input_t *input;
    iimg_error_t *err;

    type[strcspn(type, "\r")] = '\0'; /* httpd allows no CR, LF or NUL in headers */
    err = iimg_input_parse(pool,
                           apr_pstrcat(pool, "multipart/form-data", *type ? ";" : "", type, NULL),
                           end ? end + 1 : "", end ? length - line - 1 : 0, &input);
    fuzz_claim_refusal(err);
    if (!err) {
        fields_read(pool, input);
    }
}

static void good_form(apr_pool_t *pool, const char *data, size_t length)
{
    size_t whole = strlen(HEAD) + length + strlen(TAIL);
    char *body = apr_palloc(pool, whole);
    const iimg_part_t *part;
    iimg_input_t *input;

    memcpy(body, HEAD, strlen(HEAD));
    memcpy(body + strlen(HEAD), data, length);
    memcpy(body + strlen(HEAD) + length, TAIL, strlen(TAIL));
    fuzz_claim(!iimg_input_parse(pool, TYPE, body, whole, &input), "a valid form is accepted");
    fuzz_claim(!iimg_input_file(input, "image", &part) && part, "its file is found");
    fuzz_claim(part->length == length && memcmp(part->data, data, length) == 0,
               "a file of %zu bytes is read unchanged, not as %zu", length, (size_t)part->length);
}

/* As the repeated content of a large file. */
static void large_form(apr_pool_t *pool, const char *data, size_t length)
{
    size_t size = LARGE + length;
    char *file = apr_palloc(pool, size);

    for (size_t i = 0; i < size; i++) {
        file[i] = data[i % length];
    }
    if (!memmem(file, size, "--" BOUNDARY, strlen("--" BOUNDARY))) {
        good_form(pool, file, size);
    }
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    if (length == 0) {
        return;
    }
    strange_form(pool, data, length);
    if (!memmem(data, length, "--" BOUNDARY, strlen("--" BOUNDARY))) {
        good_form(pool, data, length);
    }
    if (data[0] % 8 == 0) {
        large_form(pool, data, length);
    }
}
