/* account.h - users as staff see them: rows of users. */
#ifndef IIMG_MODELS_ACCOUNT_H
#define IIMG_MODELS_ACCOUNT_H

#include "models/page.h"
#include "models/user.h"

typedef struct iimg_account_t {
    iimg_user_t user;
    bool is_active;
    bool has_password;
    const char *created_at; /* PostgreSQL's text */
    int version;            /* one more with each change */
} iimg_account_t;

/** NULL: whatever it is. */
typedef struct iimg_account_filter_t {
    const char *is_staff; /* "t", "f" */
    const char *is_active;
} iimg_account_filter_t;

/** A page of all users; nothing unless the caller is staff. @param accounts iimg_account_t */
iimg_error_t *iimg_account_list(iimg_context_t *context, iimg_page_t *page,
                                const iimg_account_filter_t *filter, const iimg_caller_t **caller,
                                apr_array_header_t **accounts);

/** One user. @param account NULL when there is none such, or the caller is not staff */
iimg_error_t *iimg_account_by_id(iimg_context_t *context, const char *id,
                                 const iimg_caller_t **caller, iimg_account_t **account);

/**
 * Within a transaction: lock a user's row and that of the one who changes it, always in the same
 * order. @param account NULL when there is none such
 */
iimg_error_t *iimg_account_lock(iimg_context_t *context, const char *id, const char *changed_by,
                                iimg_account_t **account);

/**
 * Insert a user.
 * @param hash    of the password; "" lets nobody in
 * @param account what is wanted; the row after it
 * Errors: IIMG_INVALID code email_in_use.
 */
iimg_error_t *iimg_account_insert(iimg_context_t *context, const char *hash,
                                  iimg_account_t **account);

/**
 * Change a user to what account says. @param hash NULL: the password stays
 * @param account the row after it; NULL when it is gone
 * Errors: IIMG_INVALID code email_in_use.
 */
iimg_error_t *iimg_account_update(iimg_context_t *context, const char *hash,
                                  iimg_account_t **account);

/**
 * Delete a user and what is his; the objects of his pictures are doomed.
 * @param found whether he was there
 */
iimg_error_t *iimg_account_delete(iimg_context_t *context, const char *id, bool *found);

#endif
