/* prompt_template_test.c - which bodies of prompts can be saved, and why others cannot. */
#include "services/generator/prompt_template.h"
#include <apr_general.h>
#include <apr_strings.h>
#include "tap.h"

static const char *const names[] = { "identity_context", "additional_prompt", NULL };

#define BOTH "{identity_context}{additional_prompt}"
#define ALLOWED \
    " is not a placeholder. Allowed: {identity_context}, {additional_prompt}. Double the braces to keep them literally."
#define LACKS(which) "Required placeholders are missing: " which "."

int main(void)
{
    static const struct {
        const char *body, *problem;
    } rows[] = {
        { BOTH, NULL },
        { "{additional_prompt} then {identity_context}", NULL },
        { BOTH BOTH, NULL },
        { BOTH " {0} { } {} %s } { {1a} {-} {a b} {.a}", NULL },
        { BOTH " {{unknown}} {{ }} {{", NULL },
        { BOTH "{", NULL },
        { BOTH "}", NULL },
        { BOTH " { identity_context }", NULL },
        { BOTH "{\xc3\xa9}", NULL },
        { "{a{identity_context}{additional_prompt}}", NULL },
        { "{{{identity_context}}}{additional_prompt}", NULL },
        { "{identity_context}}{additional_prompt}", NULL },
        { "", LACKS("{identity_context}, {additional_prompt}") },
        { "words", LACKS("{identity_context}, {additional_prompt}") },
        { "{identity_context}", LACKS("{additional_prompt}") },
        { "{additional_prompt}", LACKS("{identity_context}") },
        { "{{identity_context}}{additional_prompt}", LACKS("{identity_context}") },
        { "{{identity_context}{additional_prompt}", LACKS("{identity_context}") },
        { "{identity_context{additional_prompt}", LACKS("{identity_context}") },
        { BOTH "{name}", "{name}" ALLOWED },
        { "{name}", "{name}" ALLOWED },
        { BOTH "{Identity_Context}", "{Identity_Context}" ALLOWED },
        { BOTH "{identity_context.__class__}", "{identity_context.__class__}" ALLOWED },
        { BOTH "{_}", "{_}" ALLOWED },
        { BOTH "{identity_contex}", "{identity_contex}" ALLOWED },
        { BOTH "{identity_context2}", "{identity_context2}" ALLOWED },
        { BOTH "{{{name}}}", "{name}" ALLOWED },
        { BOTH "{a}{b}", "{a}" ALLOWED },
    };
    apr_pool_t *pool;
    char *text;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is(iimg_prompt_problem(pool, rows[i].body, names), rows[i].problem, "\"%s\" is %s",
               rows[i].body, rows[i].problem ? "refused" : "taken");
    }
    text = apr_pcalloc(pool, 100003);
    memset(text, 'x', 100002);
    text[0] = '{';
    text[100001] = '}';
    tap_ok(strlen(iimg_prompt_problem(pool, text, names)) < 250,
           "a name of 100,000 letters is not repeated whole");
    memset(text, '{', 100001);
    tap_is(iimg_prompt_problem(pool, text, names), LACKS("{identity_context}, {additional_prompt}"),
           "100,001 braces are read to their end");
    apr_terminate();
    return tap_done();
}
