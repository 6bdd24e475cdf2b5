/* shared.h - steps that several functions take. */
#ifndef IIMG_FUNCTIONS_SHARED_SHARED_H
#define IIMG_FUNCTIONS_SHARED_SHARED_H

#include "base/input/input.h"
#include "models/generation_job.h"
#include "models/generation_load.h"
#include "models/idempotency_key.h"
#include "models/identity.h"
#include "models/login_attempt.h"
#include "models/picture.h"
#include "models/prompt.h"
#include "models/reference_image.h"
#include "models/stored_object.h"
#include "models/token.h"
#include "models/user.h"
#include "services/services.h"

/* Who calls ----------------------------------------------------------------------------------- */

/** Whom a route lets in. */
typedef enum {
    IIMG_ANYONE,
    IIMG_USER,
    IIMG_STAFF
} iimg_role_t;

/**
 * Accept the caller that a statement found and remember him in the context.
 * @param caller NULL when the login has no row
 * Errors: IIMG_UNAUTHENTICATED (no login, no row, inactive, password changed), IIMG_FORBIDDEN.
 */
iimg_error_t *iimg_accept_caller(iimg_context_t *context, const iimg_caller_t *caller,
                                 iimg_role_t role);

/** Look the caller up by the context's login, and accept him. Errors: as iimg_accept_caller. */
iimg_error_t *iimg_identify_caller(iimg_context_t *context, iimg_role_t role);

/**
 * The same for who changes what is owner's: he himself, or staff.
 * Errors: as iimg_accept_caller.
 */
iimg_error_t *iimg_identify_caller_for(iimg_context_t *context, const char *owner);

/**
 * Verify an email and a password: for nobody, for a wrong password and for a right one it takes the
 * same time, but for hashes that Django made. An outdated hash of a right password is replaced.
 * @param login NULL when they are not right; else the account, active or not
 * Errors: IIMG_LIMITED after too many failures (login_limited, without hashing) or when others
 * have to be hashed first (login_busy), IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_verify_login(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                                iimg_login_t **login);

/** "Invalid username/password." */
iimg_error_t *iimg_wrong_password(iimg_context_t *context);

/** "User inactive or deleted." */
iimg_error_t *iimg_inactive_user(iimg_context_t *context);

/** "Invalid token." */
iimg_error_t *iimg_invalid_token(iimg_context_t *context);

/** "Authentication credentials were not provided." */
iimg_error_t *iimg_not_authenticated(iimg_context_t *context);

/** The error for a row that is not there or not the caller's: "Not found." */
iimg_error_t *iimg_not_found(iimg_context_t *context);

/* The server itself --------------------------------------------------------------------------- */

/**
 * Whether work that comes in now could be done: the database answers and has the tables this build
 * needs, the store takes pictures.
 * Errors: IIMG_NOT_READY, its detail says why.
 */
iimg_error_t *iimg_check_readiness(iimg_context_t *context);

/* What staff changed --------------------------------------------------------------------------- */

/**
 * Take a value over if one was given and it is another one.
 * @param members names of what was taken over; gets one more
 */
void iimg_take_text(apr_array_header_t *members, const char *name, const iimg_given_t *wanted,
                    const char **value);
void iimg_take_bool(apr_array_header_t *members, const char *name, const iimg_given_bool_t *wanted,
                    bool *value);

/** Names of members, to be taken over or told the audit log. @return const char *, none yet */
apr_array_header_t *iimg_members(apr_pool_t *pool);

/**
 * Within the transaction of a change: write the audit log when the caller is staff, by whichever
 * route he came. What others do is theirs alone.
 * @param action  "create", "change", "delete"
 * @param kind    the table
 * @param members const char *: names of what was given or changed, never values
 * Errors: IIMG_UNAUTHENTICATED when the caller has been deleted since he was accepted.
 */
