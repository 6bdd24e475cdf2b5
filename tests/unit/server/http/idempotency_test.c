/* idempotency_test.c - server/http/idempotency.c: keys, fingerprints, and which errors are final.
 */
#include "server/http/idempotency.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_input_t *body;
static const iimg_caller_t *ann, *bob;

/* Results and calls of the stubs. */
static struct {
    iimg_error_t *input_error, *begin_error;
    const iimg_idempotency_outcome_t *outcome;
    iimg_idempotency_key_t key;
    int lease, begun, kept, released, spoiled, status;
    apr_interval_time_t wait;
    const char *code;
} world;

iimg_error_t *iimg_request_input(iimg_request_t *req, iimg_input_t **input)
{
    (void)req;
    *input = body;
    return world.input_error;
}

int iimg_respond_status(const iimg_error_t *err)
{
    return 400 + (int)err->kind;
}

const char *iimg_respond_code(const iimg_error_t *err)
{
    return err->code ? err->code : "kind";
}

iimg_error_t *iimg_idempotency_begin(iimg_context_t *of, const iimg_idempotency_key_t *key,
                                     int lease, apr_interval_time_t wait,
                                     const iimg_idempotency_outcome_t **replay)
{
    (void)of;
    world.begun++;
    world.key = *key;
    world.lease = lease;
    world.wait = wait;
    *replay = world.outcome;
    return world.begin_error;
}

void iimg_idempotency_record_error(iimg_context_t *of, int status, const iimg_error_t *err)
{
    (void)of;
    world.kept++;
    world.status = status;
    world.code = err->code;
}

void iimg_idempotency_release(iimg_context_t *of)
{
    (void)of;
    world.released++;
}

void iimg_idempotency_spoil(iimg_context_t *of, const iimg_error_t *cause)
{
    (void)of, (void)cause;
    world.spoiled++;
}

static iimg_request_t *request_with(const char *key)
{
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    memset(&world, 0, sizeof(world));
    r->pool = context->pool;
    r->method = "POST";
    r->uri = (char *)"/api/v1/x/";
    r->headers_in = apr_table_make(r->pool, 1);
    r->headers_out = apr_table_make(r->pool, 1);
    if (key) {
        apr_table_set(r->headers_in, "Idempotency-Key", key);
    }
    req->r = r;
    req->context = context;
    context->caller = ann;
    context->idempotency = NULL;
    return req;
}

static iimg_input_t *json(const char *text)
{
    iimg_input_t *input;

    iimg_input_parse(context->pool, "application/json", text, strlen(text), &input);
    return input;
}

static iimg_error_t *take(iimg_request_t *req, const iimg_replay_t **replay)
{
    iimg_input_t *input;

    return iimg_request_input_once(req, 30, 7, &input, replay);
}

static void test_keys(void)
{
    char longest[258];
    const struct {
        const char *key, *what;
        bool good;
    } cases[] = {
        { "k", "one character", true },
        { "!~", "the first and the last visible character", true },
        { longest + 2, "255 characters", true },
        { longest + 1, "256 characters", false },
        { "", "no character", false },
        { "a b", "a blank", false },
        { "a\x7f", "DEL", false },
        { " ", "a blank alone", false },
        { "\xc3\xbc", "UTF-8", false },
    };

    memset(longest, 'k', 257);
    longest[257] = '\0';
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const iimg_replay_t *replay;
        iimg_error_t *err = take(request_with(cases[i].key), &replay);

        tap_is(err ? err->code : NULL, cases[i].good ? NULL : "idempotency_key_invalid",
               "a key of %s", cases[i].what);
        tap_is_number(world.begun, cases[i].good, "a key of %s: claimed only if good",
                      cases[i].what);
        tap_ok(iimg_request_has_key(request_with(cases[i].key)), "a key of %s is a key",
               cases[i].what);
    }
    {
        const iimg_replay_t *replay;

        tap_ok(!take(request_with(NULL), &replay) && !world.begun && !replay,
               "a request without a key claims none");
        tap_ok(!iimg_request_has_key(request_with(NULL)), "a request without a key has none");
    }
}

