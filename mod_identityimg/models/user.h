/* user.h - users: rows of users, and the caller of a request. */
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

/** The user of a request, read by the same statement as the rows that they may see. */
typedef struct iimg_caller_t {
    const char *id;
    bool is_staff;
    bool is_active;
    bool credentials_hold; /* false: the password has changed since it was verified, or the
                              token has ended */
} iimg_caller_t;

/*
 * A statement that reads for a caller starts with these columns of `users c`. $1 is the login, $2
 * its proof or NULL. The statement returns at least one row if the caller exists. Thus permissions
 * are checked by the statement that reads the rows. The proof is the hash against which the
 * password was verified. For a token it is the user's token epoch at its lookup; a trigger starts a
 * new epoch when a token ends. No hash has the format of an epoch.
 */
#define IIMG_CALLER_COLUMNS \
    "c.id, c.is_staff, c.is_active, " \
    "($2::text IS NULL OR $2::text IN (c.password, c.token_epoch))"
#define IIMG_CALLER_IS              "lower(c.email) = lower($1::text)"
#define IIMG_CALLER_WIDTH           4
#define IIMG_CALLER_PARAMS(context) (context)->login, (context)->login_proof

/** Read the caller from the first row. @return NULL if there are no rows: the login is unknown */
const iimg_caller_t *iimg_caller_of_rows(iimg_context_t *context, const iimg_rows_t *rows);

/** Look up the caller by context->login. @param caller NULL if the login is unknown */
iimg_error_t *iimg_caller_by_login(iimg_context_t *context, const iimg_caller_t **caller);

/** Look up the caller with their own row. @param caller, user NULL if the login is unknown */
iimg_error_t *iimg_user_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                  iimg_user_t **user);

/**
 * Read a user's password hash.
 * @param hash   NULL if there is no such user
 * @param active whether the user may log in
 */
iimg_error_t *iimg_user_password_by_email(iimg_context_t *context, const char *email,
                                          const char **hash, bool *active);

/** Replace hash by another hash of the same password, unless the password has changed since. */
iimg_error_t *iimg_user_rehash(iimg_context_t *context, const char *id, const char *hash,
                               const char *better, bool *done);

/** The login of an active user, for work on their behalf. @param email NULL: there is none such */
iimg_error_t *iimg_user_login_by_id(iimg_context_t *context, const char *id, const char **email);

/** Make the error IIMG_NOT_FOUND "User <id> not found". */
iimg_error_t *iimg_user_not_found(iimg_context_t *context, const char *id);

/** Lock a user's row until the transaction ends. @param found false if there is no such user */
iimg_error_t *iimg_user_lock(iimg_context_t *context, const char *id, bool *found);

/**
 * Prevent that a user is deleted before the transaction ends.
 * @param id NULL: the user is deleted
 * Errors: IIMG_CONFLICT code user_deleted.
 */
iimg_error_t *iimg_user_share(iimg_context_t *context, const char *id);

#endif
