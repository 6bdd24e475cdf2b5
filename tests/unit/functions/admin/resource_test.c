/* resource_test.c - functions/admin/resource.c and the resources: staff create, change and delete
 * rows, with version, audit log and idempotency key. */
#include "functions/admin/admin.h"
#include "functions/admin/resource.h"
#include "functions/public/public.h"
#include "models/idempotency_key.h"
#include "sql.h"

#define ANN  "00000000-0000-4000-8000-0000000cb001"
#define STA  "00000000-0000-4000-8000-0000000cb003"
#define NONE "00000000-0000-4000-8000-0000000cb009"
#define ROW  "00000000-0000-4000-8000-0000000cb0a0"

static iimg_context_t *context;
static const iimg_idempotency_key_t key = { STA, "key", "f", STA };

static void start(void)
{
    sql(context, "ROLLBACK TO SAVEPOINT empty");
    sql(context,
        "INSERT INTO users (id, email, password, is_staff) VALUES ('" ANN
        "', 'ann@admin.example', 'x', false), ('" STA "', 'sta@admin.example', 'x', true)");
    sql(context, "INSERT INTO idempotency_keys (user_id, key, fingerprint, claim,"
                 " lease_expires_at) VALUES ('" STA "', 'key', 'f', '" STA
                 "', now() + interval '1 minute')");
    sql(context, "INSERT INTO identities (id, user_id, name, category, notes) VALUES ('" ROW
                 "', '" ANN "', 'N', 'C', '{a,b}')");
    sql(context,
        "INSERT INTO test_scenarios (id, name, user_id) VALUES ('" ROW "', 'N', '" ANN "')");
    sql(context, "INSERT INTO prompts (id, prompt_type, version, body) VALUES ('" ROW
                 "', 'coach', 900, 'B')");
    context->login = "sta@admin.example";
    context->caller = NULL;
    context->if_match = NULL;
    context->idempotency = NULL;
}

/* Each sets id to the row that was made or changed. */
static iimg_given_t name = { true, "New" }, owner = { true, ANN };

static iimg_error_t *create_row(const iimg_resource_t *resource, iimg_row_change_t change,
                                const char **id)
{
    iimg_row_t row;
    iimg_error_t *err = iimg_create_row(context, resource, &change, &row);

    *id = err ? NULL : iimg_row_id(resource, row);
    return err;
}

static iimg_error_t *create_user(const char **id)
{
    iimg_user_change_t change = { .email = { true, "new@admin.example" }, .first_name = name };

    return create_row(&iimg_user_resource, (iimg_row_change_t){ .user = change }, id);
}

static iimg_error_t *create_identity(const char **id)
{
    iimg_identity_change_t change = { .user_id = owner, .name = name, .category = { true, "K" } };

    return create_row(&iimg_identity_resource, (iimg_row_change_t){ .identity = change }, id);
}

static iimg_error_t *create_scenario(const char **id)
{
    iimg_scenario_change_t change = { .name = name, .user_id = owner };

    return create_row(&iimg_test_scenario_resource, (iimg_row_change_t){ .test_scenario = change },
                      id);
}

static iimg_error_t *create_prompt(const char **id)
{
    iimg_new_prompt_t wanted = { "coach", "Body", true,
                                 apr_array_make(context->pool, 1, sizeof(char *)) };
    iimg_prompt_t *prompt;
    iimg_error_t *err = iimg_create_prompt(context, &wanted, &prompt);

    *id = err ? NULL : prompt->id;
    return err;
}

static iimg_error_t *create_photo(const char **id)
{
    iimg_new_reference_image_t wanted = { .name = "New" };
    iimg_reference_image_t *image;
    iimg_error_t *err = iimg_create_reference_image(context, ANN, &wanted, &image);

    *id = err ? NULL : image->id;
    return err;
}

static const char *audit(const char *id)
{
    return sql(context, apr_psprintf(context->pool,
                                     "SELECT string_agg(concat_ws(' ', action, kind, members,"
                                     " actor = '" STA "'), ',') FROM audit_log WHERE row_id = '%s'",
                                     id ? id : NONE));
}

