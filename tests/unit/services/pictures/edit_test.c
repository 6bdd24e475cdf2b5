/* edit_test.c - services/pictures/edit.c: what an edit makes, and which edits are refused. */
#include "services/pictures/edit.h"

#include <stdlib.h>
#include "tap.h"

#define KEEP(from, n) \
    { \
        .kind = IIMG_EDIT_KEEP, .offset = (from), .length = (n) \
    }
#define INSERT(n) \
    { \
        .kind = IIMG_EDIT_INSERT, .insert_length = (n) \
    }
#define FILL(with, n) \
    { \
        .kind = IIMG_EDIT_FILL, .byte = (with), .length = (n) \
    }

static const char original[] = "0123456789";

static const struct {
    const char *name;
    iimg_edit_step_t steps[4];
    int count;
    const char *inserts;
    const char *result; /* NULL: refused */
} rows[] = {
    { "no step makes nothing", { KEEP(0, 0) }, 0, "", "" },
    { "one range is kept", { KEEP(0, 10) }, 1, "", "0123456789" },
    { "ranges may touch", { KEEP(0, 4), KEEP(4, 6) }, 2, "", "0123456789" },
    { "a range is cut out", { KEEP(0, 2), KEEP(8, 2) }, 2, "", "0189" },
    { "inserts are taken one after the other",
      { INSERT(2), KEEP(3, 1), INSERT(1) },
      3,
      "abc",
      "ab3c" },
    { "a range is blanked", { KEEP(0, 1), FILL('x', 8), KEEP(9, 1) }, 3, "", "0xxxxxxxx9" },
    { "64 bytes more",
      { KEEP(0, 10), FILL('x', 64) },
      2,
      "",
      "0123456789"
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" },
    { "65 bytes more", { KEEP(0, 10), FILL('x', 65) }, 2, "", NULL },
    { "a length that would wrap around", { KEEP(0, 10), FILL('x', UINT64_MAX - 4) }, 2, "", NULL },
    { "an offset that would wrap around", { KEEP(UINT64_MAX, 2) }, 1, "", NULL },
    { "an offset and a length that wrap together", { KEEP(9, UINT64_MAX - 8) }, 1, "", NULL },
    { "a range beyond the end", { KEEP(9, 2) }, 1, "", NULL },
    { "a range behind the end", { KEEP(11, 1) }, 1, "", NULL },
    { "ranges that overlap", { KEEP(0, 5), KEEP(4, 2) }, 2, "", NULL },
    { "ranges that descend", { KEEP(5, 1), KEEP(0, 1) }, 2, "", NULL },
    { "ranges that descend around a fill", { KEEP(5, 1), FILL(0, 1), KEEP(0, 1) }, 3, "", NULL },
    { "a step of nothing", { KEEP(0, 0) }, 1, "", NULL },
    { "an insert of nothing", { INSERT(0) }, 1, "", NULL },
    { "a fill of nothing", { FILL('x', 0) }, 1, "", NULL },
    { "more inserted than there is", { INSERT(2) }, 1, "a", NULL },
    { "more inserted than there is, in two", { INSERT(1), INSERT(1) }, 2, "a", NULL },
    { "less inserted than there is", { INSERT(1) }, 1, "ab", NULL },
    { "an unknown kind", { { .kind = 3, .length = 1 } }, 1, "", NULL },
    { "a reserved member in use",
      { { .kind = IIMG_EDIT_KEEP, .reserved = 1, .length = 1 } },
      1,
      "",
      NULL },
    { "a fill from the original",
      { { .kind = IIMG_EDIT_FILL, .offset = 1, .length = 1 } },
      1,
      "",
      NULL },
    { "a range of some byte", { { .kind = IIMG_EDIT_KEEP, .byte = 1, .length = 1 } }, 1, "", NULL },
    { "an insert with a length",
      { { .kind = IIMG_EDIT_INSERT, .insert_length = 1, .length = 1 } },
      1,
      "a",
      NULL },
};

/* Room of just the length that was promised, so that a sanitizer sees the first byte too far. */
static bool makes(const iimg_edit_t *edit, uint64_t length, const char *result)
{
    unsigned char *out = malloc(length ? length : 1);
    bool same;

    if (!out) {
        abort();
    }
    iimg_edit_apply(edit, (const unsigned char *)original, out);
    same = length == strlen(result) && memcmp(out, result, length) == 0;
    free(out);
    return same;
}

/* Within the original it is the same, where the last step keeps something and there is room. */
static bool makes_within(const iimg_edit_t *edit, uint64_t length, const char *result)
{
    size_t size = strlen(original);
    unsigned char *copy = malloc(size), *made;
    bool same;

    if (!copy) {
        abort();
    }
    memcpy(copy, original, size);
    made = iimg_edit_apply_within(edit, length, copy);
    same = made ? made >= copy && made + length <= copy + size && memcmp(made, result, length) == 0
                : memcmp(copy, original, size) == 0;
    free(copy);
    return same;
}

static void test_within(void)
{
    iimg_edit_step_t steps[] = { KEEP(0, 2), INSERT(1), FILL('-', 2), KEEP(5, 5) };
    iimg_edit_t edit = { .steps = steps, .count = 4, .insert_length = 1, .inserts = "x" };
    unsigned char copy[] = "0123456789";

    tap_ok(iimg_edit_apply_within(&edit, 10, copy) == copy && memcmp(copy, "01x--56789", 10) == 0,
           "an edit with just enough room is applied within the original");
    memcpy(copy, original, 10);
    steps[3] = (iimg_edit_step_t)KEEP(6, 4);
    tap_ok(iimg_edit_apply_within(&edit, 9, copy) == copy + 1
               && memcmp(copy + 1, "01x--6789", 9) == 0,
           "from a later byte on, if it is shorter");
    memcpy(copy, original, 10);
    steps[3] = (iimg_edit_step_t)KEEP(4, 6);
    tap_ok(!iimg_edit_apply_within(&edit, 11, copy) && memcmp(copy, original, 10) == 0,
           "an edit without enough room is not applied within");
    edit.count = 3;
    tap_ok(!iimg_edit_apply_within(&edit, 5, copy) && memcmp(copy, original, 10) == 0,
           "an edit that ends with an insert is not applied within");
    edit.count = 0;
    tap_ok(!iimg_edit_apply_within(&edit, 0, copy), "an empty edit is not applied within");
}

static void test_rows(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_edit_t edit = { .count = rows[i].count,
                             .insert_length = (int)strlen(rows[i].inserts) };
        uint64_t length = 12345;
        bool valid;

        edit.steps = (iimg_edit_step_t *)rows[i].steps;
        memcpy(edit.inserts, rows[i].inserts, strlen(rows[i].inserts));
        valid = iimg_edit_is_valid(&edit, strlen(original), &length);
        if (rows[i].result) {
            tap_ok(valid && makes(&edit, length, rows[i].result)
                       && makes_within(&edit, length, rows[i].result),
                   "%s", rows[i].name);
        }
        else {
            tap_ok(!valid && length == 12345, "%s is refused", rows[i].name);
        }
    }
}

