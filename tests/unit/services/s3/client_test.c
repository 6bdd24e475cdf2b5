/* client_test.c - the client of S3 stores: addresses, retries, corrections, credentials, XML. */
#include <sys/stat.h>
#include <jansson.h>
#include "base/json/json.h"
#include "services/s3/address.h"
#include "services/s3/client.h"
#include "services/s3/xml.h"
#include "services/storage/storage.h"
#include "double.h"
#include "tap.h"
#include "work.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static double_t server;
static iimg_context_t *context;
static apr_pool_t *pool;

/* Addresses
 * ------------------------------------------------------------------------------------------ */

static const struct {
    const char *endpoint, *bucket, *region;
    iimg_s3_addressing_t addressing;
    const char *prefix, *key, *url;
} addresses[] = {
    { NULL, "b", "eu-west-1", IIMG_S3_AUTO, "", "k.jpg",
      "https://b.s3.eu-west-1.amazonaws.com/k.jpg" },
    { NULL, "b", "cn-north-1", IIMG_S3_AUTO, "", "k.jpg",
      "https://b.s3.cn-north-1.amazonaws.com.cn/k.jpg" },
    { NULL, "a.b", "r", IIMG_S3_AUTO, "", "k.jpg", "https://s3.r.amazonaws.com/a.b/k.jpg" },
    { NULL, "b", "r", IIMG_S3_PATH, "", "k.jpg", "https://s3.r.amazonaws.com/b/k.jpg" },
    { "https://s3.eu-west-1.amazonaws.com/", "b", "r", IIMG_S3_AUTO, "", "k",
      "https://b.s3.eu-west-1.amazonaws.com/k" },
    { "http://127.0.0.1:80", "b", "r", IIMG_S3_AUTO, "p/", "k", "http://127.0.0.1/b/p/k" },
    { "HTTPS://Store.Example:443/x/", "b", "r", IIMG_S3_AUTO, "", "k",
      "https://store.example/x/b/k" },
    { "https://store.example:8443", "b", "r", IIMG_S3_VIRTUAL, "", "k",
      "https://b.store.example:8443/k" },
    { "http://[::1]:9000", "b", "r", IIMG_S3_AUTO, "", "a b+c", "http://[::1]:9000/b/a%20b%2Bc" },
    { "http://127.0.0.1:9000", "b", "r", IIMG_S3_AUTO, "p/", "", "http://127.0.0.1:9000/b/" },
};

static void test_addresses(void)
{
    for (size_t i = 0; i < COUNT(addresses); i++) {
        iimg_s3_settings_t settings = {
            .endpoint = addresses[i].endpoint,
            .bucket = addresses[i].bucket,
            .addressing = addresses[i].addressing,
            .prefix = addresses[i].prefix,
        };
        iimg_s3_address_t address = iimg_s3_address(pool, &settings, addresses[i].region);

        tap_is(apr_pstrcat(pool, address.scheme, "://", address.host,
                           iimg_s3_address_path(pool, &settings, &address, addresses[i].key), NULL),
               addresses[i].url, "the address %s", addresses[i].url);
    }
}

static void test_checks(void)
{
    static const struct {
        const char *endpoint;
        bool allow_http, good;
    } rows[] = {
        { "https://store.example", false, true },
        { "http://store.example", false, false },
        { "http://store.example", true, true },
        { "http://127.0.0.1:9000", false, true },
        { "http://[::1]:9000", false, true },
        { "http://localhost", false, true },
        { "http://127.0.0.1.example", false, false },
        { "https://user:secret@store.example", false, false },
        { "https://store.example?x", false, false },
        { NULL, false, true },
    };
    iimg_s3_settings_t settings = { .bucket = NULL };

    tap_ok(iimg_s3_settings_check(pool, &settings) != NULL, "a bucket must be named");
    settings.bucket = "b";
    for (size_t i = 0; i < COUNT(rows); i++) {
        settings.endpoint = rows[i].endpoint;
        settings.allow_http = rows[i].allow_http;
        tap_ok((iimg_s3_settings_check(pool, &settings) == NULL) == rows[i].good, "%s is %s",
               rows[i].endpoint ? rows[i].endpoint : "AWS", rows[i].good ? "taken" : "refused");
    }
}