static const struct {
    iimg_error_t *(*create)(const char **id);
    const char *kind, *audit, *row;
    bool by_user; /* users may, for themselves */
} creations[] = {
    { create_user, "users", "create users {email,first_name} t",
      "SELECT concat_ws(' ', email, first_name, last_name, is_staff, is_active, password = '',"
      " version)"
      " FROM users WHERE id = '%s'",
      false },
    { create_identity, "identities", "create identities {user_id,name,category} t",
      "SELECT concat_ws(' ', name, category, notes, user_id = '" ANN "', version)"
      " FROM identities WHERE id = '%s'",
      false },
    { create_scenario, "test_scenarios", "create test_scenarios {name,user_id} t",
      "SELECT concat_ws(' ', name, user_id = '" ANN "', version) FROM test_scenarios"
      " WHERE id = '%s'",
      false },
    { create_prompt, "prompts", "create prompts {prompt_type,body,is_active} t",
      "SELECT concat_ws(' ', prompt_type, version, body, is_active, created_by = '" STA "')"
      " FROM prompts WHERE id = '%s'",
      false },
    { create_photo, "reference_images", "create reference_images {name} t",
      "SELECT concat_ws(' ', name, \"order\", user_id = '" ANN "') FROM reference_images"
      " WHERE id = '%s'",
      true },
};

static const char *const rows[] = { "new@admin.example New  f t t 1", "New K {} t 1", "New t 1",
                                    "coach 901 Body t t", "New 0 t" };

static void test_creations(void)
{
    for (size_t i = 0; i < sizeof(creations) / sizeof(creations[0]); i++) {
        const char *id, *kind = creations[i].kind;
        iimg_error_t *err;

        start();
        err = creations[i].create(&id);
        tap_ok(!err && id, "staff create %s: %s", kind, err ? err->message : "done");
        tap_is(sql(context, apr_psprintf(context->pool, creations[i].row, id ? id : NONE)), rows[i],
               "%s: the new row", kind);
        tap_is(audit(id), creations[i].audit, "%s: the audit log", kind);
        tap_is(sql(context, "SELECT status FROM idempotency_keys WHERE key = 'key'"), NULL,
               "%s: no key, none is recorded", kind);

        start();
        context->idempotency = &key;
        err = creations[i].create(&id);
        tap_is(sql(context, "SELECT concat(status, resource_id) FROM idempotency_keys"
                            " WHERE key = 'key'"),
               apr_pstrcat(context->pool, "201", err ? "" : id, NULL),
               "%s: the key has status and row", kind);

        start();
        sql(context, "UPDATE idempotency_keys SET claim = '" ANN "' WHERE key = 'key'");
        context->idempotency = &key;
        err = creations[i].create(&id);
        tap_is(err ? err->code : NULL, "idempotency_key_in_use",
               "%s: a key that another request took is refused", kind);
        tap_is(sql(context, "SELECT count(*) FROM audit_log WHERE actor = '" STA "'"), "0",
               "%s: with a refused key nothing is made", kind);

        start();
        context->login = "ann@admin.example";
        err = creations[i].create(&id);
        tap_ok((err == NULL) == creations[i].by_user, "users %s create %s",
               creations[i].by_user ? "may" : "may not", kind);
        tap_is(audit(id), NULL, "%s: users are not in the audit log", kind);
    }
}

/* Changes -------------------------------------------------------------------------------------- */

static iimg_error_t *change_identity(const char *id, iimg_identity_change_t identity)
{
    iimg_row_change_t change = { .identity = identity };
    iimg_row_t row = { .identity = &(iimg_identity_t){ .id = id } };

    return iimg_update_row(context, &iimg_identity_resource, &change, &row);
}

static apr_array_header_t *notes(const char *first, const char *second)
{
    apr_array_header_t *list = apr_array_make(context->pool, 2, sizeof(char *));

    APR_ARRAY_PUSH(list, const char *) = first;
    APR_ARRAY_PUSH(list, const char *) = second;
    return list;
}

static iimg_error_t *update_identity(const char *id)
{
    return change_identity(id, (iimg_identity_change_t){ .name = name });
}

