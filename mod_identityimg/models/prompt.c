/* prompt.c - versions of prompts: rows of prompts. */
#include "models/prompt.h"

static const iimg_statement_t active = {
    "iimg_prompt_active",
    "SELECT id, version, body FROM prompts WHERE prompt_type = $1::text AND is_active"
    " ORDER BY version DESC LIMIT 1"
};

iimg_error_t *iimg_prompt_active(iimg_context_t *context, const char *prompt_type,
                                 iimg_prompt_t **prompt)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &active, IIMG_PARAMS(prompt_type), &rows);

    *prompt = NULL;
    if (err || rows->count == 0) {
        return err;
    }
    *prompt = apr_palloc(context->pool, sizeof(**prompt));
    (*prompt)->id = iimg_rows_text(rows, 0, 0);
    (*prompt)->version = (int)iimg_rows_integer(rows, 0, 1);
    (*prompt)->body = iimg_rows_text(rows, 0, 2);
    return NULL;
}
