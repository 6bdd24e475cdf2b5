/* token_test.c - models/token.c: each token is of one user and one kind, and lives until its last
 * moment. */
#include "models/token.h"
#include "sql.h"

#define ANN    "00000000-0000-4000-8000-0000000ca001"
#define BEN    "00000000-0000-4000-8000-0000000ca002"
#define H(end) "sha256:00000000000000000000000000000000000000000000000000000000000000" end
#define ID(n)  "00000000-0000-4000-8000-0000000cb00" #n

static iimg_context_t *context;

static const char *epoch_of(const char *id)
{
    return sql(context,
               apr_psprintf(context->pool, "SELECT token_epoch FROM users WHERE id = '%s'", id));
}

static const char *rows(void)
{
    return sql(context,
               "SELECT coalesce(string_agg(right(hash, 2), ' ' ORDER BY hash), '') FROM auth_tokens"
               " WHERE user_id IN ('" ANN "', '" BEN "')");
}

static void start(void)
{
    sql(context, "DELETE FROM users WHERE id IN ('" ANN "', '" BEN "')");
    sql(context, "INSERT INTO users (id, email, password) VALUES ('" ANN
                 "', 'ann@token.example', 'hash-ann'),"
                 " ('" BEN "', 'ben@token.example', 'hash-ben')");
    sql(context,
        "INSERT INTO auth_tokens (id, user_id, hash, kind, expires_at, created_at) VALUES"
        " ('" ID(1) "', '" ANN "', '" H(
            "a1") "', 'session', now() + interval '1 second', now() - interval '3 days'),"
                  " ('" ID(2) "', '" ANN "', '" H(
                      "a2") "', 'bearer', now() + interval '1 day', now() - interval '2 days'),"
                            " ('" ID(3) "', '" ANN "', '" H(
                                "a3") "', 'bearer', now(), now() - interval '1 day'),"
                                      " ('" ID(4) "', '" BEN "', '" H(
                                          "a4") "', 'bearer', now() + interval '1.9 seconds', now())");
}

