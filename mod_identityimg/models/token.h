/* token.h - sessions and bearer tokens: rows of auth_tokens, each under its token's hash. */
#ifndef IIMG_MODELS_TOKEN_H
#define IIMG_MODELS_TOKEN_H

#include <stdbool.h>
#include <apr_tables.h>
#include "base/context.h"
#include "base/db/db.h"
#include "models/user.h"

/** Most live tokens of one user; one more ends his oldest session, or else his oldest token. */
#define IIMG_TOKENS_MAX 100

/** What a session's cookie carries, and what an Authorization header does. */
#define IIMG_TOKEN_SESSION "session"
#define IIMG_TOKEN_BEARER  "bearer"

typedef struct iimg_token_t {
    const char *id;
    const char *kind; /* "session" or "bearer" */
    const char *created_at;
    const char *last_used_at; /* to the minute; NULL: never */
    const char *expires_at;
    bool is_current; /* the one that the caller came in with */
} iimg_token_t;

/** Whose token somebody came with. */
typedef struct iimg_token_owner_t {
    const char *email; /* NULL: there is no such token, or it has expired */
    const char *epoch; /* the proof that it has not ended meanwhile */
    bool is_active;
    int seconds; /* that are left to the token, whole ones */
} iimg_token_owner_t;

/** Look a token of a kind up, and note its use, at most once a minute. */
iimg_error_t *iimg_token_use(iimg_context_t *context, const char *hash, const char *kind,
                             iimg_token_owner_t *owner);

/** What a new token is to be. */
typedef struct iimg_new_token_t {
    const char *user_id;
    const char *password; /* the stored hash that the user's password was verified against */
    const char *hash;     /* of the token */
    const char *kind;
    int seconds; /* that it lives */
} iimg_new_token_t;

/**
 * Within a transaction: make a token and end what is over IIMG_TOKENS_MAX.
 * @param expires_at NULL when the password is another by now, or the user inactive: nothing is made
 */
iimg_error_t *iimg_token_insert(iimg_context_t *context, const iimg_new_token_t *wanted,
                                const char **expires_at, const char **id);

/** The caller's live tokens, newest first. @param tokens iimg_token_t */
iimg_error_t *iimg_token_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                        apr_array_header_t **tokens);

/** A token that was just ended. */
typedef struct iimg_ended_token_t {
    const char *id; /* NULL: there was none */
    const char *kind;
    const char *hash;
} iimg_ended_token_t;

/** End one of a user's tokens. */
iimg_error_t *iimg_token_delete(iimg_context_t *context, const char *user_id, const char *id,
                                iimg_ended_token_t *ended);

/** End the user's token with that hash. */
iimg_error_t *iimg_token_delete_by_hash(iimg_context_t *context, const char *user_id,
                                        const char *hash, iimg_ended_token_t *ended);

/** Forget tokens that have expired, some at a time. @param count how many */
iimg_error_t *iimg_token_expire(iimg_context_t *context, int *count);

#endif
