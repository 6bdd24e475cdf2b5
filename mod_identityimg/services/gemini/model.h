/* model.h - the table of Gemini's image models: limits, and successors of retired ones. */
#ifndef IIMG_SERVICES_GEMINI_MODEL_H
#define IIMG_SERVICES_GEMINI_MODEL_H

#include <stdbool.h>
#include <apr_pools.h>

/** A model. Lists are in display order and end with NULL. */
typedef struct iimg_gemini_model_t {
    const char *name;                 /* NULL: the last row, for unknown models */
    const char *successor;            /* NULL: the model is current */
    bool served;                      /* with a successor: deprecated, but still served */
    const char *const *aspect_ratios; /* NULL: retired */
    const char *const *resolutions;
    int max_references; /* most pictures in a request */
} iimg_gemini_model_t;

/**
 * Resolve a configured or requested name: "models/" is removed, and a retired model is replaced by
 * the current model at the end of its successors.
 * @param alias set to whether the name is that of a retired model
 */
const char *iimg_gemini_model(const char *name, bool *alias);

/** List the retired models that resolve to this one: number counts from 0. @return NULL: no more */
const char *iimg_gemini_retired(const char *model, int number);

/** Limits of the model that a name resolves to; an unknown model has the widest. @return never NULL
 */
const iimg_gemini_model_t *iimg_gemini_model_row(const char *name);

/** The successor of a retired or deprecated model. @return NULL: the name is current or unknown */
const char *iimg_gemini_model_successor(const char *name);

/** Whether the model that a name resolves to accepts this ratio and resolution. */
bool iimg_gemini_model_takes(const char *name, const char *aspect_ratio, const char *resolution);

/** The default of a request: the preferred value if the model accepts it, else the model's own. */
const char *iimg_gemini_model_ratio(const iimg_gemini_model_t *model, const char *preferred);
const char *iimg_gemini_model_resolution(const iimg_gemini_model_t *model, const char *preferred);

/**
 * Check a table of models: each successor is in it, successors end at a current model, and the
 * pixels of all ratios and resolutions are known.
 * @param table NULL: the built-in table
 * @return NULL, or a sentence that names the model
 */
const char *iimg_gemini_model_problem(apr_pool_t *pool, const iimg_gemini_model_t *table);

#endif
