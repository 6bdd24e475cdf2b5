/* log_in_test.c - functions/public/log_in.c and what ends its tokens: who gets a token, which, and
 * whose ends. */
#include "functions/public/public.h"
#include "models/token.h"
#include "services/accounts/password.h"
#include "services/accounts/token.h"
#include "sql.h"

#define ANN  "00000000-0000-4000-8000-0000000ca001"
#define BEN  "00000000-0000-4000-8000-0000000ca002"
#define HERE "192.0.2.201"
/* By Python, as password_test.c has it. */
#define DJANGO "pbkdf2_sha256$1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs="

static iimg_context_t *context;
static iimg_new_session_t session;

static void start(const char *hash)
{
    sql(context, "ROLLBACK TO SAVEPOINT empty");
    sql(context, apr_psprintf(context->pool,
                              "INSERT INTO users (id, email, password, is_staff) VALUES ('" ANN
                              "', 'ann@login.example', '%s', true),"
                              " ('" BEN "', 'ben@login.example', '%s', false)",
                              hash, hash));
    context->caller = NULL;
    context->login_token = NULL;
}

static iimg_error_t *log_in(const char *email, const char *password, const char *kind)
{
    iimg_login_attempt_t attempt = { email, password, HERE, 2, 900 };

    memset(&session, 0, sizeof(session));
    return iimg_log_in(context, &attempt, kind, 100, &session);
}

static const char *code(iimg_error_t *err)
{
    return err ? err->code : NULL;
}

static const char *tokens(void)
{
    return sql(
        context,
        "SELECT string_agg(split_part(u.email, '@', 1) || ' ' || kind || ' ' || extract(epoch FROM expires_at - now())::integer, ',' ORDER BY u.email, kind)"
        "  FROM auth_tokens t JOIN users u ON u.id = t.user_id WHERE u.email LIKE '%login.example'");
}

static const char *failures(void)
{
    return sql(
        context,
        "SELECT string_agg(account || failures, ',' ORDER BY account) FROM login_failures WHERE address = '" HERE
        "'");
}

static const char *audited(void)
{
    return sql(
        context,
        "SELECT string_agg(action || ' ' || kind || ' ' || array_to_string(members, '+'), ',' ORDER BY id) FROM audit_log WHERE actor IN ('" ANN
        "', '" BEN "')");
}

static const char *hash_of(const char *token)
{
    unsigned char digest[IIMG_TOKEN_DIGEST_BYTES];

    iimg_token_digest(token, digest);
    return iimg_token_hash(context->pool, digest);
}

static void test_right(const char *hash)
{
    start(hash);
    tap_is(code(log_in("ANN@login.example", "pw-alice", IIMG_TOKEN_BEARER)), NULL,
           "the right password lets in");
    tap_is(session.user.email, "ann@login.example", "... as its user");
    tap_ok(session.expires_at != NULL, "... until some time");
    tap_is(tokens(), "ann bearer 100", "... by a token of this kind and this life");
    tap_is(
        sql(context,
            apr_pstrcat(
                context->pool,
                "SELECT email FROM auth_tokens t JOIN users u ON u.id = t.user_id WHERE hash = '",
                hash_of(session.token), "'", NULL)),
        "ann@login.example", "... whose hash alone is kept");
    tap_is(failures(), NULL, "... and is no failure");
    tap_is(audited(), "create auth_tokens bearer", "... and of staff is audited");
    tap_is(code(log_in("ben@login.example", "pw-alice", IIMG_TOKEN_SESSION)), NULL,
           "another user comes in as well");
    tap_is(tokens(), "ann bearer 100,ben session 100", "... by a session");
    tap_is(audited(), "create auth_tokens bearer", "a login by a user is not audited");
}

static void test_wrong(const char *hash)
{
    iimg_error_t *err;

    start(hash);
    tap_is(code(log_in("ann@login.example", "pw-alicf", IIMG_TOKEN_BEARER)),
           "authentication_failed", "a wrong password does not let in");
    tap_is(code(log_in("unknown@login.example", "pw-alice", IIMG_TOKEN_BEARER)),
           "authentication_failed", "nor does an unknown email, alike");
    tap_is(failures(), "ann@login.example1,unknown@login.example1", "... and both are counted");
    tap_is(tokens(), NULL, "... without a token");
    log_in("ann@login.example", "pw-alicf", IIMG_TOKEN_BEARER);
    err = log_in("ann@login.example", "pw-alice", IIMG_TOKEN_BEARER);
    tap_is(code(err), "login_limited", "after two failures the right one has to wait");
    tap_is_number(err ? err->retry_after : 0, 900, "... for the window");
    tap_ok(!session.token && !tokens(), "... and has no token");
    tap_is(code(log_in("ben@login.example", "pw-alice", IIMG_TOKEN_BEARER)), NULL,
           "while another account comes in");
    start(hash);
    sql(context, "UPDATE users SET is_active = false WHERE id = '" ANN "'");
    tap_is(code(log_in("ann@login.example", "pw-alice", IIMG_TOKEN_BEARER)), "user_inactive",
           "an inactive user is told so, with the right password");
    tap_is(code(log_in("ann@login.example", "pw-alicf", IIMG_TOKEN_BEARER)),
           "authentication_failed", "... and not with a wrong one");
    tap_is(tokens(), NULL, "... and gets no token");
}

