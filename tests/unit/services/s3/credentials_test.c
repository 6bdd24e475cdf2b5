/* credentials_test.c - services/s3/credentials.c: where keys are found, what the machine is asked,
 * and when keys are renewed, by a clock of the test's own. */
#include <apr_time.h>
#include <sys/stat.h>
#include <unistd.h>

static apr_time_t keys_clock;

#define apr_time_now() keys_clock
#include "services/s3/credentials.c"
#undef apr_time_now

#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static char dir[] = "/tmp/iimg-keys.XXXXXX";

/* The machine's answers in turn, and what it was asked. */
static struct {
    const char *bodies[4];
    int status, count;
    iimg_http_outcome_t outcome;
    char asked[2048];
} machine;

iimg_http_response_t *iimg_http_send(iimg_context_t *of, apr_pool_t *pool,
                                     const iimg_http_request_t *request)
{
    iimg_http_response_t *response = apr_pcalloc(pool, sizeof(*response));
    size_t used = strlen(machine.asked);

    (void)of;
    apr_snprintf(machine.asked + used, sizeof(machine.asked) - used, "%s%s %s%s%s",
                 used ? "; " : "", request->method, request->url,
                 request->headers->nelts ? " " : "",
                 request->headers->nelts ? APR_ARRAY_IDX(request->headers, 0, const char *) : "");
    if (request->timeout != 1 || request->connect_timeout != 1 || !request->allow_http
        || request->max_response != 16384 || request->headers->nelts > 1) {
        strcat(machine.asked, " (unlimited)");
    }
    response->outcome = machine.outcome;
    response->problem = "the problem";
    response->status = machine.status;
    response->body = machine.count < 4 && machine.bodies[machine.count]
                         ? machine.bodies[machine.count]
                         : "";
    machine.count++;
    return response;
}

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "HOME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
};

static void clear(void)
{
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        unsetenv(variables[i]);
    }
    memset(&machine, 0, sizeof(machine));
    machine.status = 200;
}

static const char *put(const char *name, const char *text)
{
    const char *path = apr_pstrcat(context->pool, dir, "/", name, NULL);
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    chmod(path, 0600);
    return path;
}

static const char *shown(const iimg_s3_source_t *source)
{
    return apr_psprintf(context->pool, "%s %s %s",
                        source->fixed.access_key ? source->fixed.access_key : "-",
                        source->fixed.secret_key ? source->fixed.secret_key : "-",
                        source->fixed.session_token ? source->fixed.session_token : "-");
}

/* Files ---------------------------------------------------------------------------------------- */