/* XML
 * -------------------------------------------------------------------------------------------------
 */

static const char *text_in(const char *xml, const char *name)
{
    return iimg_s3_xml_text(pool, xml, strlen(xml), name);
}

static void test_plain_page(void)
{
    static const char page[] =
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;1</NextContinuationToken>"
        "<Contents><Key>a</Key><Size>7</Size></Contents><Version><Key>b</Key></Version></ListBucketResult>";
    static const char endless[] =
        "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>";
    iimg_s3_page_t *read = iimg_s3_xml_page(pool, page, strlen(page));
    const iimg_s3_version_t *first = &APR_ARRAY_IDX(read->versions, 0, iimg_s3_version_t);

    tap_ok(read->plain && read->versions->nelts == 1, "a page of objects has objects alone");
    tap_ok(first->latest && !first->deleted && !first->id,
           "each is its latest version, without an id");
    tap_is(read->next_key, "t&1", "the next page begins at a token");
    tap_ok(iimg_s3_xml_page(pool, endless, strlen(endless)) == NULL,
           "a page that does not say where the next begins is none: half a listing is no listing");
}

/* A page of versions, by what it says of the next one. */
static const char *next_of(const char *says, const char *entries)
{
    const char *page = apr_pstrcat(pool, "<ListVersionsResult>", says, entries,
                                   "</ListVersionsResult>", NULL);
    const iimg_s3_page_t *read = iimg_s3_xml_page(pool, page, strlen(page));

    return !read ? "no page"
           : !read->next_key
               ? "the end"
               : apr_pstrcat(pool, read->next_key, " ", read->next_id ? read->next_id : "-", NULL);
}

static void test_next_page(void)
{
#define MORE "<IsTruncated>true</IsTruncated>"
#define TWO \
    "<Version><Key>a</Key><VersionId>1</VersionId></Version><DeleteMarker><Key>b</Key><VersionId>2</VersionId></DeleteMarker>"
    tap_is(next_of("", TWO), "the end", "a page that says nothing of more is the last one");
    tap_is(next_of("<IsTruncated>false</IsTruncated><NextKeyMarker>k</NextKeyMarker>", TWO),
           "the end", "so is one that says so");
    tap_is(next_of(MORE
                   "<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>",
                   TWO),
           "k v", "the next page begins where the store says");
    tap_is(next_of(MORE "<NextKeyMarker>k</NextKeyMarker>", TWO), "k -",
           "... without an id of another key");
    tap_is(next_of(MORE, TWO), "b 2", "... else behind the last entry");
    tap_is(next_of(MORE, ""), "no page", "a page of nothing that says that there is more is none");
}

static void test_xml(void)
{
    static const char page[] =
        "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<IsTruncated>true</IsTruncated><NextKeyMarker>b&amp;c</NextKeyMarker>"
        "<Version><Key>a</Key><VersionId>1</VersionId><IsLatest>false</IsLatest><Size>5000000000</Size>"
        "<LastModified>2026-01-31T12:00:01.123Z</LastModified></Version>"
        "<DeleteMarker><Key>b&amp;c</Key><VersionId>2</VersionId><IsLatest>true</IsLatest></DeleteMarker>"
        "<Version><Size>1</Size></Version></ListVersionsResult>";
    iimg_s3_page_t *read = iimg_s3_xml_page(pool, page, strlen(page));
    const iimg_s3_version_t *first = &APR_ARRAY_IDX(read->versions, 0, iimg_s3_version_t);
    const iimg_s3_version_t *second = &APR_ARRAY_IDX(read->versions, 1, iimg_s3_version_t);

    tap_is(text_in("<Error><Code>SlowDown</Code></Error>", "Code"), "SlowDown", "a code is found");
    tap_is(text_in("<Error><Code>Slow", "Code"), NULL, "half an answer has none");
    tap_is(text_in("<html><h1>502</h1></html>", "Code"), NULL, "nor has a page of a proxy");
    tap_is(text_in("", "Code"), NULL, "nor has nothing");
    tap_is(text_in("<!DOCTYPE x [<!ENTITY a \"aaaa\">]><E><Code>&a;</Code></E>", "Code"), NULL,
           "entities are not expanded");
    tap_is_number(read->versions->nelts, 2,
                  "a page has versions and markers; one without key is none");
    tap_is(first->key, "a", "the key of the first");
    tap_ok(!first->latest && !first->deleted && second->latest && second->deleted,
           "which are the latest and which are deleted");
    tap_ok(first->length == 5000000000LL, "its length");
    tap_is_number(apr_time_sec(first->modified), 1769860801, "its time");
    tap_is(read->next_key, "b&c", "where the next page begins");
    tap_ok(iimg_s3_xml_page(pool, "<ListPartsResult/>", 18) == NULL, "another answer is no page");
    test_plain_page();
    test_next_page();
}

