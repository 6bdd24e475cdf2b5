/* build_prompt_test.c - the words that go to a generator, to the character. */
#include "functions/shared/build_prompt.h"
#include "services/generator/prompt_template.h"
#include "tap.h"
#include "work.h"

static const iimg_placeholder_t both[] = { { "identity_context", "ID" },
                                           { "additional_prompt", "{identity_context} %s {0}" } };

int main(void)
{
    iimg_context_t *context = work_begin();
    apr_pool_t *pool = context->pool;
    static const struct {
        const char *body, *want;
    } rows[] = {
        { "a {identity_context} b {additional_prompt} c", "a ID b {identity_context} %s {0} c" },
        { "{identity_context}{identity_context}", "IDID" },
        { "{{identity_context}}", "{identity_context}" },
        { "{{{identity_context}}}", "{ID}" },
        { "{unknown} { } {0} %s }", "{unknown} { } {0} %s }" },
        { "{identity_context", "{identity_context" },
        { "", "" },
        { "}}{{", "}{" },
        { "{identity_context.__class__}", "{identity_context.__class__}" },
        { "{ identity_context }", "{ identity_context }" },
    };
    iimg_identity_t identity = { .name = "Quiet \"Maker\"",
                                 .category = "maker_of_money",
                                 .i_am_statement = NULL,
                                 .visualization = "",
                                 .notes = apr_array_make(pool, 2, sizeof(const char *)) };
    iimg_prompt_t prompt = { .body = "{identity_context}|{additional_prompt}" };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is(iimg_prompt_render(pool, rows[i].body, both, 2), rows[i].want,
               "\"%s\" is filled in once", rows[i].body);
    }
    tap_is(iimg_build_prompt(pool, &prompt, &identity, ""),
           "Identity Name: \"Quiet \"Maker\"\"\nCategory: maker_of_money|None provided",
           "lines that say nothing are left out, and an empty addition says so");
    identity.i_am_statement = "I am {x}.";
    identity.visualization = "Seen.";
    APR_ARRAY_PUSH(identity.notes, const char *) = "a";
    APR_ARRAY_PUSH(identity.notes, const char *) = "b";
    tap_is(
        iimg_build_prompt(pool, &prompt, &identity, "more"),
        "Identity Name: \"Quiet \"Maker\"\"\nCategory: maker_of_money\nI Am Statement: I am {x}.\nVisualization: Seen.\nNotes: a; b|more",
        "all lines, in order");
    work_end(context);
    return tap_done();
}
