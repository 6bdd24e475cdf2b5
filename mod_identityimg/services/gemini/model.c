/* model.c - the table of Gemini's image models, from Google's pages on models and deprecations. */
#include "services/gemini/model.h"

#include <string.h>
#include <apr_strings.h>
#include "services/generator/generator.h"

#define MAX_HOPS 8 /* most successors in a row */

static const char *const usual_ratios[] = { "1:1", "2:3",  "3:2",  "3:4",  "4:3", "4:5",
                                            "5:4", "9:16", "16:9", "21:9", NULL };
static const char *const all_ratios[] = { "1:1",  "2:3",  "3:2", "3:4", "4:3", "4:5", "5:4", "9:16",
                                          "16:9", "21:9", "1:4", "4:1", "1:8", "8:1", NULL };
static const char *const up_to_4k[] = { "1K", "2K", "4K", NULL };
static const char *const only_1k[] = { "1K", NULL };

static const iimg_gemini_model_t models[] = {
    { "gemini-3-pro-image", NULL, true, usual_ratios, up_to_4k, 14 },
    { "gemini-nano-banana-2.1", NULL, true, all_ratios, up_to_4k, 14 },
    { "gemini-3.1-flash-image", NULL, true, all_ratios, up_to_4k, 14 },
    { "gemini-3.1-flash-lite-image", NULL, true, all_ratios, only_1k, 14 },
    { "gemini-2.5-flash-image", "gemini-3.1-flash-image", true, usual_ratios, only_1k, 3 },
    { "gemini-2.5-flash-image-preview", "gemini-2.5-flash-image", false, NULL, NULL, 0 },
    { "gemini-3-pro-image-preview", "gemini-3-pro-image", false, NULL, NULL, 0 },
    { "gemini-3.1-flash-image-preview", "gemini-3.1-flash-image", false, NULL, NULL, 0 },
    { NULL, NULL, true, usual_ratios, up_to_4k, 14 },
};

/* @return the table's last row for an unknown model */
static const iimg_gemini_model_t *find_model(const iimg_gemini_model_t *table, const char *name)
{
    while (table->name && strcmp(table->name, name) != 0) {
        table++;
    }
    return table;
}

/* @return the model at the end of the successors; NULL: they are circular, or leave the table */
static const iimg_gemini_model_t *last_successor(const iimg_gemini_model_t *table,
                                                 const iimg_gemini_model_t *model)
{
    for (int hops = 0; model->name && hops <= MAX_HOPS; hops++) {
        if (!model->successor) {
            return model;
        }
        model = find_model(table, model->successor);
    }
    return NULL;
}

static const char *without_prefix(const char *name)
{
    static const char prefix[] = "models/";

    return strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? name + sizeof(prefix) - 1 : name;
}

const iimg_gemini_model_t *iimg_gemini_model_row(const char *name)
{
    const iimg_gemini_model_t *model = find_model(models, without_prefix(name));

    return model->served ? model : last_successor(models, model);
}

const char *iimg_gemini_model(const char *name, bool *alias)
{
    name = without_prefix(name);
    *alias = !find_model(models, name)->served;
    return *alias ? iimg_gemini_model_row(name)->name : name;
}

const char *iimg_gemini_retired(const char *model, int number)
{
    for (const iimg_gemini_model_t *row = models; row->name; row++) {
        if (!row->served && strcmp(last_successor(models, row)->name, model) == 0
            && number-- == 0) {
            return row->name;
        }
    }
    return NULL;
}

const char *iimg_gemini_model_successor(const char *name)
{
    const iimg_gemini_model_t *model = find_model(models, without_prefix(name));

    return model->successor ? last_successor(models, model)->name : NULL;
}

static const char *find_name(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0) {
        names++;
    }
    return *names;
}

bool iimg_gemini_model_takes(const char *name, const char *aspect_ratio, const char *resolution)
{
    const iimg_gemini_model_t *model = iimg_gemini_model_row(name);

    return find_name(model->aspect_ratios, aspect_ratio)
           && find_name(model->resolutions, resolution);
}

const char *iimg_gemini_model_ratio(const iimg_gemini_model_t *model, const char *preferred)
{
    const char *ratio = find_name(model->aspect_ratios, preferred);

    return ratio ? ratio : model->aspect_ratios[0];
}

const char *iimg_gemini_model_resolution(const iimg_gemini_model_t *model, const char *preferred)
{
    const char *resolution = find_name(model->resolutions, preferred);
    const char *const *largest = model->resolutions;

    while (largest[1]) {
        largest++;
    }
    return resolution ? resolution : *largest;
}

/* Checking --------------------------------------------------------------------------------------
 */

static const char *sizes_problem(apr_pool_t *pool, const iimg_gemini_model_t *model)
{
    int width, height;

    for (const char *const *ratio = model->aspect_ratios; *ratio; ratio++) {
        for (const char *const *resolution = model->resolutions; *resolution; resolution++) {
            if (!iimg_generator_size(*ratio, *resolution, &width, &height)) {
                return apr_psprintf(pool, "the model %s takes %s at %s, which has no known size",
                                    model->name, *ratio, *resolution);
            }
        }
    }
    return NULL;
}

const char *iimg_gemini_model_problem(apr_pool_t *pool, const iimg_gemini_model_t *table)
{
    const char *problem = NULL;

    table = table ? table : models;
    for (const iimg_gemini_model_t *model = table; model->name && !problem; model++) {
        if (find_model(table, model->name) != model) {
            problem = apr_psprintf(pool, "the model %s is listed twice", model->name);
        }
        else if (!last_successor(table, model)) {
            problem = apr_psprintf(
                pool, "the successors of the model %s do not end at a current model", model->name);
        }
        else if (model->served && model->aspect_ratios && model->aspect_ratios[0]
                 && model->resolutions && model->resolutions[0]) {
            problem = sizes_problem(pool, model);
        }
        else if (model->served || !model->successor) {
            problem = apr_psprintf(pool, "the model %s takes no aspect ratio or no resolution",
                                   model->name);
        }
    }
    return problem;
}