iimg_error_t *iimg_audit(iimg_context_t *context, const char *action, const char *kind,
                         const char *row_id, const apr_array_header_t *members);

/** The same for a session or a bearer token that is made or ended. @param kind which of both */
iimg_error_t *iimg_audit_token(iimg_context_t *context, const char *action, const char *id,
                               const char *kind);

/** The same for a change of the member `image`. */
iimg_error_t *iimg_audit_image(iimg_context_t *context, const char *kind, const char *row_id);

/** The error for an identity that somebody names and that is not there: "Identity not found". */
iimg_error_t *iimg_identity_not_found(iimg_context_t *context);

/* Whose photos -------------------------------------------------------------------------------- */

/** Whose photos a request is about, as its query says; only staff's word counts. */
typedef struct iimg_scope_t {
    const char *user_id;   /* NULL: the caller's own */
    iimg_error_t *problem; /* what is wrong with the query: matters for staff alone */
} iimg_scope_t;

/** Check that the query of an accepted caller names a user, or none. Errors: IIMG_INVALID, for
 * staff. */
iimg_error_t *iimg_check_scope(iimg_context_t *context, const iimg_scope_t *scope);

/** Read one photo in scope, and accept the caller. Errors: IIMG_NOT_FOUND, as iimg_accept_caller.
 */
iimg_error_t *iimg_get_reference_image(iimg_context_t *context, const iimg_scope_t *scope,
                                       const char *id, iimg_reference_image_t **image);

/** "Order must be between 0 and 4" unless it is. */
iimg_error_t *iimg_check_order(iimg_context_t *context, long long order);

/* Which version ------------------------------------------------------------------------------- */

/** Whether context->if_match lets a row of this version be changed. Errors: IIMG_PRECONDITION. */
iimg_error_t *iimg_check_version(iimg_context_t *context, int version);

/**
 * The same for a version of a prompt, of which nothing but is_active ever changes.
 * @return its state for an ETag: "<version>-on" or "<version>-off"
 */
iimg_error_t *iimg_check_prompt_state(iimg_context_t *context, const iimg_prompt_t *prompt);
const char *iimg_prompt_state(apr_pool_t *pool, const iimg_prompt_t *prompt);

/**
 * Within a transaction: lock an identity that the accepted caller may change, and check its
 * version. Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION.
 */
iimg_error_t *iimg_lock_identity(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity);

/** Whether the accepted caller may see the identity. @param identity NULL: there is none */
iimg_error_t *iimg_check_identity_owner(iimg_context_t *context, const iimg_identity_t *identity);

/**
 * Within a transaction that is about to change a photo: lock it, and check its version.
 * Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION.
 */
iimg_error_t *iimg_lock_reference_image(iimg_context_t *context, const char *user_id,
                                        const char *id, iimg_reference_image_t **image);

/**
 * Within a transaction that is about to change a photo: when a version is asked for, lock the photo
 * and check. Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION.
 */
iimg_error_t *iimg_expect_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id);

/* Requests that are sent again ------------------------------------------------------------------
 */

/** The HTTP statuses that are recorded for what was made. */
#define IIMG_STATUS_OK      200
#define IIMG_STATUS_CREATED 201

/**
 * Take an idempotency key, or find what came of the request that had it. Waits for one that is
 * under way.
 * @param key    must live as long as the context, which holds it from now on
 * @param lease  seconds until others may think this request dead
 * @param wait   for how long
 * @param replay NULL: go on with the work; else answer this again
 * Errors: IIMG_REFUSED when the key belongs to another request, IIMG_CONFLICT when the wait was too
 * short.
 */
iimg_error_t *iimg_idempotency_begin(iimg_context_t *context, const iimg_idempotency_key_t *key,
                                     int lease, apr_interval_time_t wait,
                                     const iimg_idempotency_outcome_t **replay);

/**
 * Note the row that the request makes, within the transaction that makes it. Does nothing when the
 * context holds no key.
 * @param status HTTP status of the answer; 0: not known yet
 * Errors: IIMG_CONFLICT when another request has taken the key meanwhile.
 */
