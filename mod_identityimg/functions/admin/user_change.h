/* user_change.h - members of a user in a request. */
#ifndef IIMG_FUNCTIONS_ADMIN_USER_CHANGE_H
#define IIMG_FUNCTIONS_ADMIN_USER_CHANGE_H

#include "base/context.h"
#include "base/input/input.h"

/** Shortest password in characters, and longest in bytes: bcrypt ignores all further bytes. */
#define IIMG_PASSWORD_MIN_CHARACTERS 8
#define IIMG_PASSWORD_MAX_BYTES      72

/** Members of a user in a request; a new user needs email. */
typedef struct iimg_user_change_t {
    iimg_given_t email;
    iimg_given_t first_name;
    iimg_given_t last_name;
    iimg_given_t password;
    iimg_given_bool_t is_staff;  /* false for a new user */
    iimg_given_bool_t is_active; /* true for a new user */
    const char *hash;            /* set by iimg_hash_user_change; NULL: no password was sent */
} iimg_user_change_t;

/** Check email and password, as far as they have values. Errors: IIMG_INVALID. */
iimg_error_t *iimg_check_user_change(iimg_context_t *context, const iimg_user_change_t *change);

/** Check a change and hash its password. Errors: IIMG_INVALID, as iimg_password_hash. */
iimg_error_t *iimg_hash_user_change(iimg_context_t *context, iimg_user_change_t *change);

#endif
