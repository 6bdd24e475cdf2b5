/* scope_test.c - functions/shared/scope.c and what it stands on: each statement finds the caller's
 * own rows, staff's find all, and a change is of one row. */
#include "functions/shared/caller.h"
#include "functions/shared/scope.h"
#include "functions/shared/reference_image.h"
#include "functions/shared/identity.h"
#include "functions/shared/version.h"
#include "models/account.h"
#include "models/identity.h"
#include "models/reference_image.h"
#include "models/test_scenario.h"
#include "models/user.h"
#include "sql.h"

#define ANN         "00000000-0000-4000-8000-0000000ca001"
#define BEN         "00000000-0000-4000-8000-0000000ca002"
#define STA         "00000000-0000-4000-8000-0000000ca003"
#define NONE        "00000000-0000-4000-8000-0000000ca009"
#define IDENTITY(n) "00000000-0000-4000-8000-0000000cb00" #n
#define PHOTO(n)    "00000000-0000-4000-8000-0000000cc00" #n
#define SCENARIO(n) "00000000-0000-4000-8000-0000000cd00" #n

static iimg_context_t *context;
static const iimg_caller_t *caller;

static void start(void)
{
    sql(context, "ROLLBACK TO SAVEPOINT empty");
    sql(context,
        "INSERT INTO users (id, email, password, is_staff, created_at) VALUES"
        " ('" ANN "', 'ann@rights.example', 'hash-ann', false, now() - interval '3 hours'),"
        " ('" BEN "', 'ben@rights.example', 'hash-ben', false, now() - interval '2 hours'),"
        " ('" STA "', 'sta@rights.example', 'hash-sta', true, now() - interval '1 hour')");
    sql(context,
        "INSERT INTO identities (id, user_id, name, category, created_at) VALUES"
        " ('" IDENTITY(
            1) "', '" ANN "', 'rights one', 'rights_a', now()),"
               " ('" IDENTITY(
                   2) "', '" BEN "', 'rights two', 'rights_b', now() - interval '1 hour'),"
                      " ('" IDENTITY(
                          3) "', '" BEN
                             "', 'rights three', 'rights_a', now() - interval '2 hours'),"
                             " ('" IDENTITY(
                                 4) "', '" STA
                                    "', 'rights four', 'rights_a', now() - interval '3 hours')");
    sql(context, "INSERT INTO reference_images (id, user_id, name, \"order\") VALUES"
                 " ('" PHOTO(1) "', '" ANN "', 'rights one', 1), ('" PHOTO(
                     2) "', '" BEN "', 'rights two', 1),"
                        " ('" PHOTO(3) "', '" BEN
                                       "', 'rights three', 0), ('" PHOTO(4) "', '" STA
                                                                            "', 'rights four', 0)");
    sql(context, "INSERT INTO test_scenarios (id, name, user_id, created_at) VALUES"
                 " ('" SCENARIO(1) "', 'rights one', '" BEN "', now()), ('" SCENARIO(
                     2) "', 'rights two', NULL, now() - interval '1 hour')");
}

static void call_as(const char *login)
{
    context->login = login;
    context->login_proof = NULL;
    context->caller = NULL;
}

/* The last digits of the ids that stand first in each element of a list, in its order. */
static const char *ids(const apr_array_header_t *list)
{
    char *text = apr_pstrdup(context->pool, "");

    for (int i = 0; list && i < list->nelts; i++) {
        const char *id = *(const char *const *)(list->elts + i * list->elt_size);

        text = apr_pstrcat(context->pool, text, id + strlen(id) - 1, NULL);
    }
    return text;
}

static const char *of(const char *id)
{
    return id ? id + strlen(id) - 1 : NULL;
}

