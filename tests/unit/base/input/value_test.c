/* value_test.c - base/input/value.c: each kind of value at its limits, and what of an input is
 * secret. */
#include "base/input/input.h"
#include "tap.h"
#include "work.h"

#define URLENCODED "application/x-www-form-urlencoded"
#define UUID       "00000000-0000-4000-8000-00000000000a"

static apr_pool_t *pool;

static iimg_input_t *of(const char *type, const char *body)
{
    iimg_input_t *input;
    iimg_error_t *err = iimg_input_parse(pool, type, body, strlen(body), &input);

    tap_ok(!err, "%s is read", body);
    return input;
}

static const char *sentence(iimg_error_t *err)
{
    return err ? err->message : NULL;
}

static void integers(void)
{
    static const struct {
        const char *body;
        bool refused, present;
        long long value;
    } cases[] = {
        { "n=7", false, true, 7 },
        { "n=-7", false, true, -7 },
        { "n=%20+7%20", false, true, 7 },
        { "n=0", false, true, 0 },
        { "n=", true, true, 0 },
        { "n=-", true, true, 0 },
        { "n=--7", true, true, 0 },
        { "n=7x", true, true, 0 },
        { "n=x7", true, true, 0 },
        { "n=%2B7", true, true, 0 },
        { "n=7+7", true, true, 0 },
        { "m=7", false, false, 99 },
        { "n=9223372036854775807", false, true, 9223372036854775807LL },
        { "n=99999999999999999999", false, true, 9223372036854775807LL },
        { "n=1&n=2", false, true, 2 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool present = !cases[i].present;
        long long value = 99;
        iimg_error_t *err = iimg_input_integer(of(URLENCODED, cases[i].body), "n", &present,
                                               &value);

        tap_is(sentence(err), cases[i].refused ? "A valid integer is required." : NULL,
               "%s as an integer", cases[i].body);
        tap_ok(present == cases[i].present && (cases[i].refused || value == cases[i].value),
               "... has the right value");
    }
}

static void booleans(void)
{
    static const struct {
        const char *body;
        int value;
    } cases[] = {
        /* 2: refused; 3: untouched */
        { "b=true", 1 }, { "b=1", 1 },     { "b=yes", 1 },  { "b=on", 1 }, { "b=t", 1 },
        { "b=TRUE", 1 }, { "b=false", 0 }, { "b=0", 0 },    { "b=no", 0 }, { "b=off", 0 },
        { "b=f", 0 },    { "b=", 0 },      { "b", 0 },      { "b=2", 2 },  { "b=truex", 2 },
        { "b=tru", 2 },  { "b=y", 2 },     { "b=null", 2 }, { "a=1", 3 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int was = 0; was < 2; was++) {
            bool value = was;
            iimg_error_t *err = iimg_input_bool(of(URLENCODED, cases[i].body), "b", &value);

            tap_is(sentence(err), cases[i].value == 2 ? "Must be a valid boolean." : NULL,
                   "%s as a boolean", cases[i].body);
            tap_is_number(value, cases[i].value < 2 ? cases[i].value : was, "... that was %d", was);
        }
    }
    bool value = true;
    tap_is(sentence(iimg_input_bool(of("application/json", "{\"b\":\"true\"}"), "b", &value)),
           "Must be a valid boolean.", "a JSON text is not a boolean");
    tap_is(sentence(iimg_input_bool(of("application/json", "{\"b\":null}"), "b", &value)), NULL,
           "null is accepted as a boolean");
    tap_ok(!value, "null is false");
}

static void uuids(void)
{
    static const struct {
        const char *type, *body, *sentence, *value;
    } cases[] = {
        { URLENCODED, "u=" UUID, NULL, UUID },
        { URLENCODED, "u=", NULL, NULL },
        { URLENCODED, "x=1", NULL, NULL },
        { URLENCODED, "u=" UUID "a", "Must be a valid UUID.", NULL },
        { URLENCODED, "u=%20", "Must be a valid UUID.", NULL },
        { URLENCODED, "u=" UUID "&u=" UUID, "Give u once only.", NULL },
        { URLENCODED, "u=&u=" UUID, "Give u once only.", NULL },
        { "application/json", "{\"u\":null}", NULL, NULL },
        { "application/json", "{\"u\":7}", "Must be a valid UUID.", NULL },
        { "application/json", "{\"u\":\"" UUID "\\u0000\"}", "Must be a valid UUID.", NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *value = "untouched";

        tap_is(sentence(iimg_input_uuid(of(cases[i].type, cases[i].body), "u", &value)),
               cases[i].sentence, "%s as a UUID", cases[i].body);
        tap_is(value, cases[i].value, "... has the right value");
    }
}

static void texts(void)
{
    static const char composed[] = "e\xcc\x81"
                                   "e\xcc\x81"
                                   "e\xcc\x81"; /* three letters of two characters each */
    iimg_input_t *input = of(URLENCODED,
                             apr_pstrcat(pool, "t= ", composed, " &u=", composed, "e&n=", NULL));
    const char *text;
    iimg_given_t given;

    tap_is(sentence(iimg_input_text(input, "t", 3, &text)), NULL,
           "the length of a text is that of its composed form");
    tap_is(text, "\xc3\xa9\xc3\xa9\xc3\xa9", "a text is stored in composed form");
    tap_is(sentence(iimg_input_text(input, "u", 3, &text)),
           "Ensure this field has no more than 3 characters.", "one more character is too long");
    tap_is(sentence(iimg_input_secret(input, "t", 8, &text)), NULL,
           "the length of a secret is that of the sent text");
    tap_is(text, apr_pstrcat(pool, " ", composed, " ", NULL), "a secret is stored as sent");
    tap_is(sentence(iimg_input_secret(input, "t", 7, &text)),
           "Ensure this field has no more than 7 characters.", "a shorter limit refuses it");
    tap_is(sentence(iimg_input_optional(of("application/json", "{\"t\":null}"), "t", 3, &text)),
           NULL, "an optional text may be null");
    tap_is(text, "", "a null text is absent");
    tap_is(sentence(iimg_input_given(of("application/json", "{\"t\":null}"), "t", 3,
                                     IIMG_NULL_IS_BLANK, &given)),
           NULL, "null may mean blank");
    tap_ok(given.given && given.value && !*given.value, "null as blank is an empty text");
    tap_is(sentence(iimg_input_given(input, "n", 3, 0, &given)), "This field may not be blank.",
           "an empty text is blank");
    tap_ok(given.given && !given.value, "a refused text has no value");
    tap_is(sentence(iimg_input_given(input, "u", 3, 0, &given)),
           "Ensure this field has no more than 3 characters.", "a text has a limit");
    tap_ok(!given.value, "a text beyond the limit has no value");
    tap_ok(iimg_input_is_text(input, "t") && !iimg_input_is_text(input, "n")
               && !iimg_input_is_text(input, "none"),
           "an empty text and an absent one are not null");
    input = of("application/json", "{\"a\":\"x\",\"b\":\"\",\"c\":1,\"d\":null}");
    tap_ok(iimg_input_is_text(input, "a") && !iimg_input_is_text(input, "b")
               && !iimg_input_is_text(input, "c") && !iimg_input_is_text(input, "d"),
           "nor in JSON");
    tap_ok(iimg_input_is_null(input, "d") && !iimg_input_is_null(input, "b")
               && !iimg_input_is_null(input, "none"),
           "only null is null");
}

static const char *listed(const char *body, int max)
{
    apr_array_header_t *values;
    iimg_error_t *err = iimg_input_words(of(URLENCODED, body), "w", max, &values);

    return err ? err->message : apr_array_pstrcat(pool, values, '|');
}

static void lists(void)
{
    char *word = apr_pcalloc(pool, 104);

    strcpy(word, "w=");
    memset(word + 2, 'x', 100);
    tap_is(listed(word, 1), word + 2, "a word has up to 100 characters");
    word[102] = 'x';
    tap_is(listed(word, 1), "Ensure this field has no more than 100 characters.",
           "one more is refused");
    tap_is(listed("w=a,b,c", 3), "a|b|c", "a list may have the most items");
    tap_is(listed("w=a,b,c,d", 3), "At most 3 items.", "a longer list is refused");
}

static void collect(void *baton, const char *data, apr_size_t length)
{
    const char **seen = baton;

    *seen = apr_pstrcat(pool, *seen, apr_pstrmemdup(pool, data, length), ";", NULL);
}

/* Fields that may be part of a stored digest, and secret fields. */
static void visits(void)
{
    static const struct {
        const char *type, *body, *open, *secret;
    } cases[] = {
        { "application/json",
          "{\"a\":\"x\",\"password\":\"pw\",\"b\":null,\"c\":{\"z\":1,\"y\":[2]}}",
          "a;x;b;json;null;c;json;{\"y\":[2],\"z\":1};", "password;pw;" },
        { URLENCODED, "a=x&password=pw&b=null", "a;x;b;null;", "password;pw;" },
        { URLENCODED, "passwords=x&Password=y", "passwords;x;Password;y;", "" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *open = "", *secret = "";
        iimg_input_t *input = of(cases[i].type, cases[i].body);

        iimg_input_visit(input, collect, &open);
        iimg_input_visit_secrets(input, collect, &secret);
        tap_is(open, cases[i].open, "fields without secrets are visited in order");
        tap_is(secret, cases[i].secret, "a password is visited separately");
    }
}

static void many(void)
{
    char *query = apr_pcalloc(pool, 2 * 1001 + 1);
    iimg_input_t *input;

    for (int i = 0; i < 1001; i++) {
        memcpy(query + 2 * i, "a&", 2);
    }
    query[2 * 1000] = '\0';
    tap_is(sentence(iimg_input_parse_query(pool, query, &input)), NULL,
           "a query may have 1000 fields");
    tap_is_number(iimg_input_count(input, "a"), 1000, "all 1000 fields are found");
    query[2 * 1000] = 'a';
    tap_is(sentence(iimg_input_parse_query(pool, query, &input)), "More than 1000 fields.",
           "one more is refused");
}

static void types(void)
{
    static const struct {
        const char *type;
        bool read;
    } cases[] = {
        { "application/json", true },
        { "Application/JSON;charset=x", true },
        { "application/json x", true },
        { "application/jsonx", false },
        { "application/jso", false },
        { "application/problem+json", false },
        { "", false },
        { NULL, false },
    };
    iimg_input_t *input;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_error_t *err = iimg_input_parse(pool, cases[i].type, "{}", 2, &input);

        tap_ok(cases[i].read ? !err : err && err->kind == IIMG_UNSUPPORTED_TYPE,
               "Content-Type %s is %s", cases[i].type ? cases[i].type : "(none)",
               cases[i].read ? "read" : "refused");
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    pool = context->pool;
    integers();
    booleans();
    uuids();
    texts();
    lists();
    visits();
    many();
    types();
    work_end(context);
    return tap_done();
}
