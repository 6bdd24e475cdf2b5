/* sigv4_test.c - Signature Version 4 by AWS's published vectors: its test suite, and the examples
 * of the S3 documentation. */
#include <apr_date.h>
#include "services/s3/sigv4.h"
#include "tap.h"
#include "work.h"

#define MOST         6
#define EMPTY        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static apr_pool_t *pool;

typedef struct vector_t {
    const char *name, *method, *path;
    iimg_sigv4_field_t query[MOST], headers[MOST];
    const char *body, *signed_headers, *signature;
} vector_t;

static int count_of(const iimg_sigv4_field_t *fields)
{
    int count = 0;

    while (count < MOST && fields[count].name) {
        count++;
    }
    return count;
}

static iimg_sigv4_request_t request_of(const vector_t *vector)
{
    iimg_sigv4_request_t request = { vector->method,
                                     vector->path,
                                     vector->query,
                                     count_of(vector->query),
                                     vector->headers,
                                     count_of(vector->headers),
                                     iimg_sigv4_hash(pool, vector->body, strlen(vector->body)) };
    return request;
}

static void check(const vector_t *vector, const iimg_sigv4_key_t *key)
{
    iimg_sigv4_request_t request = request_of(vector);

    tap_is(iimg_sigv4_authorization(pool, key, &request),
           apr_psprintf(pool, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
                        key->credentials->access_key, key->scope, vector->signed_headers,
                        vector->signature),
           "%s", vector->name);
}

/* aws-sig-v4-test-suite --------------------------------------------------------------------------
 */

#define SUITE_HEADERS \
    { "Host", "example.amazonaws.com" }, \
    { \
        "X-Amz-Date", "20150830T123600Z" \
    }