static void test_proof(void)
{
    static const struct {
        const char *proof;
        bool holds;
        const char *what;
    } cases[] = {
        { NULL, true, "no proof" },
        { "hash-ann", true, "the caller's hash" },
        { "hash-ben", false, "another user's hash" },
        { "", false, "an empty proof" },
    };
    iimg_user_t *user;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call_as("ANN@rights.example");
        context->login_proof = cases[i].proof;
        iimg_caller_by_login(context, &caller);
        tap_ok(caller && caller->credentials_hold == cases[i].holds, "%s %s", cases[i].what,
               cases[i].holds ? "holds" : "does not hold");
        iimg_user_of_caller(context, &caller, &user);
        tap_ok(caller && caller->credentials_hold == cases[i].holds && strcmp(user->id, ANN) == 0,
               "... where the user is read as well");
    }
    call_as("unknown@rights.example");
    iimg_user_of_caller(context, &caller, &user);
    tap_ok(!caller && !user, "an unknown login has no caller");
}

static void test_accept(void)
{
    static const struct {
        iimg_caller_t is;
        bool token;
        iimg_role_t role;
        const char *code, *what;
    } cases[] = {
        { { "x", false, true, true }, false, IIMG_USER, NULL, "a user as a user" },
        { { "x", true, true, true }, false, IIMG_STAFF, NULL, "staff as staff" },
        { { "x", true, true, true }, false, IIMG_USER, NULL, "staff as a user" },
        { { "x", false, true, true }, false, IIMG_STAFF, "permission_denied", "a user as staff" },
        { { "x", true, false, true }, false, IIMG_STAFF, "user_inactive", "inactive staff" },
        { { "x", true, true, false },
          false,
          IIMG_STAFF,
          "authentication_failed",
          "staff with an old password" },
        { { "x", true, true, false },
          true,
          IIMG_STAFF,
          "invalid_token",
          "staff with an ended token" },
    };
    iimg_error_t *err;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call_as("x");
        context->login_token = cases[i].token ? "t" : NULL;
        err = iimg_accept_caller(context, &cases[i].is, cases[i].role);
        tap_is(err ? err->code : NULL, cases[i].code, "%s: accepted or not", cases[i].what);
        tap_ok((context->caller == &cases[i].is)
                   == (!cases[i].code || cases[i].role == IIMG_USER || i == 3),
               "... and known or not");
    }
    context->login_token = NULL;
    tap_is(iimg_accept_caller(context, NULL, IIMG_USER)->code, "user_inactive",
           "a deleted user is not accepted");
    call_as(NULL);
    tap_is(iimg_accept_caller(context, &cases[1].is, IIMG_USER)->code, "not_authenticated",
           "nor is a request without a login");
}

static void test_users(void)
{
    const char *hash, *email;
    bool flag;

    iimg_user_password_by_email(context, "Ben@Rights.example", &hash, &flag);
    tap_ok(flag && hash && strcmp(hash, "hash-ben") == 0,
           "a password is its user's, in any case of the email");
    iimg_user_login_by_id(context, BEN, &email);
    tap_is(email, "ben@rights.example", "a login is found by its user's id");
    sql(context, "UPDATE users SET is_active = false WHERE id = '" BEN "'");
    iimg_user_login_by_id(context, BEN, &email);
    tap_is(email, NULL, "an inactive user has none");
    iimg_user_password_by_email(context, "ben@rights.example", &hash, &flag);
    tap_ok(!flag, "... and may not come in");
    sql(context, "UPDATE users SET password = 'hash-ann' WHERE id = '" STA "'");
    iimg_user_rehash(context, ANN, "hash-old", "better", &flag);
    tap_ok(!flag, "a hash that has changed meanwhile is not replaced");
    iimg_user_rehash(context, ANN, "hash-ann", "better", &flag);
    tap_ok(flag, "one that has not is");
    tap_is(
        sql(context,
            "SELECT string_agg(password, ' ' ORDER BY id) FROM users WHERE email LIKE '%rights.example'"),
        "better hash-ben hash-ann", "... of this user alone");
    iimg_user_lock(context, NONE, &flag);
    tap_ok(!flag, "an unknown user cannot be locked");
    iimg_user_lock(context, ANN, &flag);
    tap_ok(flag, "a known one can");
    tap_is(iimg_user_share(context, NONE)->code, "user_deleted", "a deleted user cannot be kept");
    tap_ok(!iimg_user_share(context, ANN), "a present one can");
}

