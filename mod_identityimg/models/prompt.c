/* prompt.c - versions of prompts: rows of prompts. */
#include "models/prompt.h"

#include "base/db/array.h"
#include "models/query.h"

const char *const iimg_prompt_types[] = { IIMG_PROMPT_IMAGE_GENERATION, "sentinel", "coach", NULL };

const char *const iimg_context_keys[] = { "identity_for_image", "additional_prompt", NULL };

#define IIMG_ROW iimg_prompt_t

#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "p.id") \
    NEXT(prompt_type, TEXT, "p.prompt_type") \
    NEXT(version, INTEGER, "p.version") \
    NEXT(body, TEXT, "p.body") \
    NEXT(is_active, BOOL, "p.is_active") \
    NEXT(required_context_keys, ARRAY, "p.required_context_keys") \
    NEXT(created_by, TEXT, "p.created_by") \
    NEXT(created_at, TEXT, "p.created_at")
#define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t prompt_row = IIMG_ROW_TYPE(columns);

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

iimg_error_t *iimg_prompt_active(iimg_context_t *context, const char *prompt_type,
                                 iimg_prompt_t **prompt)
{
    return iimg_query_one(context, &prompt_row, &active, IIMG_PARAMS(prompt_type), prompt);
}

iimg_error_t *iimg_prompt_list(iimg_context_t *context, const char *prompt_type,
                               const iimg_caller_t **caller, apr_array_header_t **prompts)
{
    return iimg_query_list_for_caller(context, &prompt_row, &list,
                                      IIMG_PARAMS(IIMG_CALLER_PARAMS(context), prompt_type), caller,
                                      prompts);
}

iimg_error_t *iimg_prompt_by_id(iimg_context_t *context, const char *id,
                                const iimg_caller_t **caller, iimg_prompt_t **prompt)
{
    return iimg_query_one_for_caller(context, &prompt_row, &by_id,
                                     IIMG_PARAMS(IIMG_CALLER_PARAMS(context), id), caller, prompt);
}

iimg_error_t *iimg_prompt_lock(iimg_context_t *context, const char *id, iimg_prompt_t **prompt)
{
    return iimg_query_one(context, &prompt_row, &lock_row, IIMG_PARAMS(id), prompt);
}

iimg_error_t *iimg_prompt_lock_type(iimg_context_t *context, const char *prompt_type)
{
    return iimg_db_query(context, &lock_type, IIMG_PARAMS(prompt_type), NULL);
}

iimg_error_t *iimg_prompt_insert(iimg_context_t *context, iimg_prompt_t **prompt)
{
    const iimg_prompt_t *new = *prompt;
    const char *keys = iimg_db_array_format(context->pool, new->required_context_keys);

    return iimg_query_one(
        context, &prompt_row, &insert,
        IIMG_PARAMS(new->prompt_type, new->body, new->is_active ? "t" : "f", keys, new->created_by),
        prompt);
}

iimg_error_t *iimg_prompt_set_active(iimg_context_t *context, const char *id, bool is_active,
                                     iimg_prompt_t **prompt)
{
    return iimg_query_one(context, &prompt_row, &set_active, IIMG_PARAMS(id, is_active ? "t" : "f"),
                          prompt);
}