/* Requests
 * -------------------------------------------------------------------------------------------- */

static iimg_s3_settings_t settings;

static iimg_s3_client_t *client_of(int timeout)
{
    const char *problem;
    iimg_s3_source_t *source;

    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "very secret", 1);
    setenv("AWS_SESSION_TOKEN", "a/token", 1);
    problem = iimg_s3_source_find(pool, NULL, false, &source);
    tap_is(problem, NULL, "credentials are in the environment");
    settings = (iimg_s3_settings_t){
        .endpoint = apr_psprintf(pool, "http://127.0.0.1:%d", server.port),
        .bucket = "bucket",
        .region = "us-east-1",
        .prefix = "",
        .source = source,
        .connect_timeout = 2,
        .timeout = timeout,
    };
    return iimg_s3_client_create(pool, &settings);
}

static json_t *record(const char *method)
{
    iimg_http_request_t request = {
        .method = method,
        .url = apr_psprintf(pool, "http://127.0.0.1:%d/__record", server.port),
        .allow_http = true,
        .connect_timeout = 2,
        .timeout = 10,
        .max_response = 1 << 20,
    };
    iimg_http_response_t *response = iimg_http_send(context, pool, &request);

    return iimg_json_own(pool, json_loadb(response->body, response->length, 0, NULL));
}

static iimg_s3_call_t get(const char *key)
{
    return (iimg_s3_call_t){ .method = "GET", .key = key, .max_response = 100000 };
}

/* @return the number of requests that it took */
static int attempts(iimg_s3_client_t *client, iimg_s3_call_t *call)
{
    record("DELETE");
    tap_ok(iimg_s3_send(context, client, call, 1) == NULL, "%s is sent", call->key);
    return (int)json_array_size(record("GET"));
}

/* libcurl itself tries again once when a kept connection turns out to be closed. */
#define AT_LEAST_3 -3

static void test_retries(iimg_s3_client_t *client)
{
    static const struct {
        const char *mood;
        int attempts;
        bool good;
    } rows[] = {
        { "plain/k", 1, true },
        { "fail:500:InternalError:1/k", 2, true },
        { "fail:503:SlowDown:2/k", 3, true },
        { "fail:502::1/k", 2, true },
        { "fail:500::1/k", 2, true },
        { "fail:500::3/k", 3, false },
        { "fail:501::1/k", 1, false },
        { "fail:409:OperationAborted:1/k", 2, true },
        { "fail:409:BucketNotEmpty:1/k", 1, false },
        { "fail:408:RequestTimeout:1/k", 2, true },
        { "fail:429:ThrottlingException:1/k", 2, true },
        { "fail:504::3/k", 3, false },
        { "fail:400:RequestTimeout:1/k", 2, true },
        { "reset:1/k", 2, true },
        { "reset:99/k", AT_LEAST_3, false },
        { "fail:403:AccessDenied:1/k", 1, false },
        { "fail:404:NoSuchKey:1/k", 1, false },
        { "fail:403:SignatureDoesNotMatch:1/k", 1, false },
        { "fail:307:TemporaryRedirect:1/k", 1, false },
        { "moved:eu-test-1/k", 2, true },
        { "malformed:us-east-1/k", 2, true },
        { "moved:../evil/k", 1, false },
        { "skewed:200000/k", 2, true },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        iimg_s3_call_t call = get(rows[i].mood);

        int took = attempts(client, &call);

        tap_ok(took == rows[i].attempts || (rows[i].attempts == AT_LEAST_3 && took >= 3),
               "%s takes %d attempts", rows[i].mood, took);
        tap_ok(iimg_s3_succeeded(&call) == rows[i].good, "%s ends as it should", rows[i].mood);
    }
    tap_is(iimg_s3_client_region(pool, client), "us-east-1",
           "the region that was told last is remembered");
    {
        iimg_s3_call_t call = get("skewed:200000/again");

        tap_is_number(attempts(client, &call), 1, "and so is the store's clock");
    }
    tap_ok(work_logged(context, "IIMG0202") != NULL, "of which a warning tells");
}