static iimg_error_t *update_notes(const char *id)
{
    return change_identity(id, (iimg_identity_change_t){ .notes = notes("a", "c") });
}

static iimg_error_t *same_identity(const char *id)
{
    return change_identity(
        id, (iimg_identity_change_t){ .name = { true, "N" }, .notes = notes("a", "b") });
}

static iimg_error_t *change_scenario(const char *id, iimg_scenario_change_t scenario)
{
    iimg_row_change_t change = { .test_scenario = scenario };
    iimg_row_t row = { .test_scenario = &(iimg_scenario_t){ .id = id } };

    return iimg_update_row(context, &iimg_test_scenario_resource, &change, &row);
}

static iimg_error_t *update_scenario(const char *id)
{
    return change_scenario(id, (iimg_scenario_change_t){ .user_id = { true, NULL } });
}

static iimg_error_t *same_scenario(const char *id)
{
    return change_scenario(id, (iimg_scenario_change_t){ .name = { true, "N" }, .user_id = owner });
}

static iimg_error_t *update_prompt(const char *id)
{
    iimg_prompt_t *prompt;

    return iimg_update_prompt(context, id, false, &prompt);
}

static iimg_error_t *same_prompt(const char *id)
{
    iimg_prompt_t *prompt;

    return iimg_update_prompt(context, id, true, &prompt);
}

static iimg_error_t *delete_identity(const char *id)
{
    return iimg_delete_row(context, &iimg_identity_resource, id);
}

static iimg_error_t *delete_scenario(const char *id)
{
    return iimg_delete_row(context, &iimg_test_scenario_resource, id);
}

#define IDENTITY "SELECT concat_ws(' ', name, notes, version) FROM identities WHERE id = '" ROW "'"
#define SCENARIO \
    "SELECT concat_ws(' ', name, user_id IS NULL, version) FROM test_scenarios WHERE id = '" ROW "'"
#define PROMPT "SELECT concat_ws(' ', body, is_active) FROM prompts WHERE id = '" ROW "'"

static const struct {
    iimg_error_t *(*change)(const char *id);
    const char *what, *row, *before, *after, *audit;
    bool versioned; /* by a number */
} changes[] = {
    { update_identity, "an identity's name", IDENTITY, "N {a,b} 1", "New {a,b} 2",
      "change identities {name} t", true },
    { update_notes, "an identity's notes", IDENTITY, "N {a,b} 1", "N {a,c} 2",
      "change identities {notes} t", true },
    { same_identity, "nothing of an identity", IDENTITY, "N {a,b} 1", "N {a,b} 1", NULL, true },
    { update_scenario, "a scenario's user", SCENARIO, "N f 1", "N t 2",
      "change test_scenarios {user_id} t", true },
    { same_scenario, "nothing of a scenario", SCENARIO, "N f 1", "N f 1", NULL, true },
    { update_prompt, "a prompt's state", PROMPT, "B t", "B f", "change prompts {is_active} t",
      false },
    { same_prompt, "nothing of a prompt", PROMPT, "B t", "B t", NULL, false },
    { delete_identity, "an identity's end", IDENTITY, "N {a,b} 1", NULL, "delete identities {} t",
      true },
    { delete_scenario, "a scenario's end", SCENARIO, "N f 1", NULL, "delete test_scenarios {} t",
      true },
};

static void test_changes(void)
{
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const char *what = changes[i].what;
        iimg_error_t *err;

        start();
        err = changes[i].change(ROW);
        tap_ok(!err, "staff change %s: %s", what, err ? err->message : "done");
        tap_is(sql(context, changes[i].row), changes[i].after, "%s: the row", what);
        tap_is(audit(ROW), changes[i].audit, "%s: the audit log", what);

        start();
        err = changes[i].change(NONE);
        tap_ok(err && err->kind == IIMG_NOT_FOUND, "%s of no row: not found", what);

        start();
        context->if_match = "\"77\"";
        err = changes[i].change(ROW);
        tap_ok(err && err->kind == IIMG_PRECONDITION, "%s, another version: refused", what);
        tap_is(sql(context, changes[i].row), changes[i].before, "%s, another version: the row",
               what);
        if (changes[i].versioned) {
            start();
            context->if_match = "\"1\"";
            tap_ok(!changes[i].change(ROW), "%s, the same version: done", what);
        }

        start();
        context->login = "ann@admin.example";
        err = changes[i].change(ROW);
        tap_ok(err && err->kind == IIMG_FORBIDDEN, "%s by a user: refused", what);
        tap_is(sql(context, changes[i].row), changes[i].before, "%s by a user: the row", what);
    }
}

