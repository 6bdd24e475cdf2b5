/* admin_identities.c - identities of all users, for staff. */
#include "views/resource.h"
#include "views/shared.h"

#define MAX_IDENTITY_NAME 255 /* characters */
#define MAX_TEXT          10000
#define MAX_NOTE          2000
#define MAX_NOTES         100

static iimg_error_t *read_filter(const iimg_input_t *query, iimg_row_filter_t *filter)
{
    iimg_error_t *err = iimg_read_uuid_filter(query, "user_id", &filter->identity.user_id);

    return iimg_error_join(err, iimg_read_text_filter(query, "category", MAX_IDENTITY_NAME,
                                                      &filter->identity.category));
}

static iimg_error_t *read_change(iimg_request_t *req, const iimg_input_t *input,
                                 iimg_row_change_t *change)
{
    const int optional = IIMG_MAY_BE_BLANK | IIMG_MAY_BE_NULL;
    iimg_identity_change_t *identity = &change->identity;
    const struct {
        const char *name;
        apr_size_t max;
        int flags;
        iimg_given_t *given;
    } texts[] = {
        { "name", MAX_IDENTITY_NAME, 0, &identity->name },
        { "category", MAX_IDENTITY_NAME, 0, &identity->category },
        { "i_am_statement", MAX_TEXT, optional, &identity->i_am_statement },
        { "visualization", MAX_TEXT, optional, &identity->visualization },
    };
    iimg_error_t *err = iimg_input_given_uuid(input, "user_id", 0, &identity->user_id);

    (void)req;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        err = iimg_error_join(err, iimg_input_given(input, texts[i].name, texts[i].max,
                                                    texts[i].flags, texts[i].given));
    }
    return iimg_error_join(err,
                           iimg_input_texts(input, "notes", MAX_NOTES, MAX_NOTE, &identity->notes));
}

const iimg_resource_view_t iimg_admin_identities = {
    .path = "admin/identities/",
    .rows = &iimg_identity_resource,
    .required = (const char *const[]){ "user_id", "name", "category", NULL },
    .seconds = IIMG_ROW_SECONDS,
    .picture = offsetof(iimg_identity_t, picture.key),
    .read_filter = read_filter,
    .read_new = read_change,
    .read_change = read_change,
    .write = iimg_write_identity,
};