static void test_counts(void)
{
    static iimg_edit_step_t many[IIMG_EDIT_MAX_STEPS + 1];
    iimg_edit_t edit = { .steps = many, .count = IIMG_EDIT_MAX_STEPS };
    uint64_t length;

    for (int i = 0; i <= IIMG_EDIT_MAX_STEPS; i++) {
        many[i] = (iimg_edit_step_t)KEEP((uint64_t)i, 1);
    }
    tap_ok(iimg_edit_is_valid(&edit, 10000, &length) && length == IIMG_EDIT_MAX_STEPS,
           "the maximum number of steps is valid");
    edit.count++;
    tap_ok(!iimg_edit_is_valid(&edit, 10000, &length), "a step more is refused");
    edit.count = -1;
    tap_ok(!iimg_edit_is_valid(&edit, 10000, &length), "a negative count is refused");
    edit.count = 0;
    edit.insert_length = IIMG_EDIT_MAX_INSERT + 1;
    tap_ok(!iimg_edit_is_valid(&edit, 10000, &length), "more inserts than there is room for");
    edit.insert_length = -1;
    tap_ok(!iimg_edit_is_valid(&edit, 10000, &length), "a negative length of inserts is refused");
}

/* Of a picture so large that its growth is no limit before the inserts are one. */
static void test_most_inserts(void)
{
    iimg_edit_step_t steps[] = { INSERT(IIMG_EDIT_MAX_INSERT), KEEP(100, 900) };
    iimg_edit_t edit = { .steps = steps, .count = 2, .insert_length = IIMG_EDIT_MAX_INSERT };
    uint64_t length;

    tap_ok(iimg_edit_is_valid(&edit, 1000, &length) && length == 900 + IIMG_EDIT_MAX_INSERT,
           "the maximum of inserted bytes is valid");
    steps[0].insert_length++;
    edit.insert_length++;
    tap_ok(!iimg_edit_is_valid(&edit, 1000, &length), "more inserted bytes are invalid");
}

int main(void)
{
    test_rows();
    test_most_inserts();
    test_within();
    test_counts();
    return tap_done();
}
