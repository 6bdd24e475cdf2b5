/* prompt_test.c - versions of prompts: which one is in use, and what number the next one gets. */
#include "models/prompt.h"
#include "sql.h"

#define ADMIN "00000000-0000-4000-8000-00000000000a"

static void make(iimg_context_t *context, const char *values)
{
    sql_run(context, "DELETE FROM prompts");
    if (*values) {
        sql_run(context, "INSERT INTO prompts (prompt_type, version, is_active, body) VALUES %s",
                values);
    }
}

static void test_active(iimg_context_t *context)
{
    static const struct {
        const char *values;
        int version;
        const char *sentence;
    } rows[] = {
        { "('coach', 9, true, '')", 0, "another type's prompt is not used" },
        { "('image_generation', 2, false, '')", 0, "an inactive version is not active" },
        { "('image_generation', 2, true, ''), ('image_generation', 10, true, ''), ('image_generation', 11, false, ''), ('image_generation', 9, true, ''), ('coach', 12, true, '')",
          10, "the highest active version is used" },
    };
    iimg_prompt_t *prompt;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        make(context, rows[i].values);
        tap_ok(!iimg_prompt_active(context, "image_generation", &prompt), "a prompt is looked for");
        tap_is_number(prompt ? prompt->version : 0, rows[i].version, "%s", rows[i].sentence);
    }
}

static void test_insert(iimg_context_t *context)
{
    static const struct {
        const char *values;
        int version;
        const char *sentence;
    } rows[] = {
        { "", 1, "the first version" },
        { "('sentinel', 7, true, '')", 1, "the first version of its type" },
        { "('coach', 7, false, ''), ('coach', 3, true, ''), ('sentinel', 9, true, '')", 8,
          "the next one behind the highest, in use or not" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        apr_array_header_t *keys = apr_array_make(context->pool, 1, sizeof(const char *));
        iimg_prompt_t wanted = { .prompt_type = "coach",
                                 .body = "the body",
                                 .is_active = i > 0,
                                 .required_context_keys = keys,
                                 .created_by = ADMIN };
        iimg_prompt_t *prompt = &wanted;

        APR_ARRAY_PUSH(keys, const char *) = "additional_prompt";
        make(context, rows[i].values);
        tap_ok(!iimg_prompt_lock_type(context, "coach") && !iimg_prompt_insert(context, &prompt)
                   && prompt,
               "a version is made");
        tap_is_number(prompt->version, rows[i].version, "%s", rows[i].sentence);
        tap_is(
            sql_run(
                context,
                "SELECT concat_ws('|', prompt_type, body, is_active, required_context_keys, created_by) FROM prompts"
                " WHERE id = '%s'",
                prompt->id),
            i > 0 ? "coach|the body|t|{additional_prompt}|" ADMIN
                  : "coach|the body|f|{additional_prompt}|" ADMIN,
            "the new version has its values");
        tap_ok(strcmp(prompt->prompt_type, "coach") == 0 && strcmp(prompt->body, "the body") == 0
                   && prompt->is_active == (i > 0) && prompt->required_context_keys->nelts == 1
                   && strcmp(prompt->created_by, ADMIN) == 0 && prompt->created_at,
               "the new version is read with its values");
    }
}

static void test_set_active(iimg_context_t *context)
{
    iimg_prompt_t *prompt;
    const char *id;

    make(context, "('coach', 1, true, ''), ('coach', 2, true, '')");
    id = sql_run(context, "SELECT id FROM prompts WHERE version = 1");
    tap_ok(!iimg_prompt_set_active(context, id, false, &prompt) && prompt && !prompt->is_active,
           "a version is switched off");
    tap_is(
        sql_run(context, "SELECT string_agg(is_active::text, ' ' ORDER BY version) FROM prompts"),
        "false true", "another version does not change");
    tap_ok(!iimg_prompt_lock(context, id, &prompt) && prompt && prompt->version == 1,
           "a version is locked by its id");
}

static void test_list(iimg_context_t *context)
{
    static const struct {
        bool is_staff;
        const char *login, *type, *seen, *sentence;
    } rows[] = {
        { true, "a@example.com", NULL, "coach 2, coach 1, sentinel 3, ",
          "staff see all, by type, the newest first" },
        { true, "A@EXAMPLE.com", "coach", "coach 2, coach 1, ",
          "staff read the versions of a type" },
        { true, "a@example.com", "image_generation", "",
          "a type without versions is an empty list" },
        { false, "a@example.com", NULL, "", "others see none" },
        { true, "b@example.com", NULL, "", "an unknown login reads no versions" },
    };
    apr_array_header_t *prompts;
    const iimg_caller_t *caller;

    make(context, "('coach', 1, true, ''), ('sentinel', 3, true, ''), ('coach', 2, true, '')");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *seen = "";
        iimg_prompt_t *prompt;

        sql_run(context, "DELETE FROM users");
        sql_run(context, "INSERT INTO users (email, is_staff) VALUES ('a@example.com', %s)",
                rows[i].is_staff ? "true" : "false");
        context->login = rows[i].login;
        tap_ok(!iimg_prompt_list(context, rows[i].type, &caller, &prompts), "versions are listed");
        for (int k = 0; k < prompts->nelts; k++) {
            const iimg_prompt_t *one = &APR_ARRAY_IDX(prompts, k, iimg_prompt_t);

            seen = apr_psprintf(context->pool, "%s%s %d, ", seen, one->prompt_type, one->version);
        }
        tap_is(seen, rows[i].seen, "%s", rows[i].sentence);
        tap_ok(!iimg_prompt_by_id(context,
                                  sql_run(context, "SELECT id FROM prompts WHERE version = 3"),
                                  &caller, &prompt)
                   && (prompt ? prompt->version == 3 && i < 3 : i >= 3),
               "a version is read by its id");
    }
}

int main(void)
{
    static const char *const tables[] = { "prompts", "users", NULL };
    iimg_context_t *context = work_begin();

    if (sql_begin(context, tables)) {
        test_active(context);
        test_insert(context);
        test_set_active(context);
        test_list(context);
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
