/* model_test.c - the table of models: successors, what each takes, and faults of a table. */
#include "services/gemini/model.h"

#include "services/generator/generator.h"
#include "tap.h"
#include "work.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const char *const ratios[] = { "1:1", NULL };
static const char *const odd_ratios[] = { "1:1", "7:13", NULL };
static const char *const sizes[] = { "1K", NULL };
static const char *const none[] = { NULL };

static void test_names(void)
{
    static const struct {
        const char *name, *asked;
        bool alias;
    } rows[] = {
        { "gemini-3-pro-image", "gemini-3-pro-image", false },
        { "models/gemini-3-pro-image", "gemini-3-pro-image", false },
        { "gemini-3-pro-image-preview", "gemini-3-pro-image", true },
        { "models/gemini-3.1-flash-image-preview", "gemini-3.1-flash-image", true },
        { "gemini-2.5-flash-image", "gemini-2.5-flash-image", false },
        { "gemini-2.5-flash-image-preview", "gemini-3.1-flash-image", true },
        { "gemini-next", "gemini-next", false },
    };
    bool alias;

    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_is(iimg_gemini_model(rows[i].name, &alias), rows[i].asked, "%s is asked as %s",
               rows[i].name, rows[i].asked);
        tap_ok(alias == rows[i].alias, "... which is %s alias", rows[i].alias ? "an" : "no");
    }
    tap_is(iimg_gemini_retired("gemini-3.1-flash-image", 0), "gemini-2.5-flash-image-preview",
           "a name that is retired two times is one of the model at the end");
    tap_is(iimg_gemini_retired("gemini-3.1-flash-image", 1), "gemini-3.1-flash-image-preview",
           "so is the one that is retired once");
    tap_is(iimg_gemini_retired("gemini-3.1-flash-image", 2), NULL,
           "the list of retired names ends");
    tap_is(iimg_gemini_retired("gemini-2.5-flash-image", 0), NULL, "a deprecated model has none");
    tap_is(iimg_gemini_model_successor("gemini-2.5-flash-image"), "gemini-3.1-flash-image",
           "a deprecated model has a follower");
    tap_is(iimg_gemini_model_successor("gemini-3-pro-image"), NULL, "a current one has none");
    tap_is(iimg_gemini_model_successor("gemini-next"), NULL, "an unknown model has no successor");
}

static void test_takes(void)
{
    static const struct {
        const char *model, *ratio, *resolution;
        bool taken;
    } rows[] = {
        { "gemini-3-pro-image", "16:9", "4K", true },
        { "gemini-3-pro-image", "1:4", "4K", false },
        { "gemini-3-pro-image", "8:1", "1K", false },
        { "gemini-3-pro-image", "1:1", "512", false },
        { "gemini-3-pro-image-preview", "4:1", "1K", false },
        { "gemini-3.1-flash-image", "1:8", "1K", true },
        { "gemini-3.1-flash-image-preview", "4:1", "4K", true },
        { "gemini-2.5-flash-image-preview", "4:1", "4K", true },
        { "gemini-2.5-flash-image", "4:1", "1K", false },
        { "gemini-2.5-flash-image", "16:9", "2K", false },
        { "gemini-nano-banana-2.1", "1:4", "2K", true },
        { "gemini-3.1-flash-lite-image", "8:1", "1K", true },
        { "gemini-3.1-flash-lite-image", "1:1", "2K", false },
        { "gemini-next", "16:9", "4K", true },
        { "gemini-next", "1:4", "4K", false },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_ok(iimg_gemini_model_takes(rows[i].model, rows[i].ratio, rows[i].resolution)
                   == rows[i].taken,
               "%s %s %s at %s", rows[i].model, rows[i].taken ? "takes" : "does not take",
               rows[i].ratio, rows[i].resolution);
    }
    tap_is(iimg_gemini_model_resolution(iimg_gemini_model_row("gemini-3.1-flash-lite-image"), "4K"),
           "1K", "where the default is not taken, the largest resolution is");
    tap_is(iimg_gemini_model_resolution(iimg_gemini_model_row("gemini-3-pro-image"), "2K"), "2K",
           "where it is taken, it stays");
    tap_is(iimg_gemini_model_ratio(iimg_gemini_model_row("gemini-3-pro-image"), "1:4"), "1:1",
           "where the default ratio is not taken, the first is");
}

static const struct {
    const char *sentence, *problem;
    iimg_gemini_model_t table[4];
} tables[] = {
    { "a chain that ends is right",
      NULL,
      { { "a", "b", false, NULL, NULL, 0 },
        { "b", "c", false, NULL, NULL, 0 },
        { "c", NULL, true, ratios, sizes, 1 } } },
    { "a successor that is not in the table",
      "the successors of the model a do not end at a current model",
      { { "a", "x", false, NULL, NULL, 0 }, { "c", NULL, true, ratios, sizes, 1 } } },
    { "a model that succeeds itself",
      "the successors of the model a do not end at a current model",
      { { "a", "a", false, NULL, NULL, 0 } } },
    { "a cycle of two",
      "the successors of the model a do not end at a current model",
      { { "a", "b", false, NULL, NULL, 0 }, { "b", "a", true, ratios, sizes, 1 } } },
    { "a cycle behind a first hop",
      "the successors of the model a do not end at a current model",
      { { "a", "b", false, NULL, NULL, 0 },
        { "b", "c", true, ratios, sizes, 1 },
        { "c", "b", true, ratios, sizes, 1 } } },
    { "a retired model without a successor",
      "the model a takes no aspect ratio or no resolution",
      { { "a", NULL, false, NULL, NULL, 0 } } },
    { "a model that takes no ratio",
      "the model a takes no aspect ratio or no resolution",
      { { "a", NULL, true, none, sizes, 1 } } },
    { "a ratio without a size",
      "the model a takes 7:13 at 1K, which has no known size",
      { { "a", NULL, true, odd_ratios, sizes, 1 } } },
    { "a name that is there twice",
      "the model a is listed twice",
      { { "a", NULL, true, ratios, sizes, 1 }, { "a", NULL, true, ratios, sizes, 1 } } },
};

int main(void)
{
    iimg_context_t *context = work_begin();

    test_names();
    test_takes();
    tap_is(iimg_gemini_model_problem(context->pool, NULL), NULL, "the built-in table is right");
    for (size_t i = 0; i < COUNT(tables); i++) {
        tap_is(iimg_gemini_model_problem(context->pool, tables[i].table), tables[i].problem, "%s",
               tables[i].sentence);
    }
    work_end(context);
    return tap_done();
}