static void test_identities(void)
{
    apr_array_header_t *list;
    iimg_identity_t *one;
    bool found;

    call_as("ben@rights.example");
    iimg_identity_list_of_caller(context, &caller, &list);
    tap_is(ids(list), "32", "a user's own identities are listed, the oldest first");
    call_as("sta@rights.example");
    iimg_identity_list_of_caller(context, &caller, &list);
    tap_is(ids(list), "4", "... staff's own, too");
    iimg_identity_list_of_test_user(context, BEN, &caller, &found, &list);
    tap_ok(found, "staff see a test user");
    tap_is(ids(list), "32", "... with the user's identities");
    iimg_identity_list_of_test_user(context, ANN, &caller, &found, &list);
    tap_ok(!found && list->nelts == 0, "but no user without a scenario");
    iimg_identity_for_staff(context, IDENTITY(1), &caller, &one);
    tap_is(one ? one->id : NULL, IDENTITY(1), "staff find any identity");
    call_as("ben@rights.example");
    iimg_identity_for_staff(context, IDENTITY(2), &caller, &one);
    tap_ok(!one, "users do not, not even their own");
    iimg_identity_list_of_test_user(context, BEN, &caller, &found, &list);
    tap_ok(!found && list->nelts == 0, "nor are they shown a test user");
    iimg_identity_lock(context, IDENTITY(2), &one);
    one->name = "changed";
    iimg_identity_update(context, &one);
    tap_is_number(one->version, 2, "a change makes a version");
    iimg_identity_set_picture(context, IDENTITY(2),
                              &(iimg_picture_t){ "media/" NONE "/a.jpg", "png" }, &one);
    tap_is_number(one->version, 3, "... so does a picture");
    tap_ok(strcmp(one->picture.key, "media/" NONE "/a.jpg") == 0
               && strcmp(one->picture.sized, "png") == 0,
           "... which is shown");
    iimg_identity_set_picture(context, IDENTITY(2), &(iimg_picture_t){ NULL, NULL }, &one);
    iimg_identity_restore_picture(context, IDENTITY(2), &one);
    tap_is_number(one ? one->version : 0, 5, "... and one that is restored");
    tap_is(one ? one->picture.key : NULL, "media/" NONE "/a.jpg", "... the one before");
    iimg_identity_restore_picture(context, IDENTITY(3), &one);
    tap_ok(!one, "without one before nothing is restored");
    iimg_identity_delete(context, IDENTITY(3), &found);
    tap_ok(found, "an identity is deleted");
    tap_is(
        sql(context,
            "SELECT string_agg(name || version, ',' ORDER BY id) FROM identities WHERE user_id IN ('" ANN
            "', '" BEN "', '" STA "')"),
        "rights one1,changed5,rights four1", "... and all of this was of one row alone");
}

static void test_owner(void)
{
    static const iimg_caller_t ann = { ANN, false, true, true }, staff = { STA, true, true, true };
    iimg_identity_t of_ann = { .user_id = ANN }, of_ben = { .user_id = BEN };
    iimg_scope_t wrong = { .problem = iimg_error(context->pool, IIMG_INVALID, "x") };

    context->caller = &ann;
    tap_ok(!iimg_check_identity_owner(context, &of_ann), "a user may have their own identity");
    tap_ok(iimg_check_identity_owner(context, &of_ben)->kind == IIMG_NOT_FOUND,
           "... not another user's");
    tap_ok(iimg_check_identity_owner(context, NULL) != NULL, "... nor one that is not there");
    tap_ok(!iimg_check_scope(context, &wrong), "a user's user_id is not even looked at");
    context->caller = &staff;
    tap_ok(!iimg_check_identity_owner(context, &of_ben), "staff may have any");
    tap_ok(iimg_check_identity_owner(context, NULL) != NULL, "... but none that is not there");
    tap_ok(iimg_check_scope(context, &wrong) == wrong.problem,
           "... and are told of a wrong user_id");
    tap_ok(!iimg_check_reference_image_order(context, 0)
               && !iimg_check_reference_image_order(context, 4),
           "slots are 0 to 4");
    tap_ok(iimg_check_reference_image_order(context, -1)
               && iimg_check_reference_image_order(context, 5),
           "... and no others");
    call_as("ann@rights.example");
    tap_ok(!iimg_identify_caller_for(context, ANN), "a user may do what the owner may");
    tap_is(iimg_identify_caller_for(context, BEN)->code, "permission_denied",
           "... not what another one may");
    call_as("sta@rights.example");
    tap_ok(!iimg_identify_caller_for(context, BEN), "staff may");
}

