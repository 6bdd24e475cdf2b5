/* login_attempt_test.c - models/login_attempt.c: what counts of an account's failures from an
 * address, at each limit. */
#include "models/login_attempt.h"
#include "sql.h"

#define ANN  "ann@brake.example"
#define HERE "192.0.2.201"

static iimg_context_t *context;

/* The row of an account and an address. */
static const char *row_of(const char *account, const char *address)
{
    const char *row = sql(
        context,
        apr_psprintf(context->pool,
                     "SELECT failures || ' ' || cardinality(under_way) || ' ' || forgiven || ' '"
                     " || extract(epoch FROM ends_at - now())::integer FROM login_failures"
                     " WHERE account = '%s' AND address = '%s'",
                     account, address));

    return row ? row : "";
}

static const char *row(void)
{
    return row_of(ANN, HERE);
}

static void set(const char *failures, const char *ends_at, const char *under_way)
{
    sql(context, "DELETE FROM login_failures WHERE account LIKE '%brake.example'");
    sql(context,
        apr_psprintf(context->pool,
                     "INSERT INTO login_failures (account, address, failures, ends_at, under_way)"
                     " VALUES ('" ANN "', '" HERE
                     "', %s, now() + interval '%s', ARRAY[%s]::timestamptz[])",
                     failures, ends_at, under_way));
}

static int begin_at(const char *email, const char *address, iimg_login_t *login)
{
    iimg_login_attempt_t attempt = { email, "", address, 5, 900 };
    int wait = -1;

    memset(login, 0, sizeof(*login));
    tap_ok(!iimg_login_attempt_begin(context, &attempt, &wait, login), "an attempt begins");
    return wait;
}

static void test_begin(void)
{
    static const struct {
        const char *failures, *ends_at, *under_way;
        int wait, count;
        const char *row, *what;
    } cases[] = {
        { "4", "100 seconds", "", 0, 5, "5 1 false 100", "four failures of five" },
        { "5", "100 seconds", "", 100, 0, "5 0 false 100", "five" },
        { "5", "0 seconds", "", 0, 1, "1 1 false 900", "five whose window ends now" },
        { "5", "1 second", "", 1, 0, "5 0 false 1", "five whose window ends in a second" },
        { "5", "100 seconds", "now() + interval '30 seconds'", 30, 0, "5 1 false 100",
          "four failures and one under way" },
        { "5", "100 seconds", "now() + interval '50 seconds', now() + interval '40 seconds'", 40, 0,
          "5 2 false 100", "three failures and two under way" },
        { "5", "20 seconds", "now() + interval '30 seconds'", 20, 0, "5 1 false 20",
          "a running attempt older than the window" },
        { "5", "100 seconds", "now()", 0, 5, "5 1 false 100",
          "a running attempt that expires now" },
        { "5", "-1 seconds", "now() + interval '1 second', now()", 0, 2, "2 2 false 900",
          "a running attempt in an expired window" },
        { "0", "100 seconds", "now(), now()", 0, 1, "1 1 false 100",
          "fewer failures than were under way" },
    };
    iimg_login_t login;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set(cases[i].failures, cases[i].ends_at, cases[i].under_way);
        tap_is_number(begin_at("Ann@brake.example", HERE, &login), cases[i].wait,
                      "with %s the wait is %d", cases[i].what, cases[i].wait);
        tap_is_number(login.failures, cases[i].count, "the attempt has its count of failures");
        tap_is(row(), cases[i].row, "the row has its new values");
        tap_ok((login.place != NULL) == (cases[i].wait == 0), "an allowed attempt has a place");
    }
    set("5", "100 seconds", "");
    sql(context, "INSERT INTO login_failures (account, address, failures, ends_at) VALUES ('" ANN
                 "', '192.0.2.203', 5, now() + interval '50 seconds'),"
                 " ('cid@brake.example', '" HERE "', 5, now() + interval '60 seconds')");
    tap_is_number(begin_at(ANN, HERE, &login), 100,
                  "the wait is that of this account and this address");
    tap_is_number(begin_at(ANN, "192.0.2.203", &login), 50,
                  "another address does not have to wait");
    tap_is_number(begin_at(ANN, "192.0.2.202", &login), 0,
                  "the account from another address does not wait");
    tap_is_number(begin_at("ben@brake.example", HERE, &login), 0,
                  "another account does not have to wait");
    tap_is(row(), "5 0 false 100", "each account and address has its own row");
    sql(context, "UPDATE login_failures SET forgiven = true, failures = 1 WHERE account = '" ANN
                 "' AND address = '" HERE "'");
    begin_at(ANN, HERE, &login);
    tap_is(row(), "2 1 true 100", "failures are forgiven once in a window");
    sql(context, "UPDATE login_failures SET ends_at = now() WHERE account = '" ANN
                 "' AND address = '" HERE "'");
    begin_at(ANN, HERE, &login);
    tap_is(row(), "2 2 false 900", "the next window forgives again");
}

