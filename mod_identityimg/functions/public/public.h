/* public.h - functions for users and their own rows. */
#ifndef IIMG_FUNCTIONS_PUBLIC_PUBLIC_H
#define IIMG_FUNCTIONS_PUBLIC_PUBLIC_H

#include "functions/shared/scope.h"
#include "functions/shared/store_picture.h"
#include "models/identity.h"
#include "models/login_attempt.h"
#include "models/reference_image.h"
#include "models/token.h"
#include "models/user.h"

/*
 * Functions that only read find the caller in the statement that reads the rows. Functions that
 * write identify the caller again within their transaction.
 */

/** The caller's own row. Errors: as iimg_accept_caller. */
iimg_error_t *iimg_get_me(iimg_context_t *context, iimg_user_t **user);

/** A new session or bearer token. */
typedef struct iimg_new_session_t {
    iimg_user_t user;
    const char *token; /* its only copy: the table has a hash */
    const char *expires_at;
} iimg_new_session_t;

/**
 * Verify an email and a password, and create a token.
 * @param kind    "session" or "bearer"
 * @param seconds lifetime of the token
 * Errors: IIMG_UNAUTHENTICATED (the same for an unknown email and a wrong password; inactive, if
 * the password is correct), those of iimg_verify_login.
 */
iimg_error_t *iimg_log_in(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                          const char *kind, int seconds, iimg_new_session_t *session);

/**
 * End the accepted caller's token, and the session in the request's cookie if it is the caller's.
 * @param session hash of the token in the cookie; NULL: none
 */
iimg_error_t *iimg_log_out(iimg_context_t *context, const char *session);

/** The caller's live tokens, newest first. @param tokens iimg_token_t */
iimg_error_t *iimg_list_tokens(iimg_context_t *context, apr_array_header_t **tokens);

/** End one of the accepted caller's tokens. @param hash its hash. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_delete_token(iimg_context_t *context, const char *id, const char **hash);

/** The caller's identities, oldest first. @param identities iimg_identity_t */
iimg_error_t *iimg_list_my_identities(iimg_context_t *context, apr_array_header_t **identities);

/** Photos in scope, by order. @param images iimg_reference_image_t */
iimg_error_t *iimg_list_reference_images(iimg_context_t *context, const iimg_scope_t *scope,
                                         apr_array_header_t **images);

/** Members of a new photo. */
typedef struct iimg_new_reference_image_t {
    const char *name;            /* "" for none */
    const int *order;            /* NULL: the lowest free slot */
    const iimg_upload_t *upload; /* NULL: no picture yet */
} iimg_new_reference_image_t;

/**
 * Create a photo for a user.
 * Errors: IIMG_INVALID (max_images, order_in_use, order_range, the picture), IIMG_TOO_LARGE,
 * IIMG_NOT_FOUND "User <id> not found", IIMG_UNAVAILABLE. After an error nothing is stored.
 */
iimg_error_t *iimg_create_reference_image(iimg_context_t *context, const char *user_id,
                                          const iimg_new_reference_image_t *wanted,
                                          iimg_reference_image_t **image);

/** Members of a photo to change. */
typedef struct iimg_reference_image_change_t {
    const char *name; /* NULL: keep */
    const int *order; /* NULL: keep */
    bool swap;        /* exchange slots with the photo that has that order */
} iimg_reference_image_change_t;

/** Change name and order. Errors: IIMG_INVALID, IIMG_NOT_FOUND. */
iimg_error_t *iimg_update_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id,
                                          const iimg_reference_image_change_t *wanted,
                                          iimg_reference_image_t **image);

/** Set or replace a photo's picture. After an error the previous picture stays. */
iimg_error_t *iimg_upload_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id, const iimg_upload_t *upload,
                                          iimg_reference_image_t **image);

/** Delete a photo: its row, then its objects. Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION. */
iimg_error_t *iimg_delete_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id);

/** Read an identity of the accepted caller, or any for staff. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_get_identity(iimg_context_t *context, const char *id,
                                iimg_identity_t **identity);

/** Set or replace a picture; the previous one is held for a day. After an error it stays. */
iimg_error_t *iimg_upload_identity_image(iimg_context_t *context, const char *id,
                                         const iimg_upload_t *upload, iimg_identity_t **identity);

/**
 * The same with a picture that shows a user, unless that user has been deleted.
 * @param job_id the job that saves its picture; if it has done so before, only read the identity.
 *               NULL: a user saves it
 * Errors: also IIMG_CONFLICT (user_deleted).
 */
iimg_error_t *iimg_set_identity_image(iimg_context_t *context, const char *id,
                                      const iimg_upload_t *upload, const char *shown_id,
                                      const char *job_id, iimg_identity_t **identity);

/** Remove the picture; it is held for a day. Without a picture nothing changes. */
iimg_error_t *iimg_delete_identity_image(iimg_context_t *context, const char *id,
                                         iimg_identity_t **identity);

/**
 * Restore the picture before the last change, and hold the present one in its place: a second call
 * undoes the first. Errors: IIMG_NOT_FOUND, IIMG_CONFLICT when nothing is held.
 */
iimg_error_t *iimg_restore_identity_image(iimg_context_t *context, const char *id,
                                          iimg_identity_t **identity);

/** The categories of all identities, sorted. @param categories const char * */
iimg_error_t *iimg_list_identity_categories(iimg_context_t *context,
                                            apr_array_header_t **categories);

#endif
