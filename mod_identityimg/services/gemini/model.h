/* model.h - the image models of Gemini: what each takes, and what follows those that end. */
#ifndef IIMG_SERVICES_GEMINI_MODEL_H
#define IIMG_SERVICES_GEMINI_MODEL_H

#include <stdbool.h>
#include <apr_pools.h>

/** A model. Lists are in the order in which they are shown, with NULL at their end. */
typedef struct iimg_gemini_model_t {
    const char *name;                 /* NULL: the last row, for models that are not in the table */
    const char *successor;            /* NULL: the model is current */
    bool served;                      /* with a successor: deprecated, and answers until its end */
    const char *const *aspect_ratios; /* NULL: it is not asked any more */
    const char *const *resolutions;
    int max_references; /* pictures in a request */
} iimg_gemini_model_t;

/**
 * The model to ask for a configured or requested name: without "models/", and where the name was
 * retired the current model at the end of its successors.
 * @param alias set to whether the name is that of a retired model
 */
const char *iimg_gemini_model(const char *name, bool *alias);

/** The number-th name, from 0, of a retired model for which this one is asked. @return NULL: no
 * more */
const char *iimg_gemini_retired(const char *model, int number);

/** Limits of the model to ask for a name; for an unknown model, of all models. @return never NULL
 */
const iimg_gemini_model_t *iimg_gemini_model_row(const char *name);

/** The model that follows a retired or deprecated one. @return NULL: the name is current or unknown
 */
const char *iimg_gemini_model_follower(const char *name);

/** Whether the model to ask for a name makes pictures of this ratio and resolution. */
bool iimg_gemini_model_takes(const char *name, const char *aspect_ratio, const char *resolution);

/** The default where the request names nothing: the preferred one, or the model's own. */
const char *iimg_gemini_model_ratio(const iimg_gemini_model_t *model, const char *preferred);
const char *iimg_gemini_model_resolution(const iimg_gemini_model_t *model, const char *preferred);

/**
 * Check a table of models: each successor is in it, successors end at a current model, and each
 * model that is asked takes ratios and resolutions whose size is known.
 * @param table NULL: the built-in one
 * @return NULL, or a sentence that names the model
 */
const char *iimg_gemini_model_problem(apr_pool_t *pool, const iimg_gemini_model_t *table);

#endif