static void test_account(void)
{
    iimg_login_t login;

    sql(context, "INSERT INTO users (email, password, first_name, last_name, is_staff, is_active)"
                 " VALUES ('Ann@brake.example', 'hash-ann', 'Ann', 'Other', true, false)");
    begin_at("aNN@brake.example", HERE, &login);
    tap_is(login.user.email, "Ann@brake.example", "the account is found in any case of the email");
    tap_is(login.user.first_name, "Ann", "the account has its first name");
    tap_is(login.user.last_name, "Other", "the account has its last name");
    tap_ok(login.user.is_staff && !login.is_active, "the account has its permissions");
    tap_is(login.hash, "hash-ann", "the account has its hash");
    begin_at("unknown@brake.example", HERE, &login);
    tap_ok(!login.user.id && !login.hash && login.failures == 1,
           "an unknown one is counted, and has no hash");
}

typedef iimg_error_t *(*ending_fn)(iimg_context_t *, const iimg_login_attempt_t *,
                                   const iimg_login_t *, bool *);

/* An attempt with so many failures before it, ended. @return whether it was counted */
static bool end(const char *before, bool forgiven, ending_fn ending)
{
    iimg_login_attempt_t attempt = { "ANN@brake.example", "", HERE, 5, 900 };
    iimg_login_t login;
    bool counted = false;

    set(before, "100 seconds", "");
    sql(context, forgiven ? "UPDATE login_failures SET forgiven = true WHERE account = '" ANN "'"
                          : "SELECT 1");
    begin_at(ANN, HERE, &login);
    tap_ok(!ending(context, &attempt, &login, &counted), "the attempt ends");
    return counted;
}

static iimg_error_t *withdraw(iimg_context_t *unused, const iimg_login_attempt_t *attempt,
                              const iimg_login_t *login, bool *counted)
{
    *counted = true;
    return iimg_login_attempt_withdraw(unused, attempt, login);
}

static void test_ends(void)
{
    static const struct {
        ending_fn end;
        const char *before;
        bool forgiven;
        const char *row, *what;
    } cases[] = {
        { iimg_login_attempt_fail, "0", false, "1 0 false 100", "a failure stays" },
        { iimg_login_attempt_fail, "4", false, "5 0 false 100", "the fifth failure counts" },
        { iimg_login_attempt_succeed, "0", false, "", "a success without failures leaves no row" },
        { iimg_login_attempt_succeed, "1", false, "1 0 false 100",
          "a success keeps one earlier failure" },
        { iimg_login_attempt_succeed, "2", false, "2 0 false 100",
          "half of five stay, and nothing is forgiven" },
        { iimg_login_attempt_succeed, "3", false, "2 0 true 100",
          "a success forgives failures beyond half" },
        { iimg_login_attempt_succeed, "4", false, "2 0 true 100", "two more are" },
        { iimg_login_attempt_succeed, "4", true, "4 0 true 100", "the second time none is" },
        { iimg_login_attempt_succeed, "0", true, "0 0 true 100", "a row that was forgiven stays" },
        { withdraw, "0", false, "", "a withdrawn attempt leaves no row" },
        { withdraw, "4", false, "4 0 false 100", "a withdrawn attempt keeps earlier failures" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        tap_ok(end(cases[i].before, cases[i].forgiven, cases[i].end), "%s: the attempt counted",
               cases[i].what);
        tap_is(row(), cases[i].row, "%s", cases[i].what);
    }
}

/* An end that comes too late changes nothing, so that the answer does not reveal whether the
 * password was right. */
static void test_late(void)
{
    iimg_login_attempt_t attempt = { ANN, "", HERE, 5, 900 },
                         elsewhere = { ANN, "", "192.0.2.202", 5, 900 };
    iimg_login_t login;
    bool counted = true;

    set("1", "100 seconds", "");
    begin_at(ANN, HERE, &login);
    iimg_login_attempt_fail(context, &elsewhere, &login, &counted);
    tap_ok(!counted, "an attempt has no end at another address");
    sql(context, "UPDATE login_failures SET under_way = '{}' WHERE account = '" ANN "'");
    counted = true;
    iimg_login_attempt_succeed(context, &attempt, &login, &counted);
    tap_ok(!counted, "a late success is not counted");
    counted = true;
    iimg_login_attempt_fail(context, &attempt, &login, &counted);
    tap_ok(!counted, "a late failure does not count");
    iimg_login_attempt_withdraw(context, &attempt, &login);
    tap_is(row(), "2 0 false 100", "late ends do not change the row");
}

static void test_expire(void)
{
    int count = -1;

    sql(context, "DELETE FROM login_failures"); /* within our transaction */
    sql(context,
        "INSERT INTO login_failures (account, address, failures, ends_at, under_way) VALUES"
        " ('a', 'x', 5, now(), '{}'), ('b', 'x', 5, now() + interval '1 second', '{}'),"
        " ('c', 'x', 5, now(), ARRAY[now()]), ('d', 'x', 5, now(), ARRAY[now(), now() + interval '1 second'])");
    iimg_login_attempt_expire(context, &count);
    tap_is_number(count, 2, "windows that end now are forgotten");
    tap_is(sql(context, "SELECT string_agg(account, ' ' ORDER BY account) FROM login_failures"),
           "b d", "rows with running attempts and unexpired rows stay");
}

int main(void)
{
    context = work_begin();
    if (sql_begin_real(context)) {
        test_begin();
        test_account();
        test_ends();
        test_late();
        test_expire();
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
