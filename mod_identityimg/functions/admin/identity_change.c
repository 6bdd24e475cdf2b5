/* identity_change.c - what staff say of an identity, and what of it is new. */
#include "functions/admin/admin.h"

#include <string.h>
#include "functions/shared/members.h"

static bool are_same(const apr_array_header_t *a, const apr_array_header_t *b)
{
    bool same = a->nelts == b->nelts;

    for (int i = 0; same && i < a->nelts; i++) {
        same = strcmp(APR_ARRAY_IDX(a, i, const char *), APR_ARRAY_IDX(b, i, const char *)) == 0;
    }
    return same;
}

void iimg_apply_identity_change(const iimg_identity_change_t *wanted, apr_array_header_t *members,
                                iimg_identity_t *identity)
{
    iimg_members_set_text(members, "user_id", &wanted->user_id, &identity->user_id);
    iimg_members_set_text(members, "name", &wanted->name, &identity->name);
    iimg_members_set_text(members, "category", &wanted->category, &identity->category);
    iimg_members_set_text(members, "i_am_statement", &wanted->i_am_statement,
                          &identity->i_am_statement);
    iimg_members_set_text(members, "visualization", &wanted->visualization,
                          &identity->visualization);
    if (wanted->notes && !are_same(wanted->notes, identity->notes)) {
        identity->notes = wanted->notes;
        iimg_members_add(members, "notes");
    }
}