static void test_rehash(void)
{
    start(DJANGO);
    tap_is(code(log_in("ann@login.example", "pw-alice", IIMG_TOKEN_BEARER)), NULL,
           "Django's hash lets in");
    tap_is(tokens(), "ann bearer 100", "... and the token outlives the hash");
    tap_is(sql(context, "SELECT left(password, 7) FROM users WHERE id = '" ANN "'"), "$2y$10$",
           "... in whose place is bcrypt's");
    tap_is(sql(context, "SELECT password FROM users WHERE id = '" BEN "'"), DJANGO,
           "... and only in that user's");
    tap_is(code(log_in("ann@login.example", "pw-alice", IIMG_TOKEN_BEARER)), NULL,
           "... which lets in by the same password");
}

static void call_as(const char *id, const char *token)
{
    iimg_caller_t *caller = apr_pcalloc(context->pool, sizeof(*caller));

    *caller = (iimg_caller_t){ id, strcmp(id, ANN) == 0, true, true };
    context->caller = caller;
    context->login_token = token ? hash_of(token) : NULL;
}

static void test_ends(const char *hash)
{
    const char *bearer, *own, *others, *ended = NULL, *id;

    start(hash);
    log_in("ann@login.example", "pw-alice", IIMG_TOKEN_BEARER);
    bearer = session.token;
    log_in("ann@login.example", "pw-alice", IIMG_TOKEN_SESSION);
    own = session.token;
    log_in("ben@login.example", "pw-alice", IIMG_TOKEN_SESSION);
    others = session.token;
    sql(context, "DELETE FROM audit_log WHERE actor = '" ANN "'");
    call_as(ANN, NULL);
    tap_is(code(iimg_log_out(context, NULL)), NULL, "logging out without a token is none");
    tap_is(tokens(), "ann bearer 100,ann session 100,ben session 100", "... and ends nothing");
    iimg_log_out(context, hash_of(others));
    tap_is(tokens(), "ann bearer 100,ann session 100,ben session 100",
           "the session of another user's cookie is not ended");
    call_as(ANN, bearer);
    iimg_log_out(context, NULL);
    tap_is(tokens(), "ann session 100,ben session 100", "the token that one came by is");
    tap_is(audited(), "delete auth_tokens bearer", "... and audited");
    iimg_log_out(context, hash_of(own));
    tap_is(tokens(), "ben session 100", "one's own cookie is");
    id = sql(context, "SELECT id FROM auth_tokens WHERE user_id = '" BEN "'");
    tap_ok(iimg_delete_token(context, id, &ended)->kind == IIMG_NOT_FOUND,
           "a user cannot end another user's token by its id");
    tap_is(ended, NULL, "... nor learns its hash");
    call_as(BEN, NULL);
    tap_ok(!iimg_delete_token(context, id, &ended), "its user does");
    tap_is(ended, hash_of(others), "... and learns which it was");
    tap_is(tokens(), NULL, "... and it is gone");
    tap_is(audited(), "delete auth_tokens bearer,delete auth_tokens session",
           "... and only staff's are audited");
    log_in("ann@login.example", "pw-alice", IIMG_TOKEN_BEARER);
    sql(context, "DELETE FROM audit_log WHERE actor = '" ANN "'");
    call_as(ANN, NULL);
    id = sql(context, "SELECT id FROM auth_tokens WHERE user_id = '" ANN "'");
    tap_ok(!iimg_delete_token(context, id, &ended), "staff end one of theirs by its id");
    tap_is(audited(), "delete auth_tokens bearer", "... which is audited");
}

int main(void)
{
    const char *hash;

    context = work_begin();
    iimg_password_hash(context, "pw-alice", &hash);
    if (sql_begin_real(context)) {
        sql(context, "SAVEPOINT empty");
        test_right(hash);
        test_wrong(hash);
        test_rehash();
        test_ends(hash);
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
