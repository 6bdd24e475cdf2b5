/* identity.h - the identities of users: rows of identities. */
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

/** The caller's identities, oldest first. @param identities iimg_identity_t */
iimg_error_t *iimg_identity_list_of_caller(iimg_context_t *context, const iimg_caller_t **caller,
                                           apr_array_header_t **identities);

/**
 * The identities of a user of a test scenario, oldest first.
 * @param found whether the caller is staff and a scenario has that user
 */
iimg_error_t *iimg_identity_list_of_test_user(iimg_context_t *context, const char *user_id,
                                              const iimg_caller_t **caller, bool *found,
                                              apr_array_header_t **identities);

/**
 * The categories of all identities, sorted, without duplicates.
 * @param categories const char *; NULL if the login is unknown
 */
iimg_error_t *iimg_identity_categories(iimg_context_t *context, const iimg_caller_t **caller,
                                       apr_array_header_t **categories);

/** One identity, for any caller. @param identity NULL if there is none such */
iimg_error_t *iimg_identity_by_id(iimg_context_t *context, const char *id,
                                  iimg_identity_t **identity);

/** Lock one identity until the transaction ends. @param identity NULL if there is none such */
iimg_error_t *iimg_identity_lock(iimg_context_t *context, const char *id,
                                 iimg_identity_t **identity);

/**
 * Replace or remove (both members NULL) the picture. The previous one is held for a day.
 * @param identity the updated row; NULL if it is deleted
 */
iimg_error_t *iimg_identity_set_picture(iimg_context_t *context, const char *id,
                                        const iimg_picture_t *picture, iimg_identity_t **identity);

/**
 * Exchange the picture with the held one.
 * @param identity the updated row; NULL if it is deleted, or no picture is held
 */
iimg_error_t *iimg_identity_restore_picture(iimg_context_t *context, const char *id,
                                            iimg_identity_t **identity);

/* For staff ------------------------------------------------------------------------------------ */

/** Members that are NULL match all identities. */
typedef struct iimg_identity_filter_t {
    const char *user_id;
    const char *category;
} iimg_identity_filter_t;

/** A page of all identities; empty unless the caller is staff. @param identities iimg_identity_t
 */
iimg_error_t *iimg_identity_list(iimg_context_t *context, iimg_page_t *page,
                                 const iimg_identity_filter_t *filter, const iimg_caller_t **caller,
                                 apr_array_header_t **identities);

/** One identity. @param identity NULL if there is none such, or the caller is not staff */
iimg_error_t *iimg_identity_for_staff(iimg_context_t *context, const char *id,
                                      const iimg_caller_t **caller, iimg_identity_t **identity);

/**
 * Insert an identity without a picture.
 * @param identity the values to insert; set to the new row
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_identity_insert(iimg_context_t *context, iimg_identity_t **identity);

/**
 * Update all members except the picture.
 * @param identity the new values; set to the updated row, NULL if it is deleted
 * Errors: IIMG_NOT_FOUND "User <id> not found".
 */
iimg_error_t *iimg_identity_update(iimg_context_t *context, iimg_identity_t **identity);

/** Delete an identity. The objects of its pictures are doomed. @param found whether it existed */
iimg_error_t *iimg_identity_delete(iimg_context_t *context, const char *id, bool *found);

#endif
