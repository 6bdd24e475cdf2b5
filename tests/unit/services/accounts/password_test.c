/* password_test.c - services/accounts/password.c: bcrypt made and checked, Django's hashes checked.
 */
#include "services/accounts/password.h"
#include <dlfcn.h>
#include <apr_md5.h>
#include "tap.h"
#include "work.h"

#define EIGHT  "pppppppp"
#define SALT16 "ssssssssssssssss"
#define EIGHTY EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT

/* Hashing is counted instead of timed: this stands in front of the library's function. */
static struct {
    int calls;
    int cost; /* of bcrypt: the doublings that the last hash asked for; 0: another kind */
} hashed;

APR_DECLARE(apr_status_t) apr_password_validate(const char *password, const char *hash)
{
    apr_status_t (*validate)(const char *, const char *) = (apr_status_t(*)(
        const char *, const char *))dlsym(RTLD_NEXT, "apr_password_validate");

    hashed.calls++;
    hashed.cost = strncmp(hash, "$2y$", 4) == 0 ? atoi(hash + 4) : 0;
    return validate(password, hash);
}

/* Made by Python: base64(hashlib.pbkdf2_hmac('sha256', password, salt, iterations)). */
static const struct {
    const char *password, *hash;
} django[] = {
    { "pw-alice", "pbkdf2_sha256$1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=" },
    { "letmein", "pbkdf2_sha256$10000$seasalt$FQCNpiZpTb0zub+HBsH6TOwyRxJ19FwvjbweatNmK/Y=" },
    { "l\xc3\xa8tmein", /* the one in Django's own tests */
      "pbkdf2_sha256$260000$seasalt2$UCGMhrOoaq1ghQPArIBK5RkI6IZLRxlIwHWA1dMy7y8=" },
    { "", "pbkdf2_sha256$7$empty$NBjV3H247Ga8FuHi33bMsCu8Os+TU9+vMWiIjoFnfs4=" },
    { "pw-alice", "pbkdf2_sha256$1$s$XdD+uWkBfz6xXY8nAWgnN2+RhJAkEE3bmbc17JoJ6Vs=" },
    { "pw-alice", "pbkdf2_sha256$1$" SALT16 SALT16 SALT16 SALT16 SALT16 SALT16 SALT16 SALT16
                  "$s8hl3VX9Zmgt/DOqmIKXLRLbsf3o9mf+0spWzLxtE3U=" },
    { EIGHTY, "pbkdf2_sha256$1000$long$oVXeLNdCOq6FsxbZ9XgZe9jYFx8bs+vnjtS6u3MSLZM=" },
};

static const struct {
    const char *hash, *what;
} unusable[] = {
    { NULL, "no hash" },
    { "", "an empty hash" },
    { "!4IEEXHD3Gq2O7", "Django's mark of an unusable password" },
    { "pw-alice", "the password in clear" },
    { "$", "a dollar sign" },
    { "pbkdf2_sha256$", "nothing behind the name" },
    { "pbkdf2_sha256$0$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=", "no iterations" },
    { "pbkdf2_sha256$-1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=", "fewer than none" },
    { "pbkdf2_sha256$+1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=", "a sign" },
    { "pbkdf2_sha256$1x$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=", "no number" },
    { "pbkdf2_sha256$10000001$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=",
      "more iterations than are allowed" },
    { "pbkdf2_sha256$99999999999999999999$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=",
      "more than a number holds" },
    { "pbkdf2_sha256$1$$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=", "no salt" },
    { "pbkdf2_sha256$1$seasalt", "no digest" },
    { "pbkdf2_sha256$1$seasalt$", "an empty digest" },
    { "pbkdf2_sha256$1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rj==", "31 bytes" },
    { "pbkdf2_sha256$1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjsA", "33 bytes" },
    { "pbkdf2_sha256$1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs", "no padding" },
    { "pbkdf2_sha256$1$seasalt$!IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=", "no base64" },
    { "pbkdf2_sha256$1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=$x", "more behind it" },
    { "pbkdf2_sha256$1$" SALT16 SALT16 SALT16 SALT16 SALT16 SALT16 SALT16 SALT16
      "s$ThjzY4F4Sq8y7RkvlxCQvxGogFvmNRADX2IWK1Ba9EA=",
      "a salt of 129 characters" },
    { "pbkdf2_sha1$1$seasalt$4IEEXHD3Gq2O7/r6H42e362T5yPI9WH9HKU25Rk6rjs=", "another digest" },
};

