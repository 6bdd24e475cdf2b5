/* rows_test.c - base/db/rows.c: copied rows and rows in libpq are the same. */
#include "base/db/rows.h"
#include <stdlib.h>
#include <string.h>
#include "tap.h"
#include "work.h"

/* "0.0", "0.1", ...; each row's last value is NULL. @param length of the first value, if it is more
 */
static PGresult *make(int rows, int columns, int length)
{
    PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    PGresAttDesc *fields = calloc((size_t)columns, sizeof(*fields));
    char text[32], *first = malloc((size_t)length + 1);

    for (int i = 0; i < columns; i++) {
        fields[i].name = (char *)"field";
    }
    PQsetResultAttrs(result, columns, fields);
    memset(first, 'x', (size_t)length);
    for (int i = 0; i < rows * columns; i++) {
        bool null = i % columns == columns - 1;

        snprintf(text, sizeof(text), "%d.%d", i / columns, i % columns);
        PQsetvalue(result, i / columns, i % columns,
                   null           ? NULL
                   : i || !length ? text
                                  : first,
                   null           ? -1
                   : i || !length ? (int)strlen(text)
                                  : length);
    }
    free(first);
    free(fields);
    return result;
}

static void check(apr_pool_t *pool, int count, int columns, int length, bool copied)
{
    iimg_rows_t *rows = iimg_rows_create(pool, make(count, columns, length));
    const char *first = iimg_rows_text(rows, 0, 0);
    char last[32];

    tap_ok((rows->result == NULL) == copied, "%d x %d values, the first of %d bytes: %s", count,
           columns, length, copied ? "copied" : "libpq's");
    tap_is_number(rows->count, count, "all rows");
    tap_is_number((long)strlen(first), length ? length : 3, "the first value is complete");
    snprintf(last, sizeof(last), "%d.%d", count - 1, columns - 2);
    tap_is(iimg_rows_text(rows, count - 1, columns - 2), last, "the last value is unchanged");
    tap_ok(iimg_rows_text(rows, count - 1, columns - 1) == NULL, "NULL is a NULL pointer");
    tap_is_number((long)iimg_rows_integer(rows, count - 1, 1), count - 1, "a number");
    tap_is_number((long)iimg_rows_integer(rows, 0, columns - 1), 0, "NULL as an integer is 0");
    tap_ok(!iimg_rows_bool(rows, 0, columns - 1), "and false");
}

int main(void)
{
    iimg_context_t *context = work_begin();
    iimg_rows_t *none = iimg_rows_create(context->pool,
                                         PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK));

    check(context->pool, 1, 3, 0, true);
    check(context->pool, 64, 4, 0, true);
    check(context->pool, 65, 4, 0, false);
    check(context->pool, 1, 3, 8000, true);
    check(context->pool, 1, 3, 8200, false);
    tap_is_number(none->count, 0, "a command without a result has no rows");
    work_end(context);
    return tap_done();
}
