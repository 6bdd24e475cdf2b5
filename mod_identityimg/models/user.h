/* user.h - people: rows of users, and who is calling. */
#ifndef IIMG_MODELS_USER_H
#define IIMG_MODELS_USER_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

typedef struct iimg_user_t {
    const char *id;
    const char *email;
    const char *first_name; /* may be "" */
    const char *last_name;  /* may be "" */
    bool is_staff;
} iimg_user_t;

/** Who calls, as the database says within the statement that does the work. */
typedef struct iimg_caller_t {
    const char *id;
    bool is_staff;
    bool is_active;
    bool credentials_hold; /* false: the password changed since it was verified, or the
                              token ended */
} iimg_caller_t;

/*
 * A statement that reads for a caller begins with these columns of `users c`, has the login as $1
 * and the proof of it (or NULL) as $2, and answers at least one row when the caller is known. So
 * rights are looked up in the statement that does the work. The proof is the password's hash that
 * was verified, or, for a token, the epoch of its user in which it was looked up: a new one begins
 * when a token ends (a trigger). No password's hash has an epoch's form.
 */
#define IIMG_CALLER_COLUMNS \
    "c.id, c.is_staff, c.is_active, " \
    "($2::text IS NULL OR $2::text IN (c.password, c.token_epoch))"
#define IIMG_CALLER_IS              "lower(c.email) = lower($1::text)"
#define IIMG_CALLER_WIDTH           4
#define IIMG_CALLER_PARAMS(context) (context)->login, (context)->login_proof

/** The caller that rows begin with; NULL when there are none: nobody has that login. */
const iimg_caller_t *iimg_caller_of_rows(iimg_context_t *context, const iimg_rows_t *rows);

/** Look the caller up by context->login. @param caller NULL when nobody has it */
iimg_error_t *iimg_caller_by_login(iimg_context_t *context, const iimg_caller_t **caller);

/** The caller with his own row. @param caller, user NULL when nobody has the login */
iimg_error_t *iimg_user_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                  iimg_user_t **user);

/**
 * What login needs: the stored hash.
 * @param hash  NULL when there is no such user
 * @param active whether the user may come in
 */
iimg_error_t *iimg_user_password_by_email(iimg_context_t *context, const char *email,
                                          const char **hash, bool *active);

/** Put another hash of the same password in place of hash, unless the password changed meanwhile.
 */
iimg_error_t *iimg_user_rehash(iimg_context_t *context, const char *id, const char *hash,
                               const char *better, bool *done);

/** The login of a user who may come in, for work done in his name. @param email NULL: he may not */
iimg_error_t *iimg_user_login_by_id(iimg_context_t *context, const char *id, const char **email);

/** "User <id> not found" */
iimg_error_t *iimg_user_not_found(iimg_context_t *context, const char *id);

/** Lock a user's row until the transaction ends. @param found false when there is no such user */
iimg_error_t *iimg_user_lock(iimg_context_t *context, const char *id, bool *found);

/**
 * Keep a user from being deleted until the transaction ends. @param id NULL: he has been
 * Errors: IIMG_CONFLICT (user_deleted) when he has been.
 */
iimg_error_t *iimg_user_share(iimg_context_t *context, const char *id);

#endif
