/* picture.c - a picture as JSON: its URLs. */
#include "serializers/serializers.h"

/* @return false when a URL could not be made */
static bool write_urls(iimg_json_t *out, iimg_media_signer_t *signer, const iimg_picture_t *picture)
{
    const char *url = iimg_media_url(signer, picture->key, NULL);
    bool made = url != NULL;

    iimg_json_object_open(out);
    iimg_json_member(out, "original", url);
    for (int i = 0; i < IIMG_DERIVATIVES; i++) {
        url = iimg_media_url(signer, iimg_key_sized(out->pool, picture->key, i, picture->sized),
                             NULL);
        made = made && url;
        iimg_json_member(out, iimg_derivatives[i].member, url);
    }
    iimg_json_object_close(out);
    return made;
}

/* Signing four URLs took a sixth of the time of a list in httpd. Within a window they stay
 * the same. */
void iimg_picture_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                            const iimg_picture_t *picture)
{
    char cached[IIMG_MEDIA_KEPT];
    apr_size_t length, begin = out->length + out->comma;

    if (!picture->key) {
        iimg_json_null(out);
        return;
    }
    length = iimg_media_recall(signer, picture->key, picture->sized, cached);
    if (length > 0) {
        iimg_json_raw_n(out, cached, length);
    }
    else if (write_urls(out, signer, picture)) {
        iimg_media_keep(signer, picture->key, picture->sized, out->text + begin,
                        out->length - begin);
    }
}
