/* account.h - users with the members that only staff see: rows of users. */
#ifndef IIMG_MODELS_ACCOUNT_H
#define IIMG_MODELS_ACCOUNT_H

#include "models/page.h"
#include "models/user.h"

typedef struct iimg_account_t {
    iimg_user_t user;
    bool is_active;
    bool has_password;
    const char *created_at; /* PostgreSQL's text */
    int version;            /* counts changes */
} iimg_account_t;

/** Members that are NULL match all users. */
typedef struct iimg_account_filter_t {
    const char *is_staff; /* "t", "f" */
    const char *is_active;
} iimg_account_filter_t;

/** A page of all users; empty unless the caller is staff. @param accounts iimg_account_t */
iimg_error_t *iimg_account_list(iimg_context_t *context, iimg_page_t *page,
                                const iimg_account_filter_t *filter, const iimg_caller_t **caller,
                                apr_array_header_t **accounts);

/** One user. @param account NULL if there is none such, or the caller is not staff */
iimg_error_t *iimg_account_by_id(iimg_context_t *context, const char *id,
                                 const iimg_caller_t **caller, iimg_account_t **account);

/**
 * Within a transaction: lock the rows of a user and of the staff member who changes it, in the
 * order of ids, so that two such transactions cannot deadlock.
 * @param account NULL if there is none such
 */
iimg_error_t *iimg_account_lock(iimg_context_t *context, const char *id, const char *changed_by,
                                iimg_account_t **account);

/**
 * Insert a user.
 * @param hash    of the password; "" matches no password
 * @param account the values to insert; set to the new row
 * Errors: IIMG_INVALID code email_in_use.
 */
iimg_error_t *iimg_account_insert(iimg_context_t *context, const char *hash,
                                  iimg_account_t **account);

/**
 * Update a user.
 * @param hash    NULL: the password stays
 * @param account the new values; set to the updated row, NULL if it is deleted
 * Errors: IIMG_INVALID code email_in_use.
 */
iimg_error_t *iimg_account_update(iimg_context_t *context, const char *hash,
                                  iimg_account_t **account);

/**
 * Delete a user with all rows that belong to them. The objects of their pictures are doomed.
 * @param found whether the user existed
 */
iimg_error_t *iimg_account_delete(iimg_context_t *context, const char *id, bool *found);

#endif
