/* picture.c - a picture as clients see it: its URLs. */
#include "serializers/serializers.h"

void iimg_picture_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                            const iimg_picture_t *picture)
{
    if (!picture->key) {
        iimg_json_null(out);
        return;
    }
    iimg_json_object_open(out);
    iimg_json_member(out, "original", iimg_media_url(signer, picture->key, NULL));
    for (int size = 0; size < IIMG_SIZES; size++) {
        const char *key = iimg_key_sized(out->pool, picture->key, size, picture->sized);

        iimg_json_member(out, iimg_sizes[size].name, iimg_media_url(signer, key, NULL));
    }
    iimg_json_object_close(out);
}
