/* query_test.c - rows of a result become structs, by the table of columns. */
#include "models/query.h"
#include "tap.h"
#include "work.h"

typedef struct pet_t {
    const char *id;
    struct {
        const char *name;
    } owner;
    bool is_tame;
    int legs;
    apr_array_header_t *toys;
    const char *note; /* has no column */
} pet_t;

#define IIMG_ROW pet_t
#define EACH_COLUMN(FIRST, NEXT) \
    FIRST(id, TEXT, "p.id") \
    NEXT(owner.name, TEXT, "coalesce(o.name, '')") \
    NEXT(is_tame, BOOL, "p.is_tame") \
    NEXT(legs, INTEGER, "p.legs") \
    NEXT(toys, ARRAY, "p.toys")

static const iimg_column_t columns[] = { EACH_COLUMN(IIMG_COLUMN, IIMG_COLUMN) };
static const iimg_row_type_t pet_type = IIMG_ROW_TYPE(columns);

int main(void)
{
    /* The first column belongs to the statement, not to the struct. */
    const char *values[] = {
        "t", "1",  "Ann", "t",  "4",  "{ball,\"a b\"}", /* a row */
        "t", NULL, NULL,  NULL, NULL, NULL,             /* the empty side of an outer join */
        "t", "2",  NULL,  NULL, NULL, NULL,             /* NULLs */
    };
    const iimg_rows_t rows = { .values = values, .columns = 6, .count = 3 };
    const iimg_rows_t none = { .values = values, .columns = 6, .count = 0 };
    const iimg_error_t error = { .constraint = "pets_owner_fkey" };
    const iimg_error_t other = { .constraint = NULL };
    iimg_context_t *context = work_begin();
    apr_array_header_t *pets = iimg_query_read(context->pool, &pet_type, &rows);
    const pet_t *pet = (const pet_t *)pets->elts;

    tap_is(EACH_COLUMN(IIMG_COLUMN_SQL, IIMG_COLUMN_NEXT_SQL),
           "p.id, coalesce(o.name, ''), p.is_tame, p.legs, p.toys",
           "the SQL lists the columns in the order of the table");
    tap_is_number(pet_type.count, 5, "the reader has each column");
    tap_is_number(pets->nelts, 2, "the empty side of an outer join is skipped");
    tap_is(pet[0].id, "1", "a text is read");
    tap_is(pet[0].owner.name, "Ann", "a text is read into a nested member");
    tap_ok(pet[0].is_tame, "a boolean is read");
    tap_is_number(pet[0].legs, 4, "an integer is read");
    tap_ok(pet[0].toys->nelts == 2
               && strcmp(APR_ARRAY_IDX(pet[0].toys, 1, const char *), "a b") == 0,
           "an array is read");
    tap_is(pet[0].note, NULL, "a member without a column is NULL");
    tap_ok(!pet[1].owner.name && !pet[1].is_tame && pet[1].legs == 0 && pet[1].toys->nelts == 0,
           "SQL NULL is NULL, false, 0 or an empty array");
    tap_is_number(iimg_query_read(context->pool, &pet_type, &none)->nelts, 0,
                  "no rows are an empty list");
    tap_ok(iimg_query_violates(&error, "pets_owner_fkey"), "a violated constraint is recognized");
    tap_ok(!iimg_query_violates(&error, "pets_pkey") && !iimg_query_violates(&other, "pets_pkey")
               && !iimg_query_violates(NULL, "pets_pkey"),
           "other errors are not");
    work_end(context);
    return tap_done();
}
