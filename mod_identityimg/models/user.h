/* user.h - users: rows of users. */
#ifndef IIMG_MODELS_USER_H
#define IIMG_MODELS_USER_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"
#include "models/caller.h"

typedef struct iimg_user_t {
    const char *id;
    const char *email;
    const char *first_name; /* may be "" */
    const char *last_name;  /* may be "" */
    bool is_staff;
} iimg_user_t;

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
