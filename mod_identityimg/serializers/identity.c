/* identity.c - an identity as JSON. */
#include "base/timestamp.h"
#include "serializers/serializers.h"

static void serialize_notes(iimg_json_t *out, const apr_array_header_t *notes)
{
    iimg_json_array_open(out);
    for (int i = 0; i < notes->nelts; i++) {
        iimg_json_string(out, APR_ARRAY_IDX(notes, i, const char *));
    }
    iimg_json_array_close(out);
}

void iimg_identity_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                             const iimg_identity_t *identity)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "id", identity->id);
    iimg_json_member(out, "user", identity->user_id);
    iimg_json_member(out, "name", identity->name);
    iimg_json_member(out, "category", identity->category);
    iimg_json_member(out, "i_am_statement", identity->i_am_statement);
    iimg_json_member(out, "visualization", identity->visualization);
    iimg_json_key(out, "notes");
    serialize_notes(out, identity->notes);
    iimg_json_key(out, "image");
    iimg_picture_serialize(out, signer, &identity->picture);
    iimg_json_member(out, "created_at", iimg_timestamp_format(out->pool, identity->created_at));
    iimg_json_member(out, "updated_at", iimg_timestamp_format(out->pool, identity->updated_at));
    iimg_json_object_close(out);
}