static void test_photos(void)
{
    static const struct {
        const char *login, *user_id, *listed, *photo, *found, *what;
    } cases[] = {
        { "ben@rights.example", NULL, "32", PHOTO(2), "2", "a user" },
        { "ben@rights.example", ANN, "32", PHOTO(1), NULL, "a user who names another one" },
        { "ben@rights.example", NULL, "32", PHOTO(1), NULL, "a user who asks for another one's" },
        { "sta@rights.example", NULL, "4", PHOTO(4), "4", "staff" },
        { "sta@rights.example", NULL, "4", PHOTO(1), NULL, "staff without the user" },
        { "sta@rights.example", ANN, "1", PHOTO(1), "1", "staff with a user" },
        { "sta@rights.example", ANN, "1", PHOTO(2), NULL, "staff with the wrong user" },
        { "sta@rights.example", NONE, "", PHOTO(1), NULL, "staff with an unknown user" },
    };
    apr_array_header_t *list;
    iimg_reference_image_t *one;
    bool found, taken[IIMG_REFERENCE_IMAGE_SLOTS];
    int order = 3;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        call_as(cases[i].login);
        iimg_reference_image_list(context, cases[i].user_id, &caller, &list);
        tap_is(ids(list), cases[i].listed, "%s: these photos are listed", cases[i].what);
        iimg_reference_image_by_id(context, cases[i].user_id, cases[i].photo, &caller, &one);
        tap_is(one ? of(one->id) : NULL, cases[i].found, "... and this one is found");
    }
    call_as("ben@rights.example");
    iimg_reference_image_for_staff(context, PHOTO(2), &caller, &one);
    tap_ok(!one, "what staff see of all photos users do not");
    call_as("sta@rights.example");
    iimg_reference_image_for_staff(context, PHOTO(2), &caller, &one);
    tap_is(one ? of(one->id) : NULL, "2", "staff do");

    iimg_reference_image_slots(context, BEN, taken);
    tap_ok(taken[0] && taken[1] && !taken[2] && !taken[3] && !taken[4], "slots are the user's own");
    iimg_reference_image_lock(context, ANN, PHOTO(2), &one);
    tap_ok(!one, "another user's photo cannot be locked");
    iimg_reference_image_update(context, ANN, PHOTO(2), "x", &order, &one);
    tap_ok(!one, "... nor changed");
    iimg_reference_image_swap(context, ANN, PHOTO(2), "x", 3, &one);
    tap_ok(!one, "... nor moved");
    iimg_reference_image_set_picture(context, ANN, PHOTO(2),
                                     &(iimg_picture_t){ "media/" NONE "/a.jpg", "png" }, &one);
    tap_ok(!one, "... nor shown otherwise");
    iimg_reference_image_delete(context, ANN, PHOTO(2), &found);
    tap_ok(!found, "... nor deleted");
    iimg_reference_image_swap(context, BEN, PHOTO(2), "mine", 0, &one);
    tap_ok(one && one->order == 0 && one->version == 2, "one's own is moved");
    tap_is(
        sql(context,
            "SELECT string_agg(name || \"order\" || version, ',' ORDER BY id) FROM reference_images WHERE id::text LIKE '%0000000cc00_'"),
        "rights one11,mine02,rights three12,rights four01",
        "... and the photo in the other slot, no other user's");
    iimg_reference_image_set_picture(context, BEN, PHOTO(2),
                                     &(iimg_picture_t){ "media/" NONE "/a.jpg", "png" }, &one);
    tap_ok(one && one->version == 3, "a picture makes a version");
    iimg_reference_image_with_picture(context, BEN, &list);
    tap_is(ids(list), "2", "photos with a picture are the user's that have one");
    iimg_reference_image_with_picture(context, ANN, &list);
    tap_is(ids(list), "", "... and no other user's");
    iimg_reference_image_update(context, BEN, PHOTO(3), NULL, &order, &one);
    tap_ok(one && one->order == 3 && one->version == 3 && strcmp(one->name, "rights three") == 0,
           "a change of the order leaves the name");
    iimg_reference_image_delete(context, BEN, PHOTO(3), &found);
    tap_is(
        sql(context,
            "SELECT string_agg(right(id::text, 1), '' ORDER BY id) FROM reference_images WHERE id::text LIKE '%0000000cc00_'"),
        "124", "one is deleted, and no other one");
}

