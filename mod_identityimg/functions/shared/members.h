/* members.h - apply a change to a row and collect the names of the members that it changed. */
#ifndef IIMG_FUNCTIONS_SHARED_MEMBERS_H
#define IIMG_FUNCTIONS_SHARED_MEMBERS_H

#include <apr_tables.h>
#include "base/input/input.h"

/*
 *   members = iimg_members_create(pool);
 *   iimg_members_set_text(members, "name", &wanted->name, &row->name);
 *   if (members->nelts) { update the row; iimg_audit(..., members); }
 */

/** Create an empty list of member names. @return const char * */
apr_array_header_t *iimg_members_create(apr_pool_t *pool);

/** Add a name. */
void iimg_members_add(apr_array_header_t *members, const char *name);

/** Set a value if the client sent one and it differs; then add its name. */
void iimg_members_set_text(apr_array_header_t *members, const char *name,
                           const iimg_given_t *wanted, const char **value);
void iimg_members_set_bool(apr_array_header_t *members, const char *name,
                           const iimg_given_bool_t *wanted, bool *value);

#endif
