/* prompt.c - versions of prompts: rows of prompts. */
#include "models/prompt.h"

#include "base/db/array.h"

const char *const iimg_prompt_types[] = { IIMG_PROMPT_IMAGE_GENERATION, "sentinel", "coach", NULL };

const char *const iimg_context_keys[] = { "identity_for_image", "additional_prompt", NULL };

#define COLUMNS \
    "p.id, p.prompt_type, p.version, p.body, p.is_active, p.required_context_keys, " \
    "p.created_by, p.created_at"

static const iimg_statement_t active = IIMG_STATEMENT(
    "iimg_prompt_active",
    "SELECT " COLUMNS " FROM prompts p WHERE p.prompt_type = $1::text AND p.is_active"
    " ORDER BY p.version DESC LIMIT 1");

static const iimg_statement_t list = IIMG_STATEMENT(
    "iimg_prompt_list",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c"
    "  LEFT JOIN prompts p ON c.is_staff AND ($3::text IS NULL OR p.prompt_type = $3::text)"
    " WHERE " IIMG_CALLER_IS " ORDER BY p.prompt_type, p.version DESC");

static const iimg_statement_t by_id = IIMG_STATEMENT(
    "iimg_prompt_by_id",
    "SELECT " IIMG_CALLER_COLUMNS ", " COLUMNS
    "  FROM users c LEFT JOIN prompts p ON c.is_staff AND p.id = $3::uuid"
    " WHERE " IIMG_CALLER_IS);

static const iimg_statement_t lock_type = IIMG_STATEMENT(
    "iimg_prompt_lock_type",
    "SELECT pg_advisory_xact_lock(hashtext('iimg_prompt'), hashtext($1::text))");

static const iimg_statement_t insert = IIMG_STATEMENT(
    "iimg_prompt_insert",
    "INSERT INTO prompts AS p"
    "       (prompt_type, version, body, is_active, required_context_keys, created_by)"
    " SELECT $1::text, coalesce(max(version), 0) + 1, $2::text, $3::boolean, $4::text[], $5::uuid"
    "   FROM prompts WHERE prompt_type = $1::text"
    " RETURNING " COLUMNS);

static const iimg_statement_t lock_row = IIMG_STATEMENT(
    "iimg_prompt_lock", "SELECT " COLUMNS " FROM prompts p WHERE p.id = $1::uuid FOR UPDATE");

static const iimg_statement_t set_active = IIMG_STATEMENT(
    "iimg_prompt_set_active",
    "UPDATE prompts AS p SET is_active = $2::boolean WHERE p.id = $1::uuid RETURNING " COLUMNS);

static void take_row(apr_pool_t *pool, const iimg_rows_t *rows, int row, int from,
                     iimg_prompt_t *prompt)
{
    prompt->id = iimg_rows_text(rows, row, from);
    prompt->prompt_type = iimg_rows_text(rows, row, from + 1);
    prompt->version = (int)iimg_rows_integer(rows, row, from + 2);
    prompt->body = iimg_rows_text(rows, row, from + 3);
    prompt->is_active = iimg_rows_bool(rows, row, from + 4);
    prompt->required_context_keys = iimg_db_array_parse(pool, iimg_rows_text(rows, row, from + 5));
    prompt->created_by = iimg_rows_text(rows, row, from + 6);
    prompt->created_at = iimg_rows_text(rows, row, from + 7);
}

static apr_array_header_t *take_rows(apr_pool_t *pool, const iimg_rows_t *rows, int from)
{
    apr_array_header_t *prompts = apr_array_make(pool, rows->count + 1, sizeof(iimg_prompt_t));

    for (int row = 0; row < rows->count; row++) {
        if (iimg_rows_text(rows, row, from)) {
            take_row(pool, rows, row, from, apr_array_push(prompts));
        }
    }
    return prompts;
}

static iimg_prompt_t *take_first(apr_pool_t *pool, const iimg_rows_t *rows, int from)
{
    apr_array_header_t *prompts = take_rows(pool, rows, from);

    return prompts->nelts ? &APR_ARRAY_IDX(prompts, 0, iimg_prompt_t) : NULL;
}

static iimg_error_t *one(iimg_context_t *context, const iimg_statement_t *statement, int count,
                         const char *const *params, iimg_prompt_t **prompt)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    *prompt = err ? NULL : take_first(context->pool, rows, 0);
    return err;
}

iimg_error_t *iimg_prompt_active(iimg_context_t *context, const char *prompt_type,
                                 iimg_prompt_t **prompt)
{
    return one(context, &active, IIMG_PARAMS(prompt_type), prompt);
}

iimg_error_t *iimg_prompt_list(iimg_context_t *context, const char *prompt_type,
                               const iimg_caller_t **caller, apr_array_header_t **prompts)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &list,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context), prompt_type), &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *prompts = err ? NULL : take_rows(context->pool, rows, IIMG_CALLER_WIDTH);
    return err;
}

iimg_error_t *iimg_prompt_by_id(iimg_context_t *context, const char *id,
                                const iimg_caller_t **caller, iimg_prompt_t **prompt)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, &by_id, IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id),
                                      &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *prompt = err ? NULL : take_first(context->pool, rows, IIMG_CALLER_WIDTH);
    return err;
}

iimg_error_t *iimg_prompt_lock(iimg_context_t *context, const char *id, iimg_prompt_t **prompt)
{
    return one(context, &lock_row, IIMG_PARAMS(id), prompt);
}

iimg_error_t *iimg_prompt_lock_type(iimg_context_t *context, const char *prompt_type)
{
    return iimg_db_query(context, &lock_type, IIMG_PARAMS(prompt_type), NULL);
}

iimg_error_t *iimg_prompt_insert(iimg_context_t *context, iimg_prompt_t **prompt)
{
    const iimg_prompt_t *new = *prompt;
    const char *keys = iimg_db_array_format(context->pool, new->required_context_keys);

    return one(
        context, &insert,
        IIMG_PARAMS(new->prompt_type, new->body, new->is_active ? "t" : "f", keys, new->created_by),
        prompt);
}

iimg_error_t *iimg_prompt_set_active(iimg_context_t *context, const char *id, bool is_active,
                                     iimg_prompt_t **prompt)
{
    return one(context, &set_active, IIMG_PARAMS(id, is_active ? "t" : "f"), prompt);
}
