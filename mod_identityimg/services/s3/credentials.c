/* credentials.c - credentials for an S3 store, from files, the environment or the machine. */
#include "services/s3/credentials.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_uri.h>
#include "base/http/http.h"
#include "base/json/json.h"
#include "base/log.h"
#include "base/private_file.h"
#include "base/timestamp.h"

struct iimg_s3_source_t {
    iimg_sigv4_credentials_t fixed;   /* access_key NULL: from the machine */
    const char *container_url;        /* NULL: no container's endpoint */
    const char *container_token;      /* for its Authorization header; NULL: none */
    const char *container_token_file; /* read each time; NULL: none */
    const char *machine_url;          /* base of the virtual machine's endpoint */
};

#define EARLY      apr_time_from_sec(300) /* time before expiry at which they are renewed */
#define PAUSE      apr_time_from_sec(10)  /* after a failure, while the old ones are valid */
#define SECONDS    1                      /* timeout of a request to the machine */
#define MAX_ANSWER 16384

/* Files ---------------------------------------------------------------------------------------- */

static char *trimmed(char *text)
{
    char *end = text + strlen(text);

    text += strspn(text, " \t\r");
    while (end > text && strchr(" \t\r", end[-1])) {
        *--end = '\0';
    }
    return text;
}

static void take_line(char *line, iimg_sigv4_credentials_t *found)
{
    const struct {
        const char *name;
        const char **value;
    } slots[] = {
        { "aws_access_key_id", &found->access_key },
        { "aws_secret_access_key", &found->secret_key },
        { "aws_session_token", &found->session_token },
    };
    char *equals = strchr(line, '=');

    if (!equals) {
        return;
    }
    *equals = '\0';
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
        if (strcmp(trimmed(line), slots[i].name) == 0) {
            *slots[i].value = trimmed(equals + 1);
        }
    }
}

/* "[profile]" starts a section. Lines before the first section belong to every profile. */
static void parse(char *text, const char *profile, iimg_sigv4_credentials_t *found)
{
    bool ours = true;
    char *state = NULL;

    for (char *line = apr_strtok(text, "\n", &state); line; line = apr_strtok(NULL, "\n", &state)) {
        line = trimmed(line);
        if (*line == '[') {
            size_t n = strcspn(line + 1, "]");

            ours = n == strlen(profile) && strncmp(line + 1, profile, n) == 0;
        }
        else if (ours && *line != '#' && *line != ';') {
            take_line(line, found);
        }
    }
}

static bool is_whole(const iimg_sigv4_credentials_t *found)
{
    return found->access_key && *found->access_key && found->secret_key && *found->secret_key;
}

static const char *profile_name(void)
{
    const char *profile = getenv("AWS_PROFILE");

    return profile && *profile ? profile : "default";
}

/* @return NULL, or the problem, to follow the file's name */
static const char *read_file(apr_pool_t *pool, const char *path, iimg_sigv4_credentials_t *found)
{
    const char *text, *problem = iimg_private_file_read(pool, path, &text);

    if (problem) {
        return problem;
    }
    parse(apr_pstrdup(pool, text), profile_name(), found);
    return is_whole(found) ? NULL
                           : apr_psprintf(pool,
                                          "has no aws_access_key_id and "
                                          "aws_secret_access_key for the profile \"%s\"",
                                          profile_name());
}

/* @return whether the file exists */
static bool find_shared_file(apr_pool_t *pool, const char **path)
{
    const char *home = getenv("HOME");
    apr_finfo_t info;

    *path = getenv("AWS_SHARED_CREDENTIALS_FILE");
    if (!*path && home && *home == '/') {
        *path = apr_pstrcat(pool, home, "/.aws/credentials", NULL);
    }
    return *path && apr_stat(&info, *path, APR_FINFO_TYPE, pool) == APR_SUCCESS;
}

/* The source ----------------------------------------------------------------------------------- */

static void read_environment(apr_pool_t *pool, iimg_sigv4_credentials_t *found)
{
    const char *access_key = getenv("AWS_ACCESS_KEY_ID"), *token = getenv("AWS_SESSION_TOKEN");
    const char *secret_key = getenv("AWS_SECRET_ACCESS_KEY");

    found->access_key = apr_pstrdup(pool, access_key);
    found->secret_key = apr_pstrdup(pool, secret_key);
    found->session_token = token && *token ? apr_pstrdup(pool, token) : NULL;
}

/* Plain http is allowed only to the addresses of container endpoints, since the response is secret.
 */
static bool is_container_url(apr_pool_t *pool, const char *url)
{
    static const char *const hosts[] = { "127.0.0.1",     "localhost",      "::1",
                                         "169.254.170.2", "169.254.170.23", "fd00:ec2::23" };
    apr_uri_t uri;

    if (apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname) {
        return false;
    }
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (strcmp(uri.hostname, hosts[i]) == 0) {
            return true;
        }
    }
    return strcmp(uri.scheme, "https") == 0;
}