static void test_deadline(iimg_s3_client_t *client)
{
    iimg_s3_call_t call = get("fail:503:SlowDown:1:30/k");
    apr_time_t began = apr_time_now();
    iimg_error_t *err;

    tap_is_number(attempts(client, &call), 1,
                  "a Retry-After behind the deadline is not waited for");
    tap_ok(apr_time_now() - began < apr_time_from_sec(3), "not at all");
    err = iimg_s3_error(context, client, &call);
    tap_is_number(err->kind, IIMG_UNAVAILABLE, "it becomes a 503");
    tap_is_number(err->retry_after, 30, "with the store's Retry-After");
    tap_ok(strstr(err->detail, "503 SlowDown: as told") != NULL,
           "and the store's words for the log");
    call = get("fail:503:SlowDown:1:1/k");
    began = apr_time_now();
    tap_is_number(attempts(client, &call), 2, "a Retry-After before it is");
    tap_ok(apr_time_now() - began >= apr_time_from_sec(1), "for as long as it says");
}

static void test_standstill(iimg_s3_client_t *client)
{
    iimg_s3_call_t call = get("hang:1/k");

    tap_is_number(attempts(client, &call), 2,
                  "an attempt that stands still leaves time for another");
    tap_ok(iimg_s3_succeeded(&call), "which succeeds");
    call = get("hang:99/k");
    tap_ok(attempts(client, &call) <= -AT_LEAST_3 && !iimg_s3_succeeded(&call), "three are enough");
    tap_ok(strstr(call.response->problem, "no data transferred for 1000 ms") != NULL,
           "and the log will say why");
    tap_is_number(call.response->outcome, IIMG_HTTP_TIMED_OUT, "it is a timeout");
}

static void test_errors(iimg_s3_client_t *client)
{
    static const struct {
        const char *mood;
        int kind;
        const char *begins;
    } rows[] = {
        { "fail:404:NoSuchKey:1/e", IIMG_NOT_FOUND, "Not found." },
        { "fail:404:NoSuchBucket:1/e", IIMG_UNAVAILABLE, "The picture store is not available" },
        { "fail:403:AccessDenied:1/e", IIMG_UNAVAILABLE, "The picture store is not available" },
        { "fail:403:QuotaExceeded:1/e", IIMG_UNAVAILABLE, "The picture store is full." },
        { "fail:507::1/e", IIMG_UNAVAILABLE, "The picture store is full." },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        iimg_s3_call_t call = get(rows[i].mood);
        iimg_error_t *err;

        attempts(client, &call);
        err = iimg_s3_error(context, client, &call);
        tap_is_number(err->kind, rows[i].kind, "%s has its kind", rows[i].mood);
        tap_ok(strncmp(err->message, rows[i].begins, strlen(rows[i].begins)) == 0,
               "and its sentence");
    }
}

static const char *header(const json_t *entry, const char *name)
{
    return json_string_value(json_object_get(json_object_get(entry, "headers"), name));
}

