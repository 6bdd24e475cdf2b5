/* rows.c - results of statements: small ones are copied, large ones stay in libpq. */
#include "base/db/rows.h"

#include <stdlib.h>
#include <string.h>

#define MOST_COPIED       256 /* values of a small result */
#define MOST_COPIED_BYTES 8192

static apr_status_t drop_result(void *data)
{
    PQclear(data);
    return APR_SUCCESS;
}

/* @return the bytes of all values, with a NUL for each */
static apr_size_t count_bytes(const PGresult *result)
{
    int rows = PQntuples(result), columns = PQnfields(result);
    apr_size_t bytes = 0;

    for (int i = 0; i < rows * columns; i++) {
        bytes += (apr_size_t)PQgetlength(result, i / columns, i % columns) + 1;
    }
    return bytes;
}

static void copy_values(apr_pool_t *pool, iimg_rows_t *rows, apr_size_t bytes)
{
    int count = rows->count * rows->columns;
    char *to = apr_palloc(pool, count * sizeof(*rows->values) + bytes);

    rows->values = (const char **)to;
    to += count * sizeof(*rows->values);
    for (int i = 0; i < count; i++) {
        int row = i / rows->columns, column = i % rows->columns;
        apr_size_t length = (apr_size_t)PQgetlength(rows->result, row, column) + 1;

        rows->values[i] = NULL;
        if (!PQgetisnull(rows->result, row, column)) {
            rows->values[i] = memcpy(to, PQgetvalue(rows->result, row, column), length);
            to += length;
        }
    }
}

/* A result of one row takes 4 KB in libpq, and a request that waits for minutes may hold a dozen.
 * Small results are copied to save that memory. */
iimg_rows_t *iimg_rows_create(apr_pool_t *pool, PGresult *result)
{
    iimg_rows_t *rows = apr_pcalloc(pool, sizeof(*rows));
    apr_size_t bytes = 0;

    rows->result = result;
    rows->columns = PQnfields(result);
    rows->count = PQntuples(result);
    rows->affected = atoi(PQcmdTuples(result));
    if (rows->count * rows->columns <= MOST_COPIED
        && (bytes = count_bytes(result)) <= MOST_COPIED_BYTES) {
        copy_values(pool, rows, bytes);
        rows->result = NULL;
        PQclear(result);
    }
    else {
        apr_pool_cleanup_register(pool, result, drop_result, apr_pool_cleanup_null);
    }
    return rows;
}

/* Values -------------------------------------------------------------------------------------- */

const char *iimg_rows_text(const iimg_rows_t *rows, int row, int column)
{
    if (!rows->result) {
        return rows->values[row * rows->columns + column];
    }
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

bool iimg_rows_bool(const iimg_rows_t *rows, int row, int column)
{
    const char *text = iimg_rows_text(rows, row, column);

    return text && text[0] == 't';
}

long long iimg_rows_integer(const iimg_rows_t *rows, int row, int column)
{
    const char *text = iimg_rows_text(rows, row, column);

    return text ? atoll(text) : 0;
}
