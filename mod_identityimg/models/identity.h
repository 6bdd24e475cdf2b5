/* identity.h - who somebody is becoming: rows of identities. */
#ifndef IIMG_MODELS_IDENTITY_H
#define IIMG_MODELS_IDENTITY_H

#include "models/page.h"
#include "models/picture.h"
#include "models/user.h"

typedef struct iimg_identity_t {
    const char *id;
    const char *user_id;
    const char *name;
    const char *category;       /* the stored value: "passions_and_talents" */
    const char *i_am_statement; /* may be NULL or "" */
    const char *visualization;  /* may be NULL or "" */
    apr_array_header_t *notes;  /* const char * */
    iimg_picture_t picture;
    int version;
    const char *created_at; /* PostgreSQL's text */
    const char *updated_at;
} iimg_identity_t;

/** The caller's own, oldest first. @param identities iimg_identity_t */
iimg_error_t *iimg_identity_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                           apr_array_header_t **identities);

/**
 * A test scenario's user's, oldest first.
 * @param user_id    the user's id
 * @param found      whether the caller is staff and a scenario has that user
 */
iimg_error_t *iimg_identity_list_of_test_user(iimg_context_t *context, const char *user_id,
                                              const iimg_caller_t **caller, bool *found,
                                              apr_array_header_t **identities);

/**
 * The categories that identities have, each once, sorted.
 * @param categories const char *; NULL when nobody has the login
 */
iimg_error_t *iimg_identity_categories(iimg_context_t *context, const iimg_caller_t **caller,
                                       apr_array_header_t **categories);

/** One identity, whoever asks. @param identity NULL when there is none such */
iimg_error_t *iimg_identity_by_id(iimg_context_t *context, const char *id,
                                  iimg_identity_t **identity);

/** The same, locked until the transaction ends. */
iimg_error_t *iimg_identity_lock(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity);

/**
 * Show another picture, or none (both members NULL); the one before is held for a day.
 * @param identity the row after it; NULL when it is gone
 */
iimg_error_t *iimg_identity_set_picture(iimg_context_t *context, const char *id,
                                        const iimg_picture_t *picture, iimg_identity_t **identity);

/**
 * Exchange the picture with the one before the last change, as long as that is held.
 * @param identity the row after it; NULL when it is gone or nothing is held
 */
iimg_error_t *iimg_identity_restore_picture(iimg_context_t *context, const char *id,
                                            iimg_identity_t **identity);

/* What staff keep ------------------------------------------------------------------------------ */

/** NULL: whatever it is. */
typedef struct iimg_identity_filter_t {
    const char *user_id;
    const char *category;
} iimg_identity_filter_t;

/** A page of all identities; nothing unless the caller is staff. @param identities iimg_identity_t
 */
iimg_error_t *iimg_identity_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_identity_filter_t *filter, const iimg_caller_t **caller,
                                 apr_array_header_t **identities);

/** One identity. @param identity NULL when there is none such, or the caller is not staff */
iimg_error_t *iimg_identity_for_staff(iimg_context_t *context, const char *id,
                                      const iimg_caller_t **caller, iimg_identity_t **identity);

/**
 * Insert an identity without a picture. @param identity what is wanted; the row after it
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_identity_insert(iimg_context_t *context, iimg_identity_t **identity);

/**
 * Change all but the picture to what identity says.
 * @param identity the row after it; NULL when it is gone
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_identity_update(iimg_context_t *context, iimg_identity_t **identity);

/** Delete an identity; the objects of its pictures are doomed. @param found whether it was there */
iimg_error_t *iimg_identity_delete(iimg_context_t *context, const char *id, bool *found);

#endif