/* Several at once, one of which must be sent twice: the others are not. */
static void test_together(iimg_s3_client_t *client)
{
    static const iimg_sigv4_field_t headers[] = { { "content-type", "image/jpeg" } };
    iimg_s3_call_t calls[4];
    json_t *entries, *entry;
    size_t i;

    for (i = 0; i < 4; i++) {
        calls[i] = (iimg_s3_call_t){
            .method = "PUT",
            .headers = headers,
            .header_count = 1,
            .data = "0123456789",
            .length = 10,
            .max_response = 1000,
            .key = i == 2 ? "fail:500:InternalError:1/p" : apr_psprintf(pool, "p/%d", (int)i),
        };
    }
    context->trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    record("DELETE");
    tap_ok(iimg_s3_send(context, client, calls, 4) == NULL, "four at once are sent");
    for (i = 0; i < 4; i++) {
        tap_ok(iimg_s3_succeeded(&calls[i]), "number %d arrived", (int)i + 1);
    }
    entries = record("GET");
    tap_is_number(json_array_size(entries), 5, "only the one that failed is sent again");
    json_array_foreach (entries, i, entry) {
        tap_is(header(entry, "x-amz-content-sha256"),
               json_string_value(json_object_get(entry, "sha256")), "the hash is that of the body");
        tap_ok(
            strstr(
                header(entry, "authorization"),
                "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, ")
                != NULL,
            "all that matters is signed");
        tap_is(header(entry, "traceparent"), context->trace, "the trace is sent along, unsigned");
        tap_is(header(entry, "content-length"), "10", "with a length");
        tap_is(header(entry, "transfer-encoding"), NULL, "and not chunked");
    }
    context->trace = NULL;
    tap_ok(work_logged(context, "very secret") == NULL
               && work_logged(context, "Credential=") == NULL,
           "neither secret key nor signature is in the log");
}

/* Listing
 * -----------------------------------------------------------------------------------------------
 */

static iimg_error_t *visit(iimg_context_t *visiting, void *baton, const iimg_listed_t *object)
{
    const char **seen = baton;

    *seen = apr_psprintf(visiting->pool, "%s%s %s %s%s %d %d\n", *seen, object->key,
                         object->version, object->latest ? "latest" : "old",
                         object->deleted ? " deleted" : "", (int)apr_time_sec(object->modified),
                         (int)object->length);
    return NULL;
}

static iimg_error_t *stop_at_once(iimg_context_t *visiting, void *baton,
                                  const iimg_listed_t *object)
{
    (void)object;
    ++*(int *)baton;
    return iimg_error(visiting->pool, IIMG_CONFLICT, "enough");
}

static void test_list(iimg_s3_client_t *client)
{
    iimg_storage_t storage = { &iimg_storage_s3, NULL, &settings, client };
    const char *seen = "";
    iimg_error_t *err;
    int visits = 0;

    settings.prefix = "team/a+b/";
    record("DELETE");
    tap_ok(!iimg_storage_s3.list(context, &storage, visit, &seen), "a bucket is listed");
    tap_is(
        seen,
        "media/00000000-0000-4000-8000-000000000001/a.jpg v1 latest 1769860801 7\n"
        "media/00000000-0000-4000-8000-000000000002/__sized__/b-thumbnail-100x100.jpg v3 latest deleted 1769860801 7\n"
        "media/00000000-0000-4000-8000-000000000002/__sized__/b-thumbnail-100x100.jpg v2 old 1769860801 7\n",
        "all pages, all versions, without the prefix; what others keep is not ours");
    tap_is_number(json_array_size(record("GET")), 2, "with one request a page");
    err = iimg_storage_s3.list(context, &storage, stop_at_once, &visits);
    tap_ok(err && err->kind == IIMG_CONFLICT && visits == 1,
           "an error of a visit ends the listing and is returned");
    record("DELETE");
    tap_ok(!iimg_storage_s3.purge(context, &storage, "media/x", "v+1"), "a version is purged");
    tap_is(json_string_value(json_object_get(json_array_get(record("GET"), 0), "url")),
           "/bucket/team/a%2Bb/media/x?versionId=v%2B1", "that one alone");
    settings.prefix = "";
}

