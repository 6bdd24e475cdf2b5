/* public.h - what a user may do with what is his. */
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
 * Functions that only read look the caller up within their own statement and accept him; those
 * that write are called with a caller accepted before, and look again within their transaction.
 */

/** The caller's own row. Errors: as iimg_accept_caller. */
iimg_error_t *iimg_get_me(iimg_context_t *context, iimg_user_t **user);

/** A session or a bearer token just made. */
typedef struct iimg_new_session_t {
    iimg_user_t user;
    const char *token; /* nowhere else: the table has its hash */
    const char *expires_at;
} iimg_new_session_t;

/**
 * Let somebody in who knows a password: make a token.
 * @param kind    "session" or "bearer"
 * @param seconds that the token lives
 * Errors: IIMG_UNAUTHENTICATED (wrong or unknown, alike; inactive, to who knows the password),
 * those of iimg_verify_login.
 */
iimg_error_t *iimg_log_in(iimg_context_t *context, const iimg_login_attempt_t *attempt,
                          const char *kind, int seconds, iimg_new_session_t *session);

/**
 * End the token that the accepted caller came in with, and his session that came along.
 * @param session hash of the token in the request's cookie, whoever's it is; NULL: none
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

/** What a client says of a new photo. */
typedef struct iimg_new_reference_image_t {
    const char *name;            /* "" for none */
    const int *order;            /* NULL: the lowest free slot */
    const iimg_upload_t *upload; /* NULL: no picture yet */
} iimg_new_reference_image_t;

/**
 * Create a photo for a user.
 * Errors: IIMG_INVALID (max_images, order_in_use, order_range, the picture), IIMG_TOO_LARGE,
 * IIMG_NOT_FOUND "User <id> not found", IIMG_UNAVAILABLE. On any error nothing is kept.
 */
iimg_error_t *iimg_create_reference_image(iimg_context_t *context, const char *user_id,
                                          const iimg_new_reference_image_t *wanted,
                                          iimg_reference_image_t **image);

/** What a client changes of a photo; all NULL changes nothing at all. */
typedef struct iimg_reference_image_change_t {
    const char *name; /* NULL: as it is */
    const int *order; /* NULL: as it is */
    bool swap;        /* the photo in that slot takes this one's */
} iimg_reference_image_change_t;

/** Change name and order. Errors: IIMG_INVALID, IIMG_NOT_FOUND. */
iimg_error_t *iimg_update_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id,
                                          const iimg_reference_image_change_t *wanted,
                                          iimg_reference_image_t **image);

/** Put a picture in, or another one; on any error the old one stays. */
iimg_error_t *iimg_upload_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id, const iimg_upload_t *upload,
                                          iimg_reference_image_t **image);

/** Remove a photo: its row, then its files. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_delete_reference_image(iimg_context_t *context, const char *user_id,
                                          const char *id);

/** One identity that the accepted caller owns, or any for staff. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_get_identity(iimg_context_t *context, const char *id,
                                iimg_identity_t **identity);

/** Put a picture in; the one before is held for a day. On any error the old one stays. */
iimg_error_t *iimg_upload_identity_image(iimg_context_t *context, const char *id,
                                         const iimg_upload_t *upload, iimg_identity_t **identity);

/**
 * The same with a picture that shows a user: none is put in once he is deleted.
 * @param job_id the generation that was to save its picture: it does so once, whoever comes to it,
 * and the identity is answered as it is afterwards; NULL: somebody wants it now Errors: also
 * IIMG_CONFLICT (user_deleted).
 */
iimg_error_t *iimg_show_on_identity(iimg_context_t *context, const char *id,
                                    const iimg_upload_t *upload, const char *shown_id,
                                    const char *job_id, iimg_identity_t **identity);

/** Take the picture away; it is held for a day. An identity without one stays as it is. */
iimg_error_t *iimg_delete_identity_image(iimg_context_t *context, const char *id,
                                         iimg_identity_t **identity);

/**
 * Bring back the picture before the last change; the present one is held in its place, so that
 * doing it twice changes nothing. Errors: IIMG_NOT_FOUND, IIMG_CONFLICT when nothing is held.
 */
iimg_error_t *iimg_restore_identity_image(iimg_context_t *context, const char *id,
                                          iimg_identity_t **identity);

/** The categories that identities have, sorted. @param categories const char * */
iimg_error_t *iimg_list_identity_categories(iimg_context_t *context,
                                            apr_array_header_t **categories);

#endif
