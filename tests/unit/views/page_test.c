/* page_test.c - views/page.c: limits, cursors and filters of lists, and the next page's address. */
#include "views/page.c"
#include "tap.h"
#include "work.h"

#define ID "0f0e0d0c-0b0a-4908-8706-050403020100"

static iimg_context_t *context;
static iimg_json_t *answered;
static iimg_error_t *not_staff;
static iimg_role_t asked_role;
static const iimg_location_t location = { IIMG_LOCATION_API, "/api/v1" };

const iimg_location_t *iimg_location_of(const request_rec *r)
{
    (void)r;
    return &location;
}

iimg_error_t *iimg_identify_caller(iimg_context_t *of, iimg_role_t role)
{
    (void)of;
    asked_role = role;
    return not_staff;
}

iimg_error_t *iimg_respond_signer(iimg_request_t *req, iimg_media_signer_t **signer)
{
    (void)req;
    *signer = NULL;
    return NULL;
}

iimg_json_t *iimg_respond_begin(iimg_request_t *req, apr_size_t reserve)
{
    return iimg_json_create(req->context->pool, reserve);
}

iimg_error_t *iimg_respond_json(iimg_request_t *req, int status, const iimg_json_t *json)
{
    (void)req;
    tap_is_number(status, 200, "a page is answered with 200");
    answered = (iimg_json_t *)json;
    return NULL;
}

static iimg_request_t *request(const char *args)
{
    iimg_request_t *req = apr_pcalloc(context->pool, sizeof(*req));
    request_rec *r = apr_pcalloc(context->pool, sizeof(*r));

    r->pool = context->pool;
    r->args = args ? apr_pstrdup(r->pool, args) : NULL;
    r->headers_out = apr_table_make(r->pool, 1);
    req->r = r;
    req->context = context;
    req->path = "admin/users/";
    context->base_url = "https://x";
    return req;
}

static void test_limits(void)
{
    static const struct {
        const char *args;
        int limit; /* 0: refused */
    } cases[] = {
        { NULL, 25 },       { "", 25 },           { "limit=1", 1 },    { "limit=100", 100 },
        { "limit=101", 0 }, { "limit=0", 0 },     { "limit=-1", 0 },   { "limit=x", 0 },
        { "limit=", 0 },    { "limit=%2B25", 0 }, { "limit=025", 25 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_page_t page;
        iimg_input_t *query;
        iimg_error_t *err = iimg_read_page(request(cases[i].args), &page, &query);

        tap_is(err ? err->field : NULL, cases[i].limit ? NULL : "limit", "?%s is %s",
               cases[i].args ? cases[i].args : "", cases[i].limit ? "taken" : "refused");
        tap_ok(!cases[i].limit || page.limit == cases[i].limit, "?%s asks for %d rows",
               cases[i].args ? cases[i].args : "", cases[i].limit);
        tap_ok(err || (!page.before_id && strcmp(page.patterns, "{}") == 0),
               "?%s asks for the first page of all rows", cases[i].args ? cases[i].args : "");
    }
}

static void test_cursors(void)
{
    static const struct {
        const char *before, *time;
    } cases[] = {
        { "0." ID, "0" },
        { "1800000000000000." ID, "1800000000000000" },
        { "-62135596800000000." ID, "-62135596800000000" },
        { "-62135596800000001." ID, NULL },
        { "253402300799999999." ID, "253402300799999999" },
        { "253402300800000000." ID, NULL },
        { "000000000000000001." ID, "000000000000000001" },
        { "0000000000000000001." ID, NULL },
        { "." ID, NULL },
        { "-." ID, NULL },
        { "%2B1." ID, NULL },
        { "1" ID, NULL },
        { "1x" ID, NULL },
        { "1." ID "0", NULL },
        { "1.0f0e0d0c-0b0a-4908-8706-05040302010", NULL },
        { "1.0f0e0d0c-0b0a-4908-8706-05040302010g", NULL },
        { "1.5." ID, NULL },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_page_t page;
        iimg_input_t *query;
        iimg_error_t *err = iimg_read_page(
            request(apr_pstrcat(context->pool, "before=", cases[i].before, NULL)), &page, &query);

        tap_is(err ? err->field : NULL, cases[i].time ? NULL : "before", "cursor %s is %s",
               cases[i].before, cases[i].time ? "taken" : "refused");
        tap_ok(!cases[i].time
                   || (strcmp(page.before_time, cases[i].time) == 0
                       && strcmp(page.before_id, ID) == 0),
               "cursor %s: its time and id", cases[i].before);
    }
    {
        iimg_page_t page;
        iimg_input_t *query;

        tap_ok(!iimg_read_page(request("before="), &page, &query) && !page.before_id,
               "an empty cursor is the first page");
    }
}

static void test_search(void)
{
    for (int length = 100; length <= 101; length++) {
        char *text = apr_pcalloc(context->pool, 200);
        iimg_page_t page;
        iimg_input_t *query;
        iimg_error_t *err;

        memset(text, 'x', (size_t)length);
        err = iimg_read_page(request(apr_pstrcat(context->pool, "search=", text, NULL)), &page,
                             &query);
        tap_is(err ? err->field : NULL, length == 100 ? NULL : "search",
               "a search of %d characters", length);
        if (length == 101) {
            tap_is(page.patterns, "{}", "a search that is refused has no patterns");
            err = iimg_read_page(
                request(apr_pstrcat(context->pool, "limit=0&before=x&search=", text, NULL)), &page,
                &query);
            tap_ok(err && err->more && err->more->more && !err->more->more->more,
                   "all that is wrong is reported");
        }
    }
    {
        iimg_page_t page;
        iimg_input_t *query;

        tap_ok(!iimg_read_page(request("search=a+b%25"), &page, &query)
                   && strstr(page.patterns, "%a%") && strstr(page.patterns, "%b\\\\%%"),
               "a search is a pattern for each word");
    }
}

static void test_filters(void)
{
    static const struct {
        const char *args, *flag;
        bool wrong;
    } flags[] = {
        { "f=true", "t", false }, { "f=0", "f", false },   { "f=", NULL, false },
        { "", NULL, false },      { "f=maybe", "", true },
    };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        iimg_input_t *query;
        const char *value = NULL;
        iimg_error_t *err;

        (void)iimg_input_parse_query(context->pool, flags[i].args, &query);
        err = iimg_read_flag_filter(query, "f", &value);
        tap_ok((err != NULL) == flags[i].wrong, "flag filter ?%s is %s", flags[i].args,
               flags[i].wrong ? "refused" : "taken");
        if (!err) {
            tap_is(value, flags[i].flag, "flag filter ?%s has its value", flags[i].args);
        }
    }
    {
        iimg_input_t *query;
        const char *value = NULL;

        (void)iimg_input_parse_query(context->pool, "a=&b=xyz", &query);
        tap_ok(!iimg_read_text_filter(query, "a", 3, &value) && !value, "an empty filter is none");
        tap_ok(!iimg_read_text_filter(query, "b", 3, &value) && strcmp(value, "xyz") == 0,
               "a filter of the most characters");
        tap_ok(iimg_read_text_filter(query, "b", 2, &value) != NULL,
               "a filter of one more character");
        tap_ok(iimg_read_uuid_filter(query, "b", &value) != NULL, "a filter that is no UUID");
    }
}