/* TLS
 * -----------------------------------------------------------------------------------------------------
 */

static void test_tls(void)
{
    char pem[] = "/tmp/iimg-tls.XXXXXX";
    iimg_s3_client_t *client;
    iimg_s3_call_t call;
    char command[512];

    close(mkstemp(pem));
    snprintf(
        command, sizeof(command),
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=store"
        " -addext subjectAltName=IP:127.0.0.1 -keyout %s.key -out %s 2>/dev/null && cat %s.key >>%s"
        " && rm %s.key",
        pem, pem, pem, pem, pem);
    if (!tap_ok(system(command) == 0
                    && double_start(&server, "s3.mjs", "--tls", pem) == DOUBLE_RUNS,
                "a store with a certificate of its own starts")) {
        return;
    }
    client = client_of(2);
    settings.endpoint = apr_psprintf(pool, "https://127.0.0.1:%d", server.port);
    call = get("plain/k");
    tap_ok(!iimg_s3_send(context, client, &call, 1) && !iimg_s3_succeeded(&call)
               && call.response->outcome == IIMG_HTTP_CONNECT,
           "a certificate of a stranger is refused");
    settings.ca_file = pem;
    call = get("plain/k");
    tap_ok(!iimg_s3_send(context, client, &call, 1) && iimg_s3_succeeded(&call),
           "IdentityImgS3CAFile makes it a friend");
    settings.endpoint = apr_psprintf(pool, "https://localhost:%d", server.port);
    call = get("plain/k");
    tap_ok(!iimg_s3_send(context, client, &call, 1) && !iimg_s3_succeeded(&call),
           "but not under another name");
    double_stop(&server);
    unlink(pem);
}

/* Credentials
 * ------------------------------------------------------------------------------------------- */

static void without_environment(void)
{
    static const char *const names[] = {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "HOME",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        unsetenv(names[i]);
    }
}