iimg_error_t *iimg_idempotency_record(iimg_context_t *context, int status, const char *id);

/** The error for a row that was made under a key and is no more. */
iimg_error_t *iimg_idempotency_gone(iimg_context_t *context);

/** End the request that holds a key: its answer is kept, or the key is free again. */
void iimg_idempotency_keep_error(iimg_context_t *context, int status, const iimg_error_t *cause);
void iimg_idempotency_release(iimg_context_t *context);

/** The row is made and recorded, but something failed after it. */
void iimg_idempotency_spoil(iimg_context_t *context, const iimg_error_t *cause);

/* Pictures ------------------------------------------------------------------------------------ */

/** A picture that is to be kept: bytes and a file name. */
typedef struct iimg_upload_t {
    iimg_bytes_t bytes;
    const char *filename; /* as the client gave it; NULL: none */
    bool as_it_is;        /* a provider's: its metadata say where it comes from */
} iimg_upload_t;

/** Objects that are stored and announced, but that no row shows yet. */
typedef struct iimg_stored_picture_t {
    iimg_picture_t picture;
    const char *uuid;         /* in all its keys */
    int count;                /* objects */
    apr_array_header_t *keys; /* const char *, of them all */
} iimg_stored_picture_t;

/**
 * Have an upload decoded, announce its keys and write derivatives and the original, which is
 * without private metadata then. On failure nothing is left in the store once the sweeper has run.
 * Errors: as iimg_image_derive; IIMG_UNAVAILABLE.
 */
iimg_error_t *iimg_store_picture(iimg_context_t *context, const iimg_upload_t *upload,
                                 iimg_stored_picture_t *stored);

/** Write a generated picture's one object. Errors: IIMG_UNAVAILABLE. */
iimg_error_t *iimg_store_generated(iimg_context_t *context, const iimg_generator_result_t *result,
                                   const iimg_media_type_t *type, iimg_stored_picture_t *stored);

/** Within a transaction: the row shows the stored picture now. */
iimg_error_t *iimg_publish_picture(iimg_context_t *context, const iimg_stored_picture_t *stored);

/**
 * Give up objects that no row will show. Harmless when one does after all (a COMMIT whose answer
 * was lost). Its own failures are logged, not returned: the sweeper comes by later.
 */
void iimg_abandon_picture(iimg_context_t *context, const iimg_stored_picture_t *stored);

/**
 * Delete what this work has doomed and claimed, once that is committed: from the store first, then
 * from the manifest. Failures are logged: the sweeper tries again.
 * @param claim of nothing when its id is NULL
 */
void iimg_sweep_claim(iimg_context_t *context, const iimg_claim_t *claim);

/**
 * Delete what is doomed and due, whoever doomed it; several nodes share the work. One object that
 * cannot be deleted is tried again at the end, for some seconds; then it waits its turn, longer
 * each time, and is logged. It holds up no other.
 * @param time after which no other batch is begun
 * @param left how many objects were tried, or were to be, and are not gone
 * @return how many objects are gone
 */
int iimg_sweep(iimg_context_t *context, apr_interval_time_t time, int *left);

/** The process is to end: whatever sweeps in it begins nothing more. From any thread. */
void iimg_sweep_stop(void);

/* Generation ---------------------------------------------------------------------------------- */

/** The placeholders that a prompt for pictures must have, and all that it may; NULL at the end. */
extern const char *const iimg_prompt_placeholders[];

/** Lines that tell a generator who the picture is for. */
const char *iimg_identity_context(apr_pool_t *pool, const iimg_identity_t *identity);

/** The rendered prompt. @param additional "" for none */
const char *iimg_build_prompt(apr_pool_t *pool, const iimg_prompt_t *prompt,
                              const iimg_identity_t *identity, const char *additional);

#endif