static const char *find_machine(apr_pool_t *pool, iimg_s3_source_t *source)
{
    const char *path = getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *machine = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");

    source->container_url = path && *path ? apr_pstrcat(pool, "http://169.254.170.2", path, NULL)
                                          : getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (source->container_url && !*source->container_url) {
        source->container_url = NULL;
    }
    source->container_token = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    source->container_token_file = getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    source->machine_url = machine && *machine ? machine : "http://169.254.169.254";
    return source->container_url && !is_container_url(pool, source->container_url)
               ? "IdentityImgS3MachineCredentials: AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https "
                 "nor the address of a container's endpoint"
               : NULL;
}

const char *iimg_s3_source_find(apr_pool_t *pool, const char *file, bool machine,
                                iimg_s3_source_t **found)
{
    iimg_s3_source_t *source = apr_pcalloc(pool, sizeof(*source));
    const char *path = file, *problem;

    *found = source;
    if (!file) {
        read_environment(pool, &source->fixed);
        if (is_whole(&source->fixed)) {
            return NULL;
        }
        source->fixed = (iimg_sigv4_credentials_t){ NULL, NULL, NULL };
    }
    if (file || find_shared_file(pool, &path)) {
        problem = read_file(pool, path, &source->fixed);
        return problem
                   ? apr_psprintf(pool, "IdentityImgS3CredentialsFile: \"%s\" %s", path, problem)
                   : NULL;
    }
    if (!machine) {
        return "IdentityImgStorage: s3 needs credentials, from IdentityImgS3CredentialsFile, from "
               "the environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from "
               "~/.aws/credentials, or, with IdentityImgS3MachineCredentials on, from the machine";
    }
    return find_machine(pool, source);
}

bool iimg_s3_source_changes(const iimg_s3_source_t *source)
{
    return source->fixed.access_key == NULL;
}

/* Requests to the machine ---------------------------------------------------------------------- */

struct iimg_s3_credentials_t {
    const iimg_s3_source_t *source;
    apr_thread_mutex_t *lock;         /* guards the members below */
    iimg_sigv4_credentials_t fetched; /* texts from malloc; access_key NULL: none yet */
    apr_time_t expires;
    apr_time_t again; /* the earliest next attempt to fetch */
    bool busy;        /* a thread is fetching */
};

static iimg_error_t *make_error(iimg_context_t *context, const char *url, const char *problem)
{
    return iimg_error_with_detail(
        context->pool, IIMG_UNAVAILABLE, "store_down",
        "The picture store is not available at the moment. Nothing was changed.",
        "no credentials from %s: %s", url, problem);
}

static iimg_error_t *ask(iimg_context_t *context, const char *method, const char *url,
                         const char *header, const char **answer)
{
    apr_array_header_t *headers = apr_array_make(context->pool, 1, sizeof(const char *));
    iimg_http_request_t request = {
        .method = method,
        .url = url,
        .headers = headers,
        .allow_http = true,
        .connect_timeout = SECONDS,
        .timeout = SECONDS,
        .max_response = MAX_ANSWER,
    };
    iimg_http_response_t *response;

    if (header) {
        APR_ARRAY_PUSH(headers, const char *) = header;
    }
    response = iimg_http_send(context, context->pool, &request);
    *answer = response->body;
    if (response->outcome != IIMG_HTTP_OK) {
        return make_error(context, url, response->problem);
    }
    return response->status == 200
               ? NULL
               : make_error(context, url,
                            apr_psprintf(context->pool, "status %d", response->status));
}

static iimg_error_t *ask_container(iimg_context_t *context, const iimg_s3_source_t *source,
                                   const char **answer)
{
    const char *token = source->container_token, *problem = NULL;
    char *line;

    if (source->container_token_file) {
        problem = iimg_public_file_read(context->pool, source->container_token_file, &token);
    }
    if (problem) {
        return make_error(context, source->container_token_file, problem);
    }
    line = token ? apr_pstrcat(context->pool, "Authorization: ", token, NULL) : NULL;
    if (line) {
        line[strcspn(line, "\r\n")] = '\0';
    }
    return ask(context, "GET", source->container_url, line, answer);
}

