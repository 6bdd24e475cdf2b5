/* query.c - runs the statements of the models and reads their rows into structs, by tables. */
#include "models/query.h"

#include <assert.h>
#include <string.h>
#include "base/db/array.h"

static void read_column(apr_pool_t *pool, const iimg_column_t *column, const iimg_rows_t *rows,
                        int row, int number, void *member)
{
    switch (column->type) {
    case IIMG_COLUMN_TEXT:
        *(const char **)member = iimg_rows_text(rows, row, number);
        break;
    case IIMG_COLUMN_BOOL:
        *(bool *)member = iimg_rows_bool(rows, row, number);
        break;
    case IIMG_COLUMN_INTEGER:
        *(int *)member = (int)iimg_rows_integer(rows, row, number);
        break;
    case IIMG_COLUMN_ARRAY:
        *(apr_array_header_t **)member = iimg_db_array_parse(pool,
                                                             iimg_rows_text(rows, row, number));
        break;
    }
}

apr_array_header_t *iimg_query_read(apr_pool_t *pool, const iimg_row_type_t *type,
                                    const iimg_rows_t *rows)
{
    apr_array_header_t *list = apr_array_make(pool, rows->count + 1, (int)type->size);
    int from = rows->columns - type->count;

    assert(from >= 0);
    for (int row = 0; row < rows->count; row++) {
        char *to;

        if (!iimg_rows_text(rows, row, from)) {
            continue;
        }
        to = memset(apr_array_push(list), 0, type->size);
        for (int i = 0; i < type->count; i++) {
            const iimg_column_t *column = &type->columns[i];

            read_column(pool, column, rows, row, from + i, to + column->offset);
        }
    }
    return list;
}

/* `row` points to a pointer to some struct; memcpy sets it whatever its type is. */
static void set_first(const apr_array_header_t *list, void *row)
{
    void *first = list && list->nelts ? list->elts : NULL;

    memcpy(row, &first, sizeof(first));
}

iimg_error_t *iimg_query_list(iimg_context_t *context, const iimg_row_type_t *type,
                              const iimg_statement_t *statement, int count,
                              const char *const *params, apr_array_header_t **list)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    *list = err ? NULL : iimg_query_read(context->pool, type, rows);
    return err;
}

iimg_error_t *iimg_query_one(iimg_context_t *context, const iimg_row_type_t *type,
                             const iimg_statement_t *statement, int count,
                             const char *const *params, void *row)
{
    apr_array_header_t *list;
    iimg_error_t *err = iimg_query_list(context, type, statement, count, params, &list);

    set_first(list, row);
    return err;
}

iimg_error_t *iimg_query_list_for_caller(iimg_context_t *context, const iimg_row_type_t *type,
                                         const iimg_statement_t *statement, int count,
                                         const char *const *params, const iimg_caller_t **caller,
                                         apr_array_header_t **list)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    *caller = err ? NULL : iimg_caller_of_rows(context, rows);
    *list = err ? NULL : iimg_query_read(context->pool, type, rows);
    return err;
}

iimg_error_t *iimg_query_one_for_caller(iimg_context_t *context, const iimg_row_type_t *type,
                                        const iimg_statement_t *statement, int count,
                                        const char *const *params, const iimg_caller_t **caller,
                                        void *row)
{
    apr_array_header_t *list;
    iimg_error_t *err = iimg_query_list_for_caller(context, type, statement, count, params, caller,
                                                   &list);

    set_first(list, row);
    return err;
}

iimg_error_t *iimg_query_page(iimg_context_t *context, const iimg_row_type_t *type,
                              const iimg_statement_t *statement, int count,
                              const char *const *params, iimg_page_t *page,
                              const iimg_caller_t **caller, apr_array_header_t **list)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    if (err) {
        *caller = NULL;
        *list = NULL;
        return err;
    }
    *caller = iimg_caller_of_rows(context, rows);
    *list = iimg_query_read(context->pool, type, rows);
    iimg_page_close(page, rows, *list);
    return NULL;
}

iimg_error_t *iimg_query_texts(iimg_context_t *context, const iimg_statement_t *statement,
                               int count, const char *const *params, apr_array_header_t **texts)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    *texts = NULL;
    if (err) {
        return err;
    }
    *texts = apr_array_make(context->pool, rows->count + 1, sizeof(const char *));
    for (int row = 0; row < rows->count; row++) {
        APR_ARRAY_PUSH(*texts, const char *) = iimg_rows_text(rows, row, 0);
    }
    return NULL;
}

iimg_error_t *iimg_query_change(iimg_context_t *context, const iimg_statement_t *statement,
                                int count, const char *const *params, int *changed)
{
    iimg_rows_t *rows;
    iimg_error_t *err = iimg_db_query(context, statement, count, params, &rows);

    *changed = err ? 0 : rows->affected;
    return err;
}

iimg_error_t *iimg_query_change_one(iimg_context_t *context, const iimg_statement_t *statement,
                                    int count, const char *const *params, bool *found)
{
    int changed;
    iimg_error_t *err = iimg_query_change(context, statement, count, params, &changed);

    *found = changed > 0;
    return err;
}

bool iimg_query_violates(const iimg_error_t *err, const char *constraint)
{
    return err && err->constraint && strcmp(err->constraint, constraint) == 0;
}