static void test_claim(void)
{
    const iimg_replay_t *replay;
    iimg_request_t *req = request_with("k");

    tap_ok(!take(req, &replay) && !replay, "a new key: no replay");
    tap_is_number(world.lease, 150, "a key's lease: the work's time and 120 seconds");
    tap_is_number(world.wait, 7000000, "a key's patience, in microseconds");
    tap_is(world.key.user_id, "ann", "a key is its user's");
    tap_is(world.key.key, "k", "a key as it came");
    tap_is_number(strlen(world.key.claim), 36, "a key's claim is a UUID");
    tap_is(apr_table_get(req->r->headers_out, "Idempotent-Replayed"), NULL,
           "a new key: no header Idempotent-Replayed");

    req = request_with("k");
    world.input_error = iimg_error(context->pool, IIMG_INVALID, "no");
    tap_ok(take(req, &replay) && !world.begun, "a body that cannot be read claims no key");
    req = request_with("k");
    world.begin_error = iimg_error(context->pool, IIMG_CONFLICT, "in use");
    tap_ok(take(req, &replay) == world.begin_error && !replay, "a key in use: its error");
    req = request_with("k");
    tap_ok(!iimg_request_input_once(req, 1, 1, NULL, &replay) && world.begun,
           "a request without a body claims its key");
}

static void test_replay(void)
{
    static const iimg_idempotency_outcome_t failed = {
        "f", 422, NULL, "Sentence.", "code", "field"
    };
    static const iimg_idempotency_outcome_t silent = { "f", 400, NULL, NULL, NULL, NULL };
    static const iimg_idempotency_outcome_t made = { "f", 201, "id", NULL, NULL, NULL };
    static const iimg_idempotency_outcome_t spoiled = { "f", 200, "id", "Sentence.", NULL, NULL };
    const iimg_replay_t *replay;
    iimg_request_t *req = request_with("k");
    iimg_error_t *err;

    world.outcome = &failed;
    err = take(req, &replay);
    tap_ok(err && err->http_status == 422 && !replay, "a replayed error has its status");
    tap_is(err->message, "Sentence.", "a replayed error has its sentence");
    tap_is(err->code, "code", "a replayed error has its code");
    tap_is(err->field, "field", "a replayed error has its field");
    tap_is(apr_table_get(req->r->headers_out, "Idempotent-Replayed"), "true",
           "a replayed error says so");
    req = request_with("k");
    world.outcome = &silent;
    err = take(req, &replay);
    tap_is(err->message, "", "a replayed error without a sentence");
    req = request_with("k");
    world.outcome = &made;
    tap_ok(!take(req, &replay) && replay->status == 201 && strcmp(replay->id, "id") == 0
               && !replay->spoiled,
           "a replayed success: its status and row");
    tap_is(apr_table_get(req->r->headers_out, "Idempotent-Replayed"), "true",
           "a replayed success says so");
    req = request_with("k");
    world.outcome = &spoiled;
    tap_ok(!take(req, &replay) && replay->status == 200 && replay->spoiled,
           "a replayed success that failed later says so");
}

static const char *print_of(iimg_request_t *req)
{
    const iimg_replay_t *replay;
    iimg_error_t *err = take(req, &replay);

    return err ? err->message : apr_pstrdup(context->pool, world.key.fingerprint);
}