static void test_use(void)
{
    static const struct {
        const char *hash, *kind, *email;
        int seconds;
        const char *what;
    } cases[] = {
        { H("a1"), "session", "ann@token.example", 1, "a session" },
        { H("a2"), "bearer", "ann@token.example", 86400, "a bearer token" },
        { H("a4"), "bearer", "ben@token.example", 1,
          "another user's, whose seconds are whole ones" },
        { H("a1"), "bearer", NULL, 0, "a session in the header" },
        { H("a2"), "session", NULL, 0, "a bearer token in the cookie" },
        { H("a3"), "bearer", NULL, 0, "a token that expires at this moment" },
        { H("a9"), "bearer", NULL, 0, "an unknown one" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_token_owner_t owner = { .email = "not set" };

        tap_ok(!iimg_token_use(context, cases[i].hash, cases[i].kind, &owner), "%s is looked up",
               cases[i].what);
        tap_is(owner.email, cases[i].email, "the owner of the token is %s",
               cases[i].email ? "found" : "not found");
        if (cases[i].email) {
            tap_is_number(owner.seconds, cases[i].seconds, "the token has its remaining seconds");
            tap_is(owner.epoch,
                   epoch_of(cases[i].hash[strlen(cases[i].hash) - 1] == '4' ? BEN : ANN),
                   "the token has its owner's epoch");
            tap_ok(owner.is_active, "the owner is active");
        }
    }
}

static void test_last_used(void)
{
    static const struct {
        const char *age, *noted, *what;
    } cases[] = {
        { "NULL", "0", "never used" },
        { "now() - interval '61 seconds'", "0", "used a minute ago and more" },
        { "now() - interval '60 seconds'", "60", "used a minute ago" },
        { "now() - interval '59 seconds'", "59", "used just now" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_token_owner_t owner;

        sql(context,
            apr_pstrcat(context->pool, "UPDATE auth_tokens SET last_used_at = ", cases[i].age,
                        " WHERE hash IN ('" H("a2") "', '" H("a4") "')", NULL));
        iimg_token_use(context, H("a2"), "bearer", &owner);
        tap_is(
            sql(context,
                "SELECT extract(epoch FROM now() - last_used_at)::integer FROM auth_tokens WHERE hash = '" H(
                    "a2") "'"),
            cases[i].noted, "the use of a token %s is noted so", cases[i].what);
        tap_is(
            sql(context,
                "SELECT extract(epoch FROM now() - last_used_at)::integer FROM auth_tokens WHERE hash = '" H(
                    "a4") "'"),
            i ? apr_pstrmemdup(context->pool, &cases[i].age[18], 2) : NULL,
            "the use of other tokens is not recorded");
    }
}

static void test_delete(void)
{
    iimg_ended_token_t ended;
    const char *before = epoch_of(ANN), *other = epoch_of(BEN);

    iimg_token_delete(context, BEN, ID(2), &ended);
    tap_is(ended.id, NULL, "a token of another user is not deleted by its id");
    iimg_token_delete_by_hash(context, BEN, H("a2"), &ended);
    tap_is(ended.id, NULL, "a token of another user is not deleted by its hash");
    iimg_token_delete(context, ANN, ID(3), &ended);
    tap_is(ended.id, NULL, "a token that has expired cannot be ended");
    tap_is(rows(), "a1 a2 a3 a4", "no token was deleted");
    tap_is(epoch_of(ANN), before, "the epoch stays if no token is deleted");
    iimg_token_delete(context, ANN, ID(2), &ended);
    tap_is(ended.id, ID(2), "a user ends a token of theirs");
    tap_is(ended.kind, "bearer", "the deleted token has its kind");
    tap_is(ended.hash, H("a2"), "the deleted token has its hash");
    tap_is(rows(), "a1 a3 a4", "only that token is deleted");
    tap_ok(strcmp(epoch_of(ANN), before) != 0, "deleting a token starts a new epoch of its user");
    tap_is(epoch_of(BEN), other, "deleting a token does not change the epoch of another user");
    iimg_token_delete_by_hash(context, ANN, H("a1"), &ended);
    tap_is(ended.id, ID(1), "by its hash as well");
    tap_is(ended.kind, "session", "the deleted token has its kind");
    tap_is(rows(), "a3 a4", "only that token is deleted");
}

static const char *make(const char *user, const char *password, const char *hash, const char *kind)
{
    iimg_new_token_t wanted = { user, password, hash, kind, 100 };
    const char *expires, *id;

    tap_ok(!iimg_token_insert(context, &wanted, &expires, &id), "a token %s is asked for",
           hash + 69);
    return id;
}

static void test_insert(void)
{
    tap_is(make(ANN, "hash-ben", H("b1"), "bearer"), NULL, "another user's password makes none");
    sql(context, "UPDATE users SET is_active = false WHERE id = '" ANN "'");
    tap_is(make(ANN, "hash-ann", H("b2"), "bearer"), NULL, "an inactive user gets none");
    sql(context, "UPDATE users SET is_active = true WHERE id = '" ANN "'");
    tap_is(rows(), "a1 a2 a3 a4", "no token is inserted");
    tap_ok(make(ANN, "hash-ann", H("b3"), "bearer") != NULL, "the right one makes one");
    tap_is(
        sql(context,
            "SELECT user_id || ' ' || kind || ' ' || extract(epoch FROM expires_at - now())::integer FROM auth_tokens WHERE hash = '" H(
                "b3") "'"),
        ANN " bearer 100", "the new token has its user, kind and lifetime");
}

/* One hundred tokens of a user are kept: expired ones go first, then the oldest sessions. */
static void test_trim(void)
{
    sql(context,
        "INSERT INTO auth_tokens (user_id, hash, kind, expires_at, created_at)"
        " SELECT '" ANN
        "', 'sha256:' || lpad(n::text, 64, 'c'), 'bearer', now() + interval '1 day', now() - interval '1 year' FROM generate_series(1, 97) n");
    make(ANN, "hash-ann", H("b4"), "bearer");
    tap_is(sql(context, "SELECT count(*) FROM auth_tokens WHERE user_id = '" ANN "'"), "100",
           "a hundred tokens are kept");
    tap_is(
        sql(context,
            "SELECT string_agg(right(hash, 2), ' ' ORDER BY hash) FROM auth_tokens WHERE user_id = '" ANN
            "' AND hash !~ 'c'"),
        "a1 a2 b4", "an expired token is deleted first");
    make(ANN, "hash-ann", H("b5"), "bearer");
    tap_is(
        sql(context,
            "SELECT string_agg(right(hash, 2), ' ' ORDER BY hash) FROM auth_tokens WHERE user_id = '" ANN
            "' AND hash !~ 'c'"),
        "a2 b4 b5", "a session is deleted before an older bearer token");
    make(ANN, "hash-ann", H("b6"), "session");
    tap_is(
        sql(context,
            "SELECT count(*) || ' ' || count(*) FILTER (WHERE hash ~ 'c') FROM auth_tokens WHERE user_id = '" ANN
            "'"),
        "100 96", "without sessions the oldest bearer token is deleted");
    tap_is(sql(context, "SELECT count(*) FROM auth_tokens WHERE user_id = '" BEN "'"), "1",
           "no token of another user is deleted");
}

static void test_list(void)
{
    const iimg_caller_t *caller;
    apr_array_header_t *tokens = NULL;
    const iimg_token_t *one;

    context->login = "ANN@token.example";
    context->login_proof = epoch_of(ANN);
    context->login_token = H("a1");
    iimg_token_list_of_caller(context, &caller, &tokens);
    tap_ok(caller && caller->credentials_hold, "the caller's epoch holds");
    if (!tap_ok(tokens && tokens->nelts == 2, "a user's own live tokens are listed")) {
        return;
    }
    one = &APR_ARRAY_IDX(tokens, 0, iimg_token_t);
    tap_is(one[0].id, ID(2), "the list starts with the newest token");
    tap_is(one[1].id, ID(1), "the list ends with the oldest token");
    tap_ok(!one[0].is_current && one[1].is_current, "the caller's token is marked");
    tap_ok(strcmp(one[0].created_at, one[0].expires_at) < 0, "tokens have their times");
    context->login_proof = epoch_of(BEN);
    iimg_token_list_of_caller(context, &caller, &tokens);
    tap_ok(caller && !caller->credentials_hold, "another user's epoch does not hold");
}

static void test_expire(void)
{
    int count = -1;
    const char *before;

    /* The tables are those of a server that other tests have used. */
    sql(context,
        "DELETE FROM auth_tokens WHERE expires_at <= now() AND hash NOT LIKE 'sha256:000000%'");
    before = epoch_of(ANN);
    iimg_token_expire(context, &count);
    tap_is_number(count, 1, "an expired token is deleted");
    tap_is(rows(), "a1 a2 a4", "only expired tokens are deleted");
    tap_is(epoch_of(ANN), before, "deleting expired tokens starts no epoch");
}

int main(void)
{
    static void (*const tests[])(void) = { test_use,  test_last_used, test_delete, test_insert,
                                           test_trim, test_list,      test_expire };

    context = work_begin();
    if (sql_begin_real(context)) {
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
            start();
            tests[i]();
        }
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
