/* caller.h - the caller of a request: their row of users, read with the rows that they may see. */
#ifndef IIMG_MODELS_CALLER_H
#define IIMG_MODELS_CALLER_H

#include <stdbool.h>
#include "base/context.h"
#include "base/db/db.h"
#include "base/error.h"

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

#endif