static void write_row(iimg_json_t *out, iimg_media_signer_t *signer, const void *row)
{
    (void)signer;
    iimg_json_integer(out, *(const int *)row);
}

static void test_next(void)
{
    static const char *const rows[][2] = {
        { NULL, "https://x/api/v1/admin/users/?before=7." ID },
        { "limit=2", "https://x/api/v1/admin/users/?limit=2&before=7." ID },
        { "limit=2&before=9.x&search=a+b%20c",
          "https://x/api/v1/admin/users/?limit=2&search=a+b%20c&before=7." ID },
        { "before=9.x", "https://x/api/v1/admin/users/?before=7." ID },
        { "beforex=1&xbefore=2", "https://x/api/v1/admin/users/?beforex=1&xbefore=2&before=7." ID },
        { "a=\"<\xc3\xbc>[]{}|\\^`", "https://x/api/v1/admin/users/?a=%22%3C%C3%BC%3E%5B%5D%7B%7D"
                                     "%7C%5C%5E%60&before=7." ID },
        { "a=-._~!$'()*,;:@/?==&&b",
          "https://x/api/v1/admin/users/?a=-._~!$'()*,;:@/?==&b&before=7." ID },
    };
    apr_array_header_t *list = apr_array_make(context->pool, 2, sizeof(int));
    iimg_page_t page = { .next_time = "7", .next_id = ID };
    iimg_request_t *req;

    APR_ARRAY_PUSH(list, int) = 1;
    APR_ARRAY_PUSH(list, int) = 2;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_json_t *out = iimg_json_create(context->pool, 100);

        iimg_json_string(out, rows[i][1]);
        (void)iimg_answer_page(request(rows[i][0]), &page, list, write_row);
        tap_is(answered->text,
               apr_psprintf(context->pool, "{\"results\":[1,2],\"next\":%s}", out->text),
               "the page after ?%s", rows[i][0] ? rows[i][0] : "");
    }
    page.next_id = NULL;
    (void)iimg_answer_page(request("limit=2"), &page, list, write_row);
    tap_is(answered->text, "{\"results\":[1,2],\"next\":null}", "the last page");
    req = request(NULL);
    iimg_set_location(req, ID);
    tap_is(apr_table_get(req->r->headers_out, "Location"), "https://x/api/v1/admin/users/" ID "/",
           "a new row's address");
}

static void test_refusal(void)
{
    iimg_error_t *problem = iimg_error(context->pool, IIMG_INVALID, "No.");

    tap_ok(iimg_refuse_list(request(NULL), problem) == problem, "staff hear what is wrong");
    tap_is_number(asked_role, IIMG_STAFF, "lists are for staff");
    not_staff = iimg_error(context->pool, IIMG_FORBIDDEN, "No staff.");
    tap_ok(iimg_refuse_list(request(NULL), problem) == not_staff, "others hear that they may not");
}

int main(void)
{
    context = work_begin();
    test_limits();
    test_cursors();
    test_search();
    test_filters();
    test_next();
    test_refusal();
    work_end(context);
    return tap_done();
}
