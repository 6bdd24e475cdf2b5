/* token.h - sessions and bearer tokens: rows of auth_tokens, stored by the token's hash. */
#ifndef IIMG_MODELS_TOKEN_H
#define IIMG_MODELS_TOKEN_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "models/user.h"

/** Most live tokens of a user. Another one ends their oldest session, or else their oldest token.
 */
#define IIMG_TOKENS_MAX 100

/** Kinds of tokens: in a session's cookie, and in an Authorization header. */
#define IIMG_TOKEN_SESSION "session"
#define IIMG_TOKEN_BEARER  "bearer"

typedef struct iimg_token_t {
    const char *id;
    const char *kind; /* "session" or "bearer" */
    const char *created_at;
    const char *last_used_at; /* to the minute; NULL: never */
    const char *expires_at;
    bool is_current; /* the caller authenticated with it */
} iimg_token_t;

/** The user of a token. */
typedef struct iimg_token_owner_t {
    const char *email; /* NULL: the token does not exist or has expired */
    const char *epoch; /* proves later that the token has not ended */
    bool is_active;
    int seconds; /* until the token expires */
} iimg_token_owner_t;

/** Look up a token of a kind. Its use is recorded once a minute at most. */
iimg_error_t *iimg_token_use(iimg_context_t *context, const char *hash, const char *kind,
                             iimg_token_owner_t *owner);

/** A token to insert. */
typedef struct iimg_new_token_t {
    const char *user_id;
    const char *password; /* the stored hash against which the password was verified */
    const char *hash;     /* of the token */
    const char *kind;
    int seconds; /* until it expires */
} iimg_new_token_t;

/**
 * Within a transaction: insert a token and delete those beyond IIMG_TOKENS_MAX.
 * @param expires_at NULL if nothing was inserted: the password has changed, or the user is inactive
 */
iimg_error_t *iimg_token_insert(iimg_context_t *context, const iimg_new_token_t *wanted,
                                const char **expires_at, const char **id);

/** The caller's live tokens, newest first. @param tokens iimg_token_t */
iimg_error_t *iimg_token_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                        apr_array_header_t **tokens);

/** A deleted token. */
typedef struct iimg_ended_token_t {
    const char *id; /* NULL: there was none */
    const char *kind;
    const char *hash;
} iimg_ended_token_t;

/** Delete a user's token by its id. */
iimg_error_t *iimg_token_delete(iimg_context_t *context, const char *user_id, const char *id,
                                iimg_ended_token_t *ended);

/** Delete a user's token by its hash. */
iimg_error_t *iimg_token_delete_by_hash(iimg_context_t *context, const char *user_id,
                                        const char *hash, iimg_ended_token_t *ended);

/** Delete some expired tokens. @param count how many */
iimg_error_t *iimg_token_expire(iimg_context_t *context, int *count);

#endif
