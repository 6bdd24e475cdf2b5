/* user_resource_test.c - functions/admin/user_resource.c: staff change and delete other users, but
 * cannot lock themselves out, and cannot go on when they lose their rights in the meantime. */
#include "functions/admin/resource.h"
#include "sql.h"

#define ANN  "00000000-0000-4000-8000-0000000ca001"
#define STA  "00000000-0000-4000-8000-0000000ca003"
#define NONE "00000000-0000-4000-8000-0000000ca009"

static iimg_context_t *context;
static const char *meanwhile; /* SQL that runs before rows are locked; NULL: none */

int PQsendQueryParams(PGconn *pg, const char *command, int count, const Oid *types,
                      const char *const *values, const int *lengths, const int *formats, int format)
{
    int (*sends)(PGconn *, const char *, int, const Oid *, const char *const *, const int *,
                 const int *, int) = (int (*)(PGconn *, const char *, int, const Oid *,
                                              const char *const *, const int *, const int *,
                                              int))dlsym(RTLD_NEXT, "PQsendQueryParams");
    const char *now = meanwhile;

    if (now && strstr(command, "FOR NO KEY UPDATE")) {
        meanwhile = NULL;
        sql(context, now);
    }
    return sends(pg, command, count, types, values, lengths, formats, format);
}

static void start(void)
{
    sql(context, "ROLLBACK TO SAVEPOINT empty");
    sql(context,
        "INSERT INTO users (id, email, password, is_staff) VALUES ('" ANN
        "', 'ann@change.example', 'x', false), ('" STA "', 'sta@change.example', 'x', true)");
    context->login = "sta@change.example";
    context->if_match = NULL;
}

static const char *users(void)
{
    return sql(
        context,
        "SELECT string_agg(concat_ws(' ', right(id::text, 1), first_name, is_staff, is_active, version), ',' ORDER BY id) FROM users WHERE email LIKE '%change.example'");
}

#define BEFORE "1  f t 1,3  t t 1"

static void test_update(void)
{
    static const struct {
        const char *who, *if_match, *meanwhile;
        iimg_user_change_t change;
        const char *code, *after, *what;
    } cases[] = {
        { ANN,
          NULL,
          NULL,
          { .first_name = { true, "A" } },
          NULL,
          "1 A f t 2,3  t t 1",
          "another user's name" },
        { ANN,
          "\"1\"",
          NULL,
          { .is_staff = { true, true } },
          NULL,
          "1  t t 2,3  t t 1",
          "another user's rights, with the right version" },
        { ANN,
          "\"2\"",
          NULL,
          { .is_staff = { true, true } },
          "precondition_failed",
          BEFORE,
          "another user's rights, with another version" },
        { ANN, NULL, NULL, { .is_active = { true, true } }, NULL, BEFORE, "nothing" },
        { STA,
          NULL,
          NULL,
          { .first_name = { true, "S" } },
          NULL,
          "1  f t 1,3 S t t 2",
          "one's own name" },
        { STA,
          NULL,
          NULL,
          { .is_staff = { true, false } },
          "own_account",
          BEFORE,
          "one's own rights" },
        { STA,
          NULL,
          NULL,
          { .is_active = { true, false } },
          "own_account",
          BEFORE,
          "one's own account, to inactive" },
        { NONE,
          NULL,
          NULL,
          { .first_name = { true, "A" } },
          "not_found",
          BEFORE,
          "an unknown user" },
        { ANN,
          NULL,
          "UPDATE users SET is_staff = false WHERE id = '" STA "'",
          { .first_name = { true, "A" } },
          "permission_denied",
          BEFORE,
          "another user, without rights by now" },
        { ANN,
          NULL,
          "UPDATE users SET is_active = false WHERE id = '" STA "'",
          { .first_name = { true, "A" } },
          "user_inactive",
          BEFORE,
          "another user, inactive by now" },
    };
    iimg_row_change_t change;
    iimg_row_t row;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_error_t *err;

        start();
        context->if_match = cases[i].if_match;
        meanwhile = cases[i].meanwhile;
        change.user = cases[i].change;
        row.user = &(iimg_account_t){ .user = { .id = cases[i].who } };
        err = iimg_update_row(context, &iimg_user_resource, &change, &row);
        tap_ok(!meanwhile && !err == !cases[i].code, "staff change %s: %s", cases[i].what,
               err ? err->message : "done");
        tap_ok(!err || !err->code || strcmp(err->code, cases[i].code) == 0, "%s: the code",
               cases[i].what);
        tap_is(users(), cases[i].after, "%s: the rows of users", cases[i].what);
    }
    start();
    context->login = "ann@change.example";
    change.user = cases[0].change;
    row.user = &(iimg_account_t){ .user = { .id = STA } };
    tap_is(iimg_update_row(context, &iimg_user_resource, &change, &row)->code, "permission_denied",
           "users cannot change users");
    tap_is(users(), BEFORE, "a refused user changes no row");
}

static void test_delete(void)
{
    static const struct {
        const char *who, *if_match, *meanwhile, *code, *after, *what;
    } cases[] = {
        { ANN, NULL, NULL, NULL, "3  t t 1", "another user" },
        { ANN, "\"2\"", NULL, "precondition_failed", BEFORE, "another version" },
        { STA, NULL, NULL, "own_account", BEFORE, "themselves" },
        { NONE, NULL, NULL, "not_found", BEFORE, "an unknown user" },
        { ANN, NULL, "UPDATE users SET is_staff = false WHERE id = '" STA "'", "permission_denied",
          BEFORE, "another user, without rights by now" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_error_t *err;

        start();
        context->if_match = cases[i].if_match;
        meanwhile = cases[i].meanwhile;
        err = iimg_delete_row(context, &iimg_user_resource, cases[i].who);
        tap_ok(!meanwhile && !err == !cases[i].code, "staff delete %s: %s", cases[i].what,
               err ? err->message : "done");
        tap_ok(!err || !err->code || strcmp(err->code, cases[i].code) == 0, "%s: the code",
               cases[i].what);
        tap_is(users(), cases[i].after, "%s: the rows of users", cases[i].what);
    }
}

int main(void)
{
    context = work_begin();
    if (sql_begin_real(context)) {
        sql(context, "SAVEPOINT empty");
        test_update();
        test_delete();
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