static void test_django(void)
{
    for (size_t i = 0; i < sizeof(django) / sizeof(django[0]); i++) {
        tap_ok(iimg_password_verify(django[i].password, django[i].hash), "the password matches %s",
               django[i].hash);
        tap_ok(!iimg_password_verify("pw-alicf", django[i].hash), "wrong for it");
        tap_ok(iimg_password_is_outdated(django[i].password, django[i].hash)
                   == (strlen(django[i].password) <= 72),
               "outdated, unless bcrypt would look at a part of the password only");
    }
}

/* bcrypt looks at 72 bytes; a longer password keeps the hash that looks at all of it. */
static void test_outdated(void)
{
    static const char seventy_two[] = EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT;

    tap_ok(iimg_password_is_outdated(seventy_two, django[0].hash),
           "72 bytes are what bcrypt looks at");
    tap_ok(!iimg_password_is_outdated(EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT EIGHT "p",
                                      django[0].hash),
           "73 are more");
    tap_ok(iimg_password_verify("pw-alice", "{SHA}Nu/r2oJNPAE/xBENdroWMJWVsKg="),
           "a hash of htpasswd lets in");
    tap_ok(!iimg_password_verify("pw-alicf", "{SHA}Nu/r2oJNPAE/xBENdroWMJWVsKg="),
           "no other password matches");
}

static void test_unusable(void)
{
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        tap_ok(!iimg_password_verify("pw-alice", unusable[i].hash), "no password matches %s",
               unusable[i].what);
    }
}

/* The time of an answer does not reveal whether a user exists or has a password. */
static void test_cost(iimg_context_t *context)
{
    const char *hash;
    char text[IIMG_PASSWORD_MAX + 2];
    int cost;

    memset(text, 'p', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    iimg_password_hash(context, "pw-alice", &hash);
    hashed.calls = 0;
    iimg_password_verify("pw-alicf", hash);
    cost = hashed.cost;
    tap_ok(hashed.calls == 1 && cost >= 10, "a wrong password costs one bcrypt of cost %d", cost);
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        static const char *const passwords[] = { "", "pw-alice", EIGHTY };

        for (size_t k = 0; k < sizeof(passwords) / sizeof(passwords[0]); k++) {
            hashed.calls = hashed.cost = 0;
            iimg_password_verify(passwords[k], unusable[i].hash);
            tap_ok(hashed.calls == 1 && hashed.cost == cost,
                   "a password of %d bytes costs the same with %s", (int)strlen(passwords[k]),
                   unusable[i].what);
        }
    }
    hashed.calls = hashed.cost = 0;
    iimg_password_verify(text, hash);
    tap_ok(hashed.calls == 1 && hashed.cost == cost, "a password over the limit costs the same");
}

static void test_bcrypt(iimg_context_t *context)
{
    static const char *const passwords[] = { "pw-alice", "", "l\xc3\xa8tmein", EIGHTY };
    const char *hash, *again;
    char text[IIMG_PASSWORD_MAX + 2];

    for (size_t i = 0; i < sizeof(passwords) / sizeof(passwords[0]); i++) {
        tap_ok(!iimg_password_hash(context, passwords[i], &hash), "a password is hashed");
        tap_ok(strlen(hash) == 60 && strncmp(hash, "$2y$10$", 7) == 0,
               "the hash is bcrypt with cost 10");
        tap_ok(iimg_password_verify(passwords[i], hash), "the password matches its hash");
        tap_ok(apr_password_validate(passwords[i], hash) == APR_SUCCESS,
               "htpasswd accepts the hash");
        tap_ok(!iimg_password_verify("pw-alicf", hash), "another password does not match");
        tap_ok(!iimg_password_is_outdated(passwords[i], hash), "a bcrypt hash is not outdated");
        iimg_password_hash(context, passwords[i], &again);
        tap_ok(strcmp(again, hash) != 0, "each hash has its own salt");
    }
    memset(text, 'p', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    tap_ok(!iimg_password_verify(text, hash), "a password over the limit does not match");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    test_django();
    test_outdated();
    test_unusable();
    test_cost(context);
    test_bcrypt(context);
    work_end(context);
    return tap_done();
}