static const char *found(const char *file, bool machine, iimg_sigv4_credentials_t *now)
{
    iimg_s3_source_t *source;
    const char *problem = iimg_s3_source_find(pool, file, machine, &source);
    iimg_error_t *err = problem ? NULL
                                : iimg_s3_credentials_get(
                                    context, iimg_s3_credentials_create(pool, source), now);

    return problem ? problem : err ? err->detail : "";
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void test_files(void)
{
    static const char text[] =
        "[other]\naws_access_key_id = O\naws_secret_access_key = S\n"
        "[default]\r\n# aws_access_key_id = X\r\naws_access_key_id=D\r\n  aws_secret_access_key =  T=1 \r\n";
    char path[] = "/tmp/iimg-credentials.XXXXXX";
    iimg_sigv4_credentials_t now = { NULL, NULL, NULL };

    close(mkstemp(path));
    without_environment();
    tap_ok(strstr(found(NULL, false, &now), "s3 needs credentials") != NULL,
           "no credentials: a sentence");
    write_file(path, text, 0600);
    tap_is(found(path, false, &now), "", "a file has credentials");
    tap_is(apr_pstrcat(pool, now.access_key, ":", now.secret_key, NULL), "D:T=1",
           "those of its default profile");
    setenv("AWS_PROFILE", "other", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    tap_is(found(NULL, false, &now), "", "the shared file is found");
    tap_is(now.access_key, "O", "AWS_PROFILE chooses another");
    setenv("AWS_PROFILE", "none", 1);
    tap_ok(strstr(found(path, false, &now), "has no aws_access_key_id") != NULL,
           "a profile that is not there: a sentence");
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "F", 1);
    tap_is(found(NULL, false, &now), "", "the environment comes before the shared file");
    tap_is(now.access_key, "E", "the environment has its own key");
    write_file(path, "aws_access_key_id=N\naws_secret_access_key=M\n", 0644);
    tap_ok(strstr(found(path, false, &now), "can be read by other users") != NULL,
           "a file that other users can read is refused");
    chmod(path, 0600);
    tap_is(found(path, false, &now), "",
           "lines before any profile belong to all; a named file comes first");
    tap_is(now.access_key, "N", "before the environment");
    unlink(path);
}

static void expire_in(int seconds)
{
    iimg_http_request_t request = {
        .method = "GET",
        .allow_http = true,
        .connect_timeout = 2,
        .timeout = 10,
        .max_response = 100,
        .url = apr_psprintf(pool, "http://127.0.0.1:%d/__expires/%d", server.port, seconds),
    };

    iimg_http_send(context, pool, &request);
}

/* The epoch, on which ETags depend. */
static void test_epoch(const iimg_s3_source_t *source)
{
    iimg_s3_client_t *client;
    apr_int64_t first;

    settings.source = source;
    client = iimg_s3_client_create(pool, &settings);
    first = iimg_s3_client_epoch(context, client);
    tap_ok(first > 0, "credentials that end have an epoch");
    tap_ok(iimg_s3_client_epoch(context, client) != first,
           "which changes when they are fetched anew");
}

static void test_machine(void)
{
    iimg_sigv4_credentials_t now = { NULL, NULL, NULL };
    iimg_s3_credentials_t *credentials;
    iimg_s3_source_t *source;

    record("DELETE");
    without_environment();
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT",
           apr_psprintf(pool, "http://127.0.0.1:%d", server.port), 1);
    tap_is(iimg_s3_source_find(pool, NULL, true, &source), NULL, "a virtual machine may be asked");
    credentials = iimg_s3_credentials_create(pool, source);
    tap_ok(!iimg_s3_credentials_get(context, credentials, &now), "it has credentials");
    tap_is(apr_pstrcat(pool, now.access_key, ":", now.session_token, NULL), "MACHINE1:to/ken",
           "with a token");
    tap_ok(!iimg_s3_credentials_get(context, credentials, &now), "asked again");
    tap_is(now.access_key, "MACHINE1", "it is not disturbed while they are good");
    expire_in(200);
    credentials = iimg_s3_credentials_create(pool, source);
    tap_ok(!iimg_s3_credentials_get(context, credentials, &now), "some that end in 200 seconds");
    tap_ok(!iimg_s3_credentials_get(context, credentials, &now), "are fetched anew at once");
    tap_is(now.access_key, "MACHINE3", "five minutes before their end");
    test_epoch(source);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI",
           apr_psprintf(pool, "http://127.0.0.1:%d/container", server.port), 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token", 1);
    tap_is(found(NULL, true, &now), "", "a container has credentials too");
    tap_is(now.access_key, "CONTAINER1", "which come first");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong", 1);
    tap_ok(strstr(found(NULL, true, &now), "status 403") != NULL, "a refusal is told");
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/", 1);
    tap_ok(strstr(found(NULL, true, &now), "neither https nor") != NULL,
           "no stranger is asked by plain http");
}

static void test_with_server(void)
{
    iimg_s3_client_t *client = client_of(10);

    tap_ok(iimg_s3_client_epoch(context, client) == 0, "credentials that stay have no epoch");
    test_retries(client);
    test_errors(client);
    tap_ok(iimg_s3_client_epoch(context, client) > 0,
           "what the store has told of itself begins an epoch");
    test_together(client_of(10));
    test_deadline(client_of(3));
    test_standstill(client_of(4));
    test_list(client_of(5));
    test_machine();
    tap_ok(double_stop(&server), "the double ends when its standard input closes");
    test_tls();
}

int main(void)
{
    context = work_begin();
    pool = context->pool;
    iimg_http_start();
    test_addresses();
    test_checks();
    test_xml();
    test_files();
    switch (double_start(&server, "s3.mjs", NULL, NULL)) {
    case DOUBLE_RUNS:
        test_with_server();
        break;
    case DOUBLE_NO_NODE:
        tap_ok(true, "requests # SKIP node is not installed");
        break;
    case DOUBLE_BROKEN:
        tap_ok(false, "the double starts");
        break;
    }
    work_end(context);
    return tap_done();
}