#define TOKEN \
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeo" \
    "IYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9" \
    "HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4" \
    "rvx3iSIlTJabIQwj2ICCR/oLxBA=="
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static const vector_t suite[] = {
    { "get-vanilla",
      "GET",
      "/",
      { { NULL } },
      { SUITE_HEADERS },
      "",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31" },
    { "post-vanilla",
      "POST",
      "/",
      { { NULL } },
      { SUITE_HEADERS },
      "",
      "host;x-amz-date",
      "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b" },
    { "get-vanilla-query-order-key-case",
      "GET",
      "/",
      { { "Param2", "value2" }, { "Param1", "value1" } },
      { SUITE_HEADERS },
      "",
      "host;x-amz-date",
      "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500" },
    { "get-vanilla-query-unreserved",
      "GET",
      "/",
      { { UNRESERVED, UNRESERVED } },
      { SUITE_HEADERS },
      "",
      "host;x-amz-date",
      "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197" },
    { "get-header-key-duplicate",
      "GET",
      "/",
      { { NULL } },
      { SUITE_HEADERS,
        { "My-Header1", "value2" },
        { "My-Header1", "value2" },
        { "My-Header1", "value1" } },
      "",
      "host;my-header1;x-amz-date",
      "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea" },
    { "get-header-value-trim",
      "GET",
      "/",
      { { NULL } },
      { { "My-Header1", " value1" }, { "My-Header2", " \"a   b   c\"  " }, SUITE_HEADERS },
      "",
      "host;my-header1;my-header2;x-amz-date",
      "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736" },
    { "post-x-www-form-urlencoded",
      "POST",
      "/",
      { { NULL } },
      { { "Content-Type", "application/x-www-form-urlencoded" }, SUITE_HEADERS },
      "Param1=value1",
      "content-type;host;x-amz-date",
      "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a" },
    { "post-sts-header-before",
      "POST",
      "/",
      { { NULL } },
      { SUITE_HEADERS, { "X-Amz-Security-Token", TOKEN } },
      "",
      "host;x-amz-date;x-amz-security-token",
      "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead" },
};

static void test_suite(void)
{
    static const iimg_sigv4_credentials_t credentials = {
        "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL
    };
    const iimg_sigv4_key_t *key = iimg_sigv4_key(
        pool, &credentials, "us-east-1", "service",
        apr_date_parse_http("Sun, 30 Aug 2015 12:36:00 GMT"));
    vector_t unreserved = suite[0], utf8 = suite[0];

    tap_is(key->stamp, "20150830T123600Z", "a key knows its time");
    for (size_t i = 0; i < COUNT(suite); i++) {
        check(&suite[i], key);
    }
    unreserved.name = "get-unreserved";
    unreserved.path = iimg_sigv4_encode(pool, "/" UNRESERVED, true);
    unreserved.signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f";
    check(&unreserved, key);
    utf8.name = "get-utf8";
    utf8.path = iimg_sigv4_encode(pool, "/\xe1\x88\xb4", true);
    utf8.signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85";
    check(&utf8, key);
}

/* The S3 documentation ----------------------------------------------------------------------------
 */

#define S3_HOST \
    { \
        "Host", "examplebucket.s3.amazonaws.com" \
    }
#define S3_DATE \
    { \
        "x-amz-date", "20130524T000000Z" \
    }
#define S3_EMPTY \
    { \
        "x-amz-content-sha256", EMPTY \
    }
#define S3_SIGNED "host;x-amz-content-sha256;x-amz-date"

static const iimg_sigv4_credentials_t s3_credentials = { "AKIAIOSFODNN7EXAMPLE",
                                                         "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                                         NULL };

static iimg_sigv4_key_t *s3_key(const iimg_sigv4_credentials_t *credentials)
{
    return iimg_sigv4_key(pool, credentials, "us-east-1", "s3",
                          apr_date_parse_http("Fri, 24 May 2013 00:00:00 GMT"));
}

static const vector_t s3[] = {
    { "S3: GET Object, with a range",
      "GET",
      "/test.txt",
      { { NULL } },
      { S3_HOST, { "Range", "bytes=0-9" }, S3_EMPTY, S3_DATE },
      "",
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
    { "S3: PUT Object",
      "PUT",
      "/test%24file.text",
      { { NULL } },
      { { "Date", "Fri, 24 May 2013 00:00:00 GMT" },
        S3_HOST,
        S3_DATE,
        { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
        { "x-amz-content-sha256",
          "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" } },
      "Welcome to Amazon S3.",
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
    { "S3: GET Bucket lifecycle",
      "GET",
      "/",
      { { "lifecycle", "" } },
      { S3_HOST, S3_DATE, S3_EMPTY },
      "",
      S3_SIGNED,
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
    { "S3: list objects",
      "GET",
      "/",
      { { "max-keys", "2" }, { "prefix", "J" } },
      { S3_HOST, S3_DATE, S3_EMPTY },
      "",
      S3_SIGNED,
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

static const vector_t s3_get = { "", "GET", "/test.txt", { { NULL } }, { S3_HOST }, "", "", "" };

static void test_s3(void)
{
    iimg_sigv4_request_t get = request_of(&s3_get);
    const iimg_sigv4_key_t *key = s3_key(&s3_credentials);

    tap_is(iimg_sigv4_hash(pool, NULL, 0), EMPTY, "the hash of nothing");
    tap_is(iimg_sigv4_encode(pool, "/test$file.text", true), s3[1].path, "a key in a path");
    for (size_t i = 0; i < COUNT(s3); i++) {
        check(&s3[i], key);
    }
    get.payload = IIMG_SIGV4_UNSIGNED;
    tap_is(iimg_sigv4_presign(pool, key, &get, 86400),
           "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
           "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
           "X-Amz-SignedHeaders=host&X-Amz-Signature="
           "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
           "S3: presigned GET");
}

/* Cases that the vectors omit
 * ----------------------------------------------------------------------- */

static void test_presigned_more(void)
{
    static const iimg_sigv4_field_t download[] = { { "response-content-disposition",
                                                     "attachment; filename=\"a b+c.jpg\"" } };
    iimg_sigv4_credentials_t session = s3_credentials;
    iimg_sigv4_request_t get = request_of(&s3_get);
    const char *plain, *named;

    session.session_token = "to/ken+==";
    get.payload = IIMG_SIGV4_UNSIGNED;
    plain = iimg_sigv4_presign(pool, s3_key(&session), &get, 60);
    get.query = download;
    get.query_count = 1;
    named = iimg_sigv4_presign(pool, s3_key(&session), &get, 60);
    tap_ok(strstr(plain, "&X-Amz-Security-Token=to%2Fken%2B%3D%3D&") != NULL,
           "a session's token is in the address, encoded");
    tap_ok(strstr(named, "&response-content-disposition=attachment%3B%20filename%3D%22a%20b%2Bc.jpg"
                         "%22&X-Amz-Signature=")
               != NULL,
           "and so is a download's name");
    tap_ok(strcmp(strstr(plain, "X-Amz-Signature"), strstr(named, "X-Amz-Signature")) != 0,
           "which is signed");
}

static void test_encoding(void)
{
    static const iimg_sigv4_field_t fields[] = {
        { "b", "2" }, { "a", "x y" }, { "a", "!" }, { "a-b", "" }, { "A", "ä" },
    };
    char all[257];

    tap_is(iimg_sigv4_query(pool, fields, COUNT(fields)), "A=%C3%A4&a=%21&a=x%20y&a-b=&b=2",
           "a query is sorted by name and value, after it was encoded");
    tap_is(iimg_sigv4_query(pool, NULL, 0), "", "no query is an empty one");
    tap_is(iimg_sigv4_encode(pool, "a/b", false), "a%2Fb", "a slash in a query is encoded");
    for (int i = 0; i < 256; i++) {
        all[i] = (char)(i + 1);
    }
    all[255] = '\0';
    tap_is_number(strlen(iimg_sigv4_encode(pool, all, false)), 66 + 3 * (255 - 66),
                  "all bytes but the unreserved 66 are encoded");
}

static void test_odd_headers(void)
{
    const vector_t blank = { "a header of spaces is signed as an empty one",
                             "GET",
                             "/",
                             { { NULL } },
                             { S3_HOST, { "X", "   " } },
                             "",
                             "host;x",
                             NULL };
    vector_t empty = blank;
    iimg_sigv4_request_t a = request_of(&blank), b;

    empty.headers[1].value = "";
    b = request_of(&empty);
    tap_is(iimg_sigv4_authorization(pool, s3_key(&s3_credentials), &a),
           iimg_sigv4_authorization(pool, s3_key(&s3_credentials), &b), "%s", blank.name);
}

int main(void)
{
    iimg_context_t *context = work_begin();

    pool = context->pool;
    test_suite();
    test_s3();
    test_presigned_more();
    test_encoding();
    test_odd_headers();
    work_end(context);
    return tap_done();
}