static void test_accounts(void)
{
    iimg_account_t *one;
    bool found;

    call_as("ann@rights.example");
    iimg_account_by_id(context, ANN, &caller, &one);
    tap_ok(caller && !one, "users see no account, not even their own");
    call_as("sta@rights.example");
    iimg_account_by_id(context, ANN, &caller, &one);
    tap_is(one ? one->user.id : NULL, ANN, "staff see any");
    iimg_account_lock(context, ANN, STA, &one);
    tap_is(one ? one->user.id : NULL, ANN,
           "the account that is to be changed is locked, not that of who changes it");
    one->user.first_name = "First";
    one->user.last_name = "Last";
    iimg_account_update(context, NULL, &one);
    tap_is(
        sql(context,
            "SELECT string_agg(concat_ws(' ', first_name, last_name, password, is_staff, is_active, version), ',' ORDER BY id) FROM users WHERE email LIKE '%rights.example'"),
        "First Last hash-ann f t 2,  hash-ben f t 1,  hash-sta t t 1",
        "... and changed, with its password kept, and no other one");
    iimg_account_update(context, "hash-new", &one);
    tap_is(
        sql(context,
            "SELECT string_agg(password, ' ' ORDER BY id) FROM users WHERE email LIKE '%rights.example'"),
        "hash-new hash-ben hash-sta", "... or with a new one");
    iimg_account_lock(context, NONE, STA, &one);
    tap_ok(!one, "an unknown one is none");
    iimg_account_delete(context, ANN, &found);
    tap_is(
        sql(context,
            "SELECT string_agg(email, ',' ORDER BY id) FROM users WHERE email LIKE '%rights.example'"),
        "ben@rights.example,sta@rights.example", "one is deleted, and no other one");
}

static void test_scenarios(void)
{
    apr_array_header_t *list;
    iimg_scenario_t *one;
    bool found;

    call_as("ann@rights.example");
    iimg_test_scenario_list(context, &caller, &list);
    tap_is_number(list->nelts, 0, "users see no test user");
    iimg_scenario_by_id(context, SCENARIO(1), &caller, &one);
    tap_ok(!one, "... nor a scenario");
    call_as("sta@rights.example");
    iimg_scenario_by_id(context, SCENARIO(2), &caller, &one);
    tap_is(one ? of(one->id) : NULL, "2", "staff see one, also without a user");
    iimg_scenario_lock(context, SCENARIO(2), &one);
    one->user_id = ANN;
    iimg_scenario_update(context, &one);
    tap_is(one ? one->user_email : NULL, "ann@rights.example", "a user plays it");
    tap_is(
        sql(context,
            "SELECT string_agg(name || ' ' || right(user_id::text, 1) || ' ' || version, ',' ORDER BY id) FROM test_scenarios WHERE name LIKE 'rights%'"),
        "rights one 2 1,rights two 1 2", "... this one, and no other one");
    iimg_scenario_delete(context, SCENARIO(1), &found);
    tap_is(
        sql(context, "SELECT string_agg(name, ',') FROM test_scenarios WHERE name LIKE 'rights%'"),
        "rights two", "one is deleted, and no other one");
}