/* IMDSv2 requires a token, which forwarded requests cannot get. */
static iimg_error_t *ask_machine(iimg_context_t *context, const iimg_s3_source_t *source,
                                 const char **answer)
{
    const char *token, *role, *header;
    const char *roles = apr_pstrcat(context->pool, source->machine_url,
                                    "/latest/meta-data/iam/security-credentials/", NULL);
    iimg_error_t *err = ask(
        context, "PUT", apr_pstrcat(context->pool, source->machine_url, "/latest/api/token", NULL),
        "X-aws-ec2-metadata-token-ttl-seconds: 300", &token);

    if (err) {
        return err;
    }
    header = apr_psprintf(context->pool, "X-aws-ec2-metadata-token: %.*s",
                          (int)strcspn(token, "\r\n"), token);
    err = ask(context, "GET", roles, header, &role);
    if (err) {
        return err;
    }
    role = apr_pstrmemdup(context->pool, role, strcspn(role, "\r\n"));
    return ask(context, "GET", apr_pstrcat(context->pool, roles, role, NULL), header, answer);
}

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static iimg_error_t *fetch(iimg_context_t *context, const iimg_s3_source_t *source,
                           iimg_sigv4_credentials_t *fetched, apr_time_t *expires)
{
    const char *url = source->container_url ? source->container_url : source->machine_url;
    const char *answer = NULL;
    iimg_error_t *err = source->container_url ? ask_container(context, source, &answer)
                                              : ask_machine(context, source, &answer);
    json_t *json;

    if (err) {
        return err;
    }
    json = iimg_json_own(context->pool, json_loads(answer, 0, NULL));
    fetched->access_key = member(json, "AccessKeyId");
    fetched->secret_key = member(json, "SecretAccessKey");
    fetched->session_token = member(json, "Token");
    *expires = iimg_timestamp_parse(member(json, "Expiration"));
    return is_whole(fetched) && *expires
               ? NULL
               : make_error(context, url, "its response has no credentials");
}

/* Current credentials -------------------------------------------------------------------------- */

static void forget(iimg_sigv4_credentials_t *texts)
{
    free((char *)texts->access_key);
    free((char *)texts->secret_key);
    free((char *)texts->session_token);
    memset(texts, 0, sizeof(*texts));
}

static apr_status_t forget_fetched(void *credentials)
{
    forget(&((iimg_s3_credentials_t *)credentials)->fetched);
    return APR_SUCCESS;
}

iimg_s3_credentials_t *iimg_s3_credentials_create(apr_pool_t *pool, const iimg_s3_source_t *source)
{
    iimg_s3_credentials_t *credentials = apr_pcalloc(pool, sizeof(*credentials));

    credentials->source = source;
    if (apr_thread_mutex_create(&credentials->lock, APR_THREAD_MUTEX_DEFAULT, pool)
        != APR_SUCCESS) {
        return NULL;
    }
    apr_pool_cleanup_register(pool, credentials, forget_fetched, apr_pool_cleanup_null);
    return credentials;
}

static iimg_sigv4_credentials_t copied(apr_pool_t *pool, const iimg_sigv4_credentials_t *from)
{
    return (iimg_sigv4_credentials_t){ apr_pstrdup(pool, from->access_key),
                                       apr_pstrdup(pool, from->secret_key),
                                       apr_pstrdup(pool, from->session_token) };
}

/* With the lock held. @return whether the current ones are usable; if not, the caller must fetch */
static bool use_old(iimg_s3_credentials_t *credentials, apr_time_t time)
{
    bool good = credentials->fetched.access_key && time < credentials->expires;

    if (good
        && (time < credentials->expires - EARLY || credentials->busy
            || time < credentials->again)) {
        return true;
    }
    credentials->busy = true;
    return false;
}

/* With the lock held. @return whether there are any */
static bool keep(iimg_s3_credentials_t *credentials, const iimg_sigv4_credentials_t *fetched,
                 apr_time_t expires, apr_time_t time)
{
    credentials->busy = false;
    if (!fetched) {
        credentials->again = time + PAUSE;
        return credentials->fetched.access_key && time < credentials->expires;
    }
    forget(&credentials->fetched);
    credentials->fetched.access_key = strdup(fetched->access_key);
    credentials->fetched.secret_key = strdup(fetched->secret_key);
    credentials->fetched.session_token = fetched->session_token ? strdup(fetched->session_token)
                                                                : NULL;
    credentials->expires = expires;
    credentials->again = 0;
    return true;
}

static iimg_error_t *renew(iimg_context_t *context, iimg_s3_credentials_t *credentials,
                           iimg_sigv4_credentials_t *now)
{
    iimg_sigv4_credentials_t fetched;
    apr_time_t expires = 0;
    iimg_error_t *err = fetch(context, credentials->source, &fetched, &expires);

    apr_thread_mutex_lock(credentials->lock);
    if (keep(credentials, err ? NULL : &fetched, expires, apr_time_now())) {
        *now = copied(context->pool, &credentials->fetched);
        if (err) {
            iimg_log(
                context, IIMG_LOG_WARNING,
                "IIMG0201: cannot renew the picture store's credentials, which expire soon: %s; "
                "check the machine's role",
                err->detail);
        }
        err = NULL;
    }
    apr_thread_mutex_unlock(credentials->lock);
    return err;
}

iimg_error_t *iimg_s3_credentials_get(iimg_context_t *context, iimg_s3_credentials_t *credentials,
                                      iimg_sigv4_credentials_t *now)
{
    bool old;

    if (credentials->source->fixed.access_key) {
        *now = credentials->source->fixed;
        return NULL;
    }
    apr_thread_mutex_lock(credentials->lock);
    old = use_old(credentials, apr_time_now());
    if (old) {
        *now = copied(context->pool, &credentials->fetched);
    }
    apr_thread_mutex_unlock(credentials->lock);
    return old ? NULL : renew(context, credentials, now);
}