static void test_fingerprint(void)
{
    iimg_request_t *req = request_with("k");
    const char *first;

    body = json("{\"a\": \"b\", \"password\": \"one\"}");
    first = print_of(req);
    tap_is_number(strspn(first, "0123456789abcdef"), 64, "a fingerprint: 64 hex digits");
    tap_is(print_of(request_with("other")), first, "another key: the same fingerprint");
    body = json("{ \"a\":\"b\",\n\"password\": \"one\" }");
    tap_is(print_of(request_with("k")), first, "other blanks in the body: the same fingerprint");
    for (int i = 0; i < 8; i++) {
        static const char *const whats[] = { "method", "path",     "query",   "caller",
                                             "value",  "password", "no body", "name" };

        req = request_with("k");
        body = json(i == 4   ? "{\"a\": \"c\", \"password\": \"one\"}"
                    : i == 5 ? "{\"a\": \"b\", \"password\": \"two\"}"
                    : i == 7 ? "{\"c\": \"b\", \"password\": \"one\"}"
                             : "{\"a\": \"b\", \"password\": \"one\"}");
        body = i == 6 ? NULL : body;
        req->r->method = i == 0 ? "PUT" : "POST";
        req->r->uri = (char *)(i == 1 ? "/api/v1/y/" : "/api/v1/x/");
        req->r->args = (char *)(i == 2 ? "q" : NULL);
        context->caller = i == 3 ? bob : ann;
        tap_ok(strcmp(print_of(req), first) != 0, "another %s: another fingerprint", whats[i]);
    }
    body = json("{}");
    req = request_with("k");
    req->r->uri = (char *)"/a";
    req->r->args = (char *)"b";
    first = print_of(req);
    req = request_with("k");
    req->r->uri = (char *)"/ab";
    tap_ok(strcmp(print_of(req), first) != 0, "where one value ends is part of a fingerprint");
}

static void test_final(void)
{
    static const bool final[] = {
        [IIMG_INVALID] = true,   [IIMG_NOT_FOUND] = true,        [IIMG_CONFLICT] = true,
        [IIMG_TOO_LARGE] = true, [IIMG_UNSUPPORTED_TYPE] = true, [IIMG_REFUSED] = true,
        [IIMG_HTTP] = false,
    };
    static const iimg_idempotency_key_t key;

    for (int kind = IIMG_INVALID; kind <= IIMG_HTTP; kind++) {
        iimg_error_t *err = iimg_error(context->pool, (iimg_error_kind_t)kind, "no");

        (void)request_with("k");
        context->idempotency = &key;
        iimg_idempotency_settle(context, err);
        tap_is_number(world.kept, final[kind], "an error of kind %d is kept: %d", kind,
                      final[kind]);
        tap_is_number(world.released, !final[kind], "an error of kind %d frees the key: %d", kind,
                      !final[kind]);
        tap_is_number(world.spoiled, !final[kind], "an error of kind %d spoils a result: %d", kind,
                      !final[kind]);
        tap_ok(!context->idempotency, "an error of kind %d: the request has no key any more", kind);
        tap_ok(!final[kind] || (world.status == 400 + kind && strcmp(world.code, "kind") == 0),
               "an error of kind %d: kept with status and code", kind);
    }
    (void)request_with("k");
    iimg_idempotency_settle(context, iimg_error(context->pool, IIMG_INVALID, "no"));
    tap_ok(!world.kept && !world.released, "an error without a key changes no key");
    context->idempotency = &key;
    iimg_idempotency_settle(context, NULL);
    tap_ok(!world.kept && !world.released && context->idempotency == &key,
           "a success leaves the key as recorded");
}

int main(void)
{
    static const iimg_caller_t callers[] = { { .id = "ann" }, { .id = "bob" } };
    static iimg_services_t services;
    const char *problem = NULL;

    context = work_begin();
    services.media = iimg_media_create(context->pool,
                                       "k1 000102030405060708090a0b0c0d0e0f"
                                       "101112131415161718191a1b1c1d1e1f\n",
                                       "/pictures", 900, &problem);
    tap_is(problem, NULL, "the secret is good");
    context->services = &services;
    ann = &callers[0];
    bob = &callers[1];
    body = json("{}");
    test_keys();
    test_claim();
    test_replay();
    test_fingerprint();
    test_final();
    work_end(context);
    return tap_done();
}
