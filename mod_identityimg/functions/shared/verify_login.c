/* verify_login.c - verify an email and a password. Every attempt is counted before it is hashed. */
#include "functions/shared/verify_login.h"

#include <apr_strings.h>
#include "base/log.h"
#include "services/accounts/password.h"
#include "services/accounts/password_queue.h"

static iimg_error_t *too_many_failures(iimg_context_t *context, int wait)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_LIMITED,
                                   "Too many failed logins. Try again in %d seconds.", wait);

    return iimg_error_retry(iimg_error_code(err, "login_limited"), wait);
}

#define MAX_SHOWN 100 /* bytes of an email in the log, which a client may choose freely */

static const char *clean_email(apr_pool_t *pool, const char *account)
{
    char *text = apr_pstrndup(pool, account, MAX_SHOWN);

    for (char *p = text; *p; p++) {
        *p = (unsigned char)*p < ' ' || *p == '"' || *p == '\\' || *p == 127 ? '?' : *p;
    }
    return text;
}

static void log_failure(iimg_context_t *context, const iimg_login_attempt_t *attempt, int failures)
{
    const char *account = clean_email(context->pool, attempt->email);

    iimg_log(context, IIMG_LOG_INFO, "wrong password for \"%s\" from %s, %d of %d", account,
             attempt->address, failures, attempt->max_failures);
    if (failures >= attempt->max_failures) {
        iimg_log(context, IIMG_LOG_WARNING,
                 "IIMG0160: %d wrong passwords for \"%s\" from %s: "
                 "logins with this email from this address are rejected for a while",
                 failures, account, attempt->address);
    }
}

/* Replaces a hash made by Django. A failure does not fail the login. */
static void improve_hash(iimg_context_t *context, const char *password, iimg_login_t *login)
{
    const char *better = NULL;
    bool done = false;
    iimg_error_t *err = NULL;

    if (!iimg_password_is_outdated(password, login->hash)) {
        return;
    }
    err = iimg_password_hash(context, password, &better);
    if (!err) {
        err = iimg_user_rehash(context, login->user.id, login->hash, better, &done);
    }
    if (err) {
        iimg_log(context, IIMG_LOG_INFO, "cannot replace an outdated password hash: %s",
                 err->message);
    }
    login->hash = done ? better : login->hash;
}

static iimg_error_t *check_password(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                    const iimg_login_t *login, bool *right)
{
    apr_time_t began = iimg_step_begin(context);
    iimg_error_t *err = iimg_password_check(context, attempt->address, attempt->password,
                                            login->hash, right);

    if (err) {
        /* Not a wrong password. If the withdrawal fails, the attempt counts for a minute. */
        iimg_login_attempt_withdraw(context, attempt, login);
        return err;
    }
    iimg_step_end(context, began, "hash", NULL);
    return NULL;
}

/* Records the result before it is sent, so that no guess goes uncounted. */
static iimg_error_t *record_result(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                   const iimg_login_t *login, bool right)
{
    bool counted = false;
    iimg_error_t *err = right ? iimg_login_attempt_succeed(context, attempt, login, &counted)
                              : iimg_login_attempt_fail(context, attempt, login, &counted);

    if (err) {
        return err;
    }
    return counted ? NULL : iimg_password_busy(context);
}

iimg_error_t *iimg_verify_login(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                iimg_login_t **login)
{
    iimg_login_t *found = apr_pcalloc(context->pool, sizeof(*found));
    bool right = false;
    int wait = 0;
    iimg_error_t *err;

    *login = NULL;
    if (iimg_password_is_full(attempt->address)) {
        return iimg_password_busy(context); /* a flood costs no statement */
    }
    err = iimg_login_attempt_begin(context, attempt, &wait, found);
    if (err) {
        return err;
    }
    if (wait) {
        return too_many_failures(context, wait);
    }
    err = check_password(context, attempt, found, &right);
    if (err) {
        return err;
    }
    err = record_result(context, attempt, found, right);
    if (err) {
        return err;
    }
    if (!right) {
        log_failure(context, attempt, found->failures);
        return NULL;
    }
    improve_hash(context, attempt->password, found);
    *login = found;
    return NULL;
}
