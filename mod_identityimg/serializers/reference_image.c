/* reference_image.c - a photo as JSON. */
#include "base/timestamp.h"
#include "serializers/serializers.h"

void iimg_reference_image_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                                    const iimg_reference_image_t *image)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "id", image->id);
    iimg_json_member(out, "user", image->user_id);
    iimg_json_member(out, "name", image->name);
    iimg_json_key(out, "order");
    iimg_json_integer(out, image->order);
    iimg_json_key(out, "image");
    iimg_picture_serialize(out, signer, &image->picture);
    iimg_json_member(out, "created_at", iimg_timestamp_format(out->pool, image->created_at));
    iimg_json_member(out, "updated_at", iimg_timestamp_format(out->pool, image->updated_at));
    iimg_json_object_close(out);
}