/* Photos --------------------------------------------------------------------------------------- */

static void test_slots(void)
{
    static const struct {
        const char *taken; /* slots */
        int wanted;        /* -9: none */
        const char *code, *order, *what;
    } cases[] = {
        { "{}", -9, NULL, "0", "no photos" },
        { "{0,1,3}", -9, NULL, "2", "a gap" },
        { "{0,1,2,3}", -9, NULL, "4", "the last slot" },
        { "{1,2,3,4}", -9, NULL, "0", "the first slot" },
        { "{0,1,2,3,4}", -9, "max_images", NULL, "five photos" },
        { "{0,1,2,3,4}", 7, "max_images", NULL, "five photos, a wrong order" },
        { "{0}", 4, NULL, "4", "the highest order" },
        { "{0}", 5, "order_range", NULL, "an order above it" },
        { "{1}", 0, NULL, "0", "the lowest order" },
        { "{0}", -1, "order_range", NULL, "an order below it" },
        { "{0}", 0, "order_in_use", NULL, "an order in use" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_new_reference_image_t wanted = { .name = "",
                                              .order = cases[i].wanted == -9 ? NULL
                                                                             : &cases[i].wanted };
        iimg_reference_image_t *image;
        iimg_error_t *err;

        start();
        sql(context,
            apr_psprintf(context->pool,
                         "INSERT INTO reference_images (user_id, name, \"order\")"
                         " SELECT '" ANN "', 'old', slot FROM unnest('%s'::integer[]) slot",
                         cases[i].taken));
        err = iimg_create_reference_image(context, ANN, &wanted, &image);
        tap_is(err ? err->code : NULL, cases[i].code, "a photo beside %s: %s", cases[i].taken,
               cases[i].what);
        tap_is(sql(context, "SELECT \"order\" FROM reference_images WHERE user_id = '" ANN
                            "' AND name = ''"),
               cases[i].order, "a photo beside %s: its slot", cases[i].taken);
    }
    start();
    {
        iimg_new_reference_image_t wanted = { .name = "" };
        iimg_reference_image_t *image;
        iimg_error_t *err = iimg_create_reference_image(context, NONE, &wanted, &image);

        tap_ok(err && err->kind == IIMG_NOT_FOUND, "a photo of no user: not found");
        context->login = "ann@admin.example";
        context->caller = NULL;
        err = iimg_create_reference_image(context, STA, &wanted, &image);
        tap_ok(err != NULL, "a photo of another user: refused");
    }
}

/* Users ---------------------------------------------------------------------------------------- */

static void test_user_rules(void)
{
    static const struct {
        const char *email, *password, *field;
    } cases[] = {
        { "a@b", "12345678", NULL },
        { "a@", "12345678", "email" },
        { "a@b", "1234567", "password" },
        { "a@b", "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", NULL },
        { "a@b", "123456789012345678901234567890123456789012345678901234567890123456789012", NULL },
        { "a@b", "1234567890123456789012345678901234567890123456789012345678901234567890123",
          "password" },
        { NULL, NULL, NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_user_change_t change = { .email = { true, cases[i].email },
                                      .password = { true, cases[i].password } };
        iimg_error_t *err = iimg_check_user_change(context, &change);

        tap_is(err ? err->field : NULL, cases[i].field, "email %s, a password of %zu bytes",
               cases[i].email ? cases[i].email : "(none)",
               cases[i].password ? strlen(cases[i].password) : 0);
    }
}

int main(void)
{
    context = work_begin();
    if (sql_begin_real(context)) {
        sql(context, "SAVEPOINT empty");
        test_creations();
        test_changes();
        test_slots();
        test_user_rules();
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
