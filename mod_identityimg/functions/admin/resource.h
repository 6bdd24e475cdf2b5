/* resource.h - tables whose rows staff list, read, create, change and delete. */
#ifndef IIMG_FUNCTIONS_ADMIN_RESOURCE_H
#define IIMG_FUNCTIONS_ADMIN_RESOURCE_H

#include "base/input/input.h"
#include "functions/admin/user_change.h"
#include "functions/public/public.h"
#include "models/account.h"
#include "models/test_scenario.h"

/*
 * A resource is a table of functions for one kind of row. The functions at the end of this file do
 * what resources have in common: the caller must be staff, the row must exist and have the version
 * in If-Match, and the audit log records a change within its transaction. A change that changes
 * nothing writes nothing.
 */

/** A row; each resource uses its own member. */
typedef union iimg_row_t {
    const void *any;
    iimg_account_t *user;
    iimg_identity_t *identity;
    iimg_reference_image_t *reference_image;
    iimg_scenario_t *test_scenario;
} iimg_row_t;

/** Filters of a list. */
typedef union iimg_row_filter_t {
    iimg_account_filter_t user;
    iimg_identity_filter_t identity;
    iimg_reference_image_filter_t reference_image;
} iimg_row_filter_t;

/** Members of an identity in a request; a new one needs user_id, name and category. */
typedef struct iimg_identity_change_t {
    iimg_given_t user_id;
    iimg_given_t name;
    iimg_given_t category;
    iimg_given_t i_am_statement;
    iimg_given_t visualization;
    apr_array_header_t *notes; /* const char *; NULL: not sent */
} iimg_identity_change_t;

/** Members of a test scenario in a request; a new one needs name. */
typedef struct iimg_scenario_change_t {
    iimg_given_t name;
    iimg_given_t user_id; /* null: a scenario without a user */
} iimg_scenario_change_t;

/** Members of a row in a request. */
typedef union iimg_row_change_t {
    iimg_user_change_t user;
    iimg_identity_change_t identity;
    iimg_scenario_change_t test_scenario;
    iimg_reference_image_change_t reference_image;
    struct {
        iimg_given_t user_id;
        iimg_new_reference_image_t members;
    } new_reference_image;
} iimg_row_change_t;

typedef struct iimg_resource_t {
    const char *table;  /* in the database and in the audit log */
    apr_size_t id;      /* offset of a row's id, const char * */
    apr_size_t version; /* offset of a row's version, int */

    /* Read rows, and the caller in the same statement. */
    iimg_error_t *(*list)(iimg_context_t *context, iimg_page_t *page,
                          const iimg_row_filter_t *filter, const iimg_caller_t **caller,
                          apr_array_header_t **rows);
    iimg_error_t *(*find)(iimg_context_t *context, const char *id, const iimg_caller_t **caller,
                          iimg_row_t *row);

    /* iimg_create_row, iimg_update_row, iimg_delete_row; or a function in their place. */
    iimg_error_t *(*create)(iimg_context_t *context, const struct iimg_resource_t *resource,
                            iimg_row_change_t *change, iimg_row_t *row);
    iimg_error_t *(*change)(iimg_context_t *context, const struct iimg_resource_t *resource,
                            iimg_row_change_t *change, iimg_row_t *row);
    iimg_error_t *(*delete)(iimg_context_t *context, const struct iimg_resource_t *resource,
                            const char *id);

    /* For these: check a change and complete it, before the transaction. NULL: nothing to do. */
    iimg_error_t *(*prepare)(iimg_context_t *context, iimg_row_change_t *change);

    /* Steps of their transactions. `members` gets the names of the members that were set. */
    iimg_error_t *(*lock)(iimg_context_t *context, const char *id, iimg_row_t *row);
    iimg_error_t *(*insert)(iimg_context_t *context, const iimg_row_change_t *change,
                            apr_array_header_t *members, iimg_row_t *row);
    iimg_error_t *(*update)(iimg_context_t *context, const iimg_row_change_t *change,
                            apr_array_header_t *members, iimg_row_t *row);
    iimg_error_t *(*remove)(iimg_context_t *context, const char *id, bool *found);
    bool owns_pictures; /* removing a row dooms objects */
} iimg_resource_t;

extern const iimg_resource_t iimg_user_resource;
extern const iimg_resource_t iimg_identity_resource;
extern const iimg_resource_t iimg_reference_image_resource;
extern const iimg_resource_t iimg_test_scenario_resource;

const char *iimg_row_id(const iimg_resource_t *resource, iimg_row_t row);
int iimg_row_version(const iimg_resource_t *resource, iimg_row_t row);

/** Read a page of rows, the newest first. @param rows structs, not pointers */
iimg_error_t *iimg_list_rows(iimg_context_t *context, const iimg_resource_t *resource,
                             iimg_page_t *page, const iimg_row_filter_t *filter,
                             apr_array_header_t **rows);

/** Read one row. Errors: IIMG_NOT_FOUND. */
iimg_error_t *iimg_get_row(iimg_context_t *context, const iimg_resource_t *resource, const char *id,
                           iimg_row_t *row);

/**
 * Create a row, and record it with the request's idempotency key.
 * Errors: those of the resource's steps.
 */
iimg_error_t *iimg_create_row(iimg_context_t *context, const iimg_resource_t *resource,
                              iimg_row_change_t *change, iimg_row_t *row);

/**
 * Change a row.
 * @param row as it was read; then as it is
 * Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION, those of the resource's steps.
 */
iimg_error_t *iimg_update_row(iimg_context_t *context, const iimg_resource_t *resource,
                              iimg_row_change_t *change, iimg_row_t *row);

/**
 * Delete a row, and then the objects of its pictures.
 * Errors: IIMG_NOT_FOUND, IIMG_PRECONDITION, those of the resource's steps.
 */
iimg_error_t *iimg_delete_row(iimg_context_t *context, const iimg_resource_t *resource,
                              const char *id);

#endif