/* Pages of two identities of these four, the newest first. */
static void test_pages(void)
{
    static const struct {
        const char *user_id, *category, *first, *second, *what;
    } cases[] = {
        { NULL, NULL, "12", "34", "all" },
        { BEN, NULL, "23", "", "a user's" },
        { NULL, "rights_a", "13", "4", "a category's" },
        { BEN, "rights_a", "3", "", "both" },
    };
    iimg_page_t page;
    apr_array_header_t *list;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_identity_filter_t filter = { cases[i].user_id, cases[i].category };

        call_as("sta@rights.example");
        page = (iimg_page_t){ .limit = 2, .patterns = "{%rights%}" };
        iimg_identity_list(context, &page, &filter, &caller, &list);
        tap_is(ids(list), cases[i].first, "%s: the first page has the newest", cases[i].what);
        tap_ok((page.next_id != NULL) == (*cases[i].second != '\0'),
               "... and says whether there are more");
        page.before_time = page.next_time;
        page.before_id = page.next_id;
        if (page.next_id) {
            iimg_identity_list(context, &page, &filter, &caller, &list);
            tap_is(ids(list), cases[i].second, "... which come next, each once");
            tap_ok(!page.next_id, "... and are the last");
        }
        call_as("ben@rights.example");
        page = (iimg_page_t){ .limit = 2, .patterns = "{%rights%}" };
        iimg_identity_list(context, &page, &filter, &caller, &list);
        tap_is(ids(list), "", "... and users see none of them");
    }
    sql(context, "UPDATE identities SET created_at = now() WHERE id::text LIKE '%0000000cb00_'");
    call_as("sta@rights.example");
    page = (iimg_page_t){ .limit = 3, .patterns = "{%rights%}" };
    iimg_identity_list(context, &page, &(iimg_identity_filter_t){ NULL, NULL }, &caller, &list);
    tap_is(ids(list), "432", "of one moment the greatest id comes first");
    page.before_time = page.next_time;
    page.before_id = page.next_id;
    iimg_identity_list(context, &page, &(iimg_identity_filter_t){ NULL, NULL }, &caller, &list);
    tap_is(ids(list), "1", "... and none is lost between two pages");
}

static void test_versions(void)
{
    static const struct {
        const char *if_match;
        bool may;
    } cases[] = {
        { NULL, true },     { "*", true },      { "\"7\"", true },   { "\"7.1\"", true },
        { "\"6\"", false }, { "\"8\"", false }, { "\"71\"", false },
    };
    iimg_prompt_t prompt = { .version = 7, .is_active = true };
    iimg_identity_t *one;
    static const iimg_caller_t ann = { ANN, false, true, true };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        context->if_match = cases[i].if_match;
        tap_ok(!iimg_check_version(context, 7) == cases[i].may, "If-Match: %s %s version 7",
               cases[i].if_match ? cases[i].if_match : "(none)",
               cases[i].may ? "allows" : "forbids");
    }
    context->if_match = "\"7-on\"";
    tap_ok(!iimg_check_prompt_version(context, &prompt),
           "a prompt's state is its version and whether it is on");
    prompt.is_active = false;
    tap_ok(iimg_check_prompt_version(context, &prompt) != NULL,
           "... which is another when it is off");
    context->caller = &ann;
    context->if_match = "\"2\"";
    tap_ok(iimg_lock_identity(context, IDENTITY(1), &one)->kind == IIMG_PRECONDITION,
           "an identity of another version is not locked for a change");
    tap_ok(iimg_lock_identity(context, IDENTITY(2), &one)->kind == IIMG_NOT_FOUND,
           "... and another user's is not even told of");
    context->if_match = NULL;
    tap_ok(!iimg_lock_reference_image_if_match(context, ANN, PHOTO(2)),
           "without If-Match nothing is looked at");
    context->if_match = "\"2\"";
    tap_ok(iimg_lock_reference_image_if_match(context, ANN, PHOTO(1))->kind == IIMG_PRECONDITION,
           "a photo of another version is refused");
    tap_ok(iimg_lock_reference_image_if_match(context, ANN, PHOTO(2))->kind == IIMG_NOT_FOUND,
           "another user's is not found");
    context->if_match = NULL;
}

int main(void)
{
    static void (*const tests[])(void) = { test_proof, test_accept,  test_users,    test_identities,
                                           test_owner, test_photos,  test_accounts, test_scenarios,
                                           test_pages, test_versions };

    context = work_begin();
    if (sql_begin_real(context)) {
        sql(context, "SAVEPOINT empty");
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
            start();
            tests[i]();
        }
    }
    sql_end(context);
    work_end(context);
    return tap_done();
}