static void test_files(void)
{
    static const struct {
        const char *profile, *text, *keys; /* NULL: refused */
        const char *what;
    } cases[] = {
        { NULL, "aws_access_key_id=a\naws_secret_access_key=s\n", "a s -", "no section" },
        { NULL,
          "[default]\n aws_access_key_id = a \r\n\taws_secret_access_key\t=\ts\t\n"
          "aws_session_token = t=u\n",
          "a s t=u", "blanks around names and values" },
        { NULL, "[other]\naws_access_key_id=x\naws_secret_access_key=y\n", NULL,
          "another section" },
        { "other",
          "[default]\naws_access_key_id=a\naws_secret_access_key=s\n[other]\n"
          "aws_access_key_id=x\naws_secret_access_key=y\n",
          "x y -", "the profile's section" },
        { "other", "[others]\naws_access_key_id=a\naws_secret_access_key=s\n", NULL,
          "a section with a longer name" },
        { "other", "[othe]\naws_access_key_id=a\naws_secret_access_key=s\n", NULL,
          "a section with a shorter name" },
        { "", "[default]\naws_access_key_id=a\naws_secret_access_key=s\n", "a s -",
          "an empty profile" },
        { NULL, "aws_access_key_id=a\n#aws_secret_access_key=s\n", NULL, "a comment" },
        { NULL, "aws_access_key_id=a\n;aws_secret_access_key=s\n", NULL, "another comment" },
        { NULL, "aws_access_key_id=a\naws_secret_access_key=\n", NULL, "an empty secret" },
        { NULL, "aws_access_key_id=\naws_secret_access_key=s\n", NULL, "an empty key" },
        { NULL, "aws_access_key_id=a\naws_secret_access_keys=s\n", NULL, "a longer name" },
        { NULL, "nonsense\naws_access_key_id=a\naws_secret_access_key=s", "a s -",
          "a line without a value" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_s3_source_t *source;
        const char *problem;

        clear();
        setenv("AWS_ACCESS_KEY_ID", "environment", 1);
        setenv("AWS_SECRET_ACCESS_KEY", "environment", 1);
        if (cases[i].profile) {
            setenv("AWS_PROFILE", cases[i].profile, 1);
        }
        problem = iimg_s3_source_find(context->pool, put("keys", cases[i].text), true, &source);
        tap_ok((problem == NULL) == (cases[i].keys != NULL), "%s: %s", cases[i].what,
               cases[i].keys ? "taken" : "refused");
        if (cases[i].keys) {
            tap_is(shown(source), cases[i].keys, "%s: its keys", cases[i].what);
            tap_ok(!iimg_s3_source_changes(source), "%s: keys of a file do not change",
                   cases[i].what);
        }
    }
}

static void test_environment(void)
{
    iimg_s3_source_t *source;
    const char *path = put("shared", "aws_access_key_id=f\naws_secret_access_key=g\n");

    clear();
    setenv("AWS_ACCESS_KEY_ID", "a", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    setenv("AWS_SESSION_TOKEN", "", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    tap_ok(!iimg_s3_source_find(context->pool, NULL, true, &source), "keys of the environment");
    tap_is(shown(source), "a s -", "the environment comes before the shared file");
    setenv("AWS_SESSION_TOKEN", "t", 1);
    (void)iimg_s3_source_find(context->pool, NULL, true, &source);
    tap_is(shown(source), "a s t", "keys of the environment with a token");
    setenv("AWS_SECRET_ACCESS_KEY", "", 1);
    tap_ok(!iimg_s3_source_find(context->pool, NULL, false, &source), "half of the environment");
    tap_is(shown(source), "f g -", "half of the environment: the shared file");
    unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    tap_ok(iimg_s3_source_find(context->pool, NULL, false, &source) != NULL, "no keys: refused");
    setenv("HOME", dir, 1);
    mkdir(apr_pstrcat(context->pool, dir, "/.aws", NULL), 0700);
    put(".aws/credentials", "aws_access_key_id=h\naws_secret_access_key=i\n");
    tap_ok(!iimg_s3_source_find(context->pool, NULL, false, &source), "a shared file at home");
    tap_is(shown(source), "h i -", "a shared file at home: its keys");
    setenv("HOME", "relative", 1);
    tap_ok(iimg_s3_source_find(context->pool, NULL, false, &source) != NULL,
           "a home that is no path has no file");
    tap_ok(!iimg_s3_source_find(context->pool, NULL, true, &source)
               && iimg_s3_source_changes(source),
           "no keys: the machine's");
}

static void test_containers(void)
{
    static const struct {
        const char *url;
        bool good;
    } cases[] = {
        { "http://127.0.0.1/x", true },       { "http://localhost:80/x", true },
        { "http://169.254.170.2/x", true },   { "http://169.254.170.23/x", true },
        { "https://elsewhere/x", true },      { "http://elsewhere/x", false },
        { "http://169.254.170.24/x", false }, { "nonsense", false },
        { "http://[::1]/x", true },           { "http://[fd00:ec2::23]/x", true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_s3_source_t *source;

        clear();
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", cases[i].url, 1);
        tap_ok((iimg_s3_source_find(context->pool, NULL, true, &source) == NULL) == cases[i].good,
               "a container's endpoint %s is %s", cases[i].url,
               cases[i].good ? "taken" : "refused");
    }
}

/* The machine ---------------------------------------------------------------------------------- */

#define KEYS(expiration) \
    "{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"s\", \"Token\": \"t\", \"Expiration\": \"" expiration \
    "\"}"
#define SOON  "2027-01-15T09:00:00Z"
#define LATER "2027-01-15T10:00:00Z"

static iimg_s3_credentials_t *credentials_of(bool container)
{
    iimg_s3_source_t *source;

    if (container) {
        setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/keys", 1);
    }
    (void)iimg_s3_source_find(context->pool, NULL, true, &source);
    return iimg_s3_credentials_create(context->pool, source);
}

static void test_machine(void)
{
    iimg_sigv4_credentials_t now = { NULL };

    clear();
    keys_clock = iimg_timestamp_parse("2027-01-15T08:00:00Z");
    machine.bodies[0] = "token\r\nmore";
    machine.bodies[1] = "role\nother";
    machine.bodies[2] = KEYS(SOON);
    tap_ok(!iimg_s3_credentials_get(context, credentials_of(false), &now), "a machine's keys");
    tap_is(
        apr_psprintf(context->pool, "%s %s %s", now.access_key, now.secret_key, now.session_token),
        "a s t", "a machine's keys with their token");
    tap_is(machine.asked,
           "PUT http://169.254.169.254/latest/api/token X-aws-ec2-metadata-token-ttl-seconds: 300; "
           "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/ "
           "X-aws-ec2-metadata-token: token; "
           "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/role "
           "X-aws-ec2-metadata-token: token",
           "a machine is asked for a token, its role, and the keys");
    for (int i = 0; i < 5; i++) {
        static const char *const answers[] = {
            "nonsense", "{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"s\"}",
            "{\"AccessKeyId\": \"a\", \"Expiration\": \"" SOON "\"}", KEYS("tomorrow"), KEYS(SOON)
        };
        iimg_error_t *err;

        clear();
        machine.bodies[2] = answers[i];
        machine.status = i == 4 ? 201 : 200;
        err = iimg_s3_credentials_get(context, credentials_of(false), &now);
        tap_is(err ? err->code : NULL, "store_down", "a machine's answer %d is refused", i + 1);
    }
    clear();
    machine.outcome = IIMG_HTTP_TIMED_OUT;
    tap_ok(iimg_s3_credentials_get(context, credentials_of(false), &now) != NULL
               && machine.count == 1,
           "a machine that does not answer is asked once");
}

static void test_container(void)
{
    iimg_sigv4_credentials_t now;

    clear();
    machine.bodies[0] = KEYS(SOON);
    tap_ok(!iimg_s3_credentials_get(context, credentials_of(true), &now), "a container's keys");
    tap_is(machine.asked, "GET http://169.254.170.2/keys", "a container is asked without a token");
    clear();
    machine.bodies[0] = KEYS(SOON);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "one\r\nX: y", 1);
    (void)iimg_s3_credentials_get(context, credentials_of(true), &now);
    tap_is(machine.asked, "GET http://169.254.170.2/keys Authorization: one",
           "a container is asked with a token of one line");
    clear();
    machine.bodies[0] = KEYS(SOON);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "one", 1);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", put("token", "two\n"), 1);
    (void)iimg_s3_credentials_get(context, credentials_of(true), &now);
    tap_is(machine.asked, "GET http://169.254.170.2/keys Authorization: two",
           "a token's file comes before its text");
    clear();
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere", 1);
    tap_ok(iimg_s3_credentials_get(context, credentials_of(true), &now) && !machine.count,
           "a token's file that is missing: nothing is asked");
}

static bool get(iimg_s3_credentials_t *credentials, const char *answer, apr_time_t time, int asked,
                const char *what)
{
    iimg_sigv4_credentials_t now;
    iimg_error_t *err;

    memset(&machine, 0, sizeof(machine));
    machine.status = answer ? 200 : 500;
    machine.bodies[0] = answer;
    keys_clock = time;
    work_log_clear(context);
    err = iimg_s3_credentials_get(context, credentials, &now);
    tap_is_number(machine.count, asked, "%s: the machine is asked", what);
    tap_ok(err || (strcmp(now.access_key, "a") == 0 && strcmp(now.session_token, "t") == 0),
           "%s: keys, or an error", what);
    return err == NULL;
}

static void test_renewal(void)
{
    apr_time_t end = iimg_timestamp_parse(SOON);
    iimg_s3_credentials_t *credentials;

    clear();
    credentials = credentials_of(true);
    tap_ok(!get(credentials, NULL, end - apr_time_from_sec(3600), 1, "no answer"),
           "no keys yet: an error");
    tap_ok(get(credentials, KEYS(SOON), end - apr_time_from_sec(3600), 1, "an hour before"),
           "keys are fetched at once");
    tap_ok(get(credentials, NULL, end - apr_time_from_sec(300) - 1, 0, "over 300 s before"),
           "keys are kept");
    tap_ok(get(credentials, NULL, end - apr_time_from_sec(300), 1, "300 s before, no answer"),
           "keys are kept while they are good");
    tap_ok(work_logged(context, "IIMG0201") != NULL, "keys that cannot be renewed: a warning");
    tap_ok(get(credentials, NULL, end - apr_time_from_sec(290) - 1, 0, "within 10 s"),
           "keys are not fetched again within 10 s");
    tap_ok(get(credentials, NULL, end - apr_time_from_sec(290), 1, "after 10 s"),
           "keys are fetched again after 10 s");
    tap_ok(get(credentials, NULL, end - 1, 1, "at the last moment"), "keys are good to their end");
    tap_ok(!get(credentials, NULL, end, 1, "at the end"), "keys that have ended: an error");
    tap_ok(get(credentials, KEYS(LATER), end, 1, "an answer again"), "new keys");
    tap_ok(get(credentials, NULL, end + 1, 0, "just renewed"), "new keys are kept");
    tap_ok(!work_logged(context, "IIMG0201"), "renewed keys: no warning");
    credentials->busy = true;
    tap_ok(get(credentials, NULL, iimg_timestamp_parse(LATER) - apr_time_from_sec(200), 0,
               "another thread fetches"),
           "keys that are still good are used meanwhile");
    tap_ok(!get(credentials, NULL, iimg_timestamp_parse(LATER), 1, "another thread fetches, ended"),
           "keys that have ended are fetched by each thread");
}

int main(void)
{
    context = work_begin();
    if (!tap_ok(mkdtemp(dir) != NULL, "a folder is made")) {
        return tap_done();
    }
    test_files();
    test_environment();
    test_containers();
    test_machine();
    test_container();
    test_renewal();
    unlink(apr_pstrcat(context->pool, dir, "/keys", NULL));
    unlink(apr_pstrcat(context->pool, dir, "/shared", NULL));
    unlink(apr_pstrcat(context->pool, dir, "/token", NULL));
    unlink(apr_pstrcat(context->pool, dir, "/.aws/credentials", NULL));
    rmdir(apr_pstrcat(context->pool, dir, "/.aws", NULL));
    rmdir(dir);
    work_end(context);
    return tap_done();
}
