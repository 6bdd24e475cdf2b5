/* query.h - runs the statements of the models and reads their rows into structs, by tables. */
#ifndef IIMG_MODELS_QUERY_H
#define IIMG_MODELS_QUERY_H

#include <stddef.h>
#include "models/caller.h"
#include "models/page.h"

/*
 * A model lists the columns of its struct once; the SQL and the reader follow from that list:
 *
 *     #define IIMG_ROW iimg_photo_t
 *     #define EACH_COLUMN(FIRST, NEXT) \
 *         FIRST(id, TEXT, "p.id") \
 *         NEXT(order, INTEGER, "p.\"order\"")
 *     #define COLUMNS EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL)
 *     static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
 *     static const iimg_row_type_t photo_type = IIMG_ROW_TYPE(columns);
 *
 *     "SELECT " COLUMNS " FROM photos p WHERE p.id = $1::uuid"
 *     err = iimg_query_one(context, &photo_type, &by_id, IIMG_PARAMS(id), &photo);
 *
 * COLUMNS must be the last columns of a statement. The first one is never NULL in a row that
 * exists: rows without it are the empty side of an outer join and are skipped. A type that does not
 * fit the member fails to compile.
 */

typedef enum {
    IIMG_COLUMN_TEXT,    /* const char *, NULL for SQL NULL */
    IIMG_COLUMN_BOOL,    /* bool, false for SQL NULL */
    IIMG_COLUMN_INTEGER, /* int, 0 for SQL NULL */
    IIMG_COLUMN_ARRAY    /* apr_array_header_t * of const char * */
} iimg_column_type_t;

#define IIMG_COLUMN_TEXT_TYPE    const char *
#define IIMG_COLUMN_BOOL_TYPE    bool
#define IIMG_COLUMN_INTEGER_TYPE int
#define IIMG_COLUMN_ARRAY_TYPE   apr_array_header_t *

typedef struct iimg_column_t {
    iimg_column_type_t type;
    size_t offset; /* of the member */
} iimg_column_t;

#define IIMG_COLUMN_SQL(member, type, sql)      sql
#define IIMG_COLUMN_NEXT_SQL(member, type, sql) ", " sql
#define IIMG_COLUMN(member, type, sql) \
    { IIMG_COLUMN_##type, \
      offsetof(IIMG_ROW, member) \
          + 0 * sizeof(char[IIMG_COLUMN_FITS(member, IIMG_COLUMN_##type##_TYPE)]) },
#define IIMG_COLUMN_FITS(member, type) \
    __builtin_types_compatible_p(__typeof__(((IIMG_ROW *)0)->member), type) ? 1 : -1

/** How to read a row. */
typedef struct iimg_row_type_t {
    size_t size; /* of the struct; members without a column are 0 */
    const iimg_column_t *columns;
    int count; /* of columns */
} iimg_row_type_t;

#define IIMG_ROW_TYPE(columns) \
    { \
        sizeof(IIMG_ROW), columns, (int)(sizeof(columns) / sizeof((columns)[0])) \
    }

/** Read all rows. @return of the row's struct */
apr_array_header_t *iimg_query_read(apr_pool_t *pool, const iimg_row_type_t *type,
                                    const iimg_rows_t *rows);

/* The functions below run a statement. On errors, outputs are NULL, false or 0.
 * `row` is the address of a pointer to the struct, which becomes NULL if there is no row. */

iimg_error_t *iimg_query_one(iimg_context_t *context, const iimg_row_type_t *type,
                             const iimg_statement_t *statement, int count,
                             const char *const *params, void *row);

iimg_error_t *iimg_query_list(iimg_context_t *context, const iimg_row_type_t *type,
                              const iimg_statement_t *statement, int count,
                              const char *const *params, apr_array_header_t **list);

/** For a statement with IIMG_CALLER_COLUMNS. */
iimg_error_t *iimg_query_one_for_caller(iimg_context_t *context, const iimg_row_type_t *type,
                                        const iimg_statement_t *statement, int count,
                                        const char *const *params, const iimg_caller_t **caller,
                                        void *row);

iimg_error_t *iimg_query_list_for_caller(iimg_context_t *context, const iimg_row_type_t *type,
                                         const iimg_statement_t *statement, int count,
                                         const char *const *params, const iimg_caller_t **caller,
                                         apr_array_header_t **list);

/** For a statement that lists a page, with IIMG_PAGE_PARAMS; see models/page.h. */
iimg_error_t *iimg_query_page(iimg_context_t *context, const iimg_row_type_t *type,
                              const iimg_statement_t *statement, int count,
                              const char *const *params, iimg_page_t *page,
                              const iimg_caller_t **caller, apr_array_header_t **list);

/** The first column of all rows. @param texts const char * */
iimg_error_t *iimg_query_texts(iimg_context_t *context, const iimg_statement_t *statement,
                               int count, const char *const *params, apr_array_header_t **texts);

/** Run a statement that changes rows. @param changed how many */
iimg_error_t *iimg_query_change(iimg_context_t *context, const iimg_statement_t *statement,
                                int count, const char *const *params, int *changed);

/** Run a statement that changes one row at most. @param found whether it did */
iimg_error_t *iimg_query_change_one(iimg_context_t *context, const iimg_statement_t *statement,
                                    int count, const char *const *params, bool *found);

/** @return whether the statement failed because of a constraint of that name */
bool iimg_query_violates(const iimg_error_t *err, const char *constraint);

#endif
