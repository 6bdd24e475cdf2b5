/* path_fuzz.c - the input is a path of the API, a UUID, an object's key, and a list of changes to a
 * signed URL, which must be detected. */
#include <strings.h>
#include "base/path.h"
#include "base/uuid.h"
#include "fuzz.h"
#include "services/media_url.h"
#include "services/pictures/key.h"

#define UUID    "00000000-0000-4000-8000-00000000000a"
#define KEY     "media/" UUID "/me.jpg"
#define NAME    "my photo.jpg"
#define HEX64   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SECRETS "1 " HEX64 "\n0 " HEX64 "20\n"
#define NOW     apr_time_from_sec(1700000000)

static iimg_media_t *media;
static char signed_url[512]; /* behind the base: key and query */

void fuzz_start(apr_pool_t *pool)
{
    iimg_media_signer_t *signer;
    const char *problem, *url;

    media = iimg_media_create(pool, SECRETS, "/p", 3600, &problem);
    fuzz_claim(media, "the secrets are accepted: %s", problem);
    signer = iimg_media_signer_create(pool, media, "", NOW);
    url = iimg_media_url(signer, KEY, NAME);
    apr_cpystrn(signed_url, url + strlen("/p/"), sizeof(signed_url));
}

static void routes(apr_pool_t *pool, const char *path)
{
    static const char *const patterns[] = {
        "reference-images/",
        "reference-images/{id}/",
        "reference-images/{id}/upload-image/",
        "users/me/",
        "{id}/",
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        const char *id;
        size_t length = 0;

        if (!iimg_path_matches(patterns[i], path, &id, &length)) {
            continue;
        }
        fuzz_claim(!id == !strchr(patterns[i], '{'), "an id comes from a pattern that has one");
        fuzz_claim(!id || (length > 0 && !memchr(id, '/', length)), "an id is one segment");
        if (id) {
            iimg_uuid_parse(pool, apr_pstrmemdup(pool, id, length));
        }
    }
}

static void uuids(apr_pool_t *pool, const char *text)
{
    const char *uuid = iimg_uuid_parse(pool, text);

    fuzz_claim(!uuid
                   || (strlen(text) == IIMG_UUID_LENGTH && iimg_uuid_at(uuid)
                       && strcasecmp(uuid, text) == 0),
               "a UUID is the input in lower case");
}

static void keys(apr_pool_t *pool, const char *text)
{
    if (!iimg_key_is_valid(text)) {
        return;
    }
    fuzz_claim(*text != '/' && !strstr(text, "..") && !strstr(text, "//") && strlen(text) < 200
                   && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-/.") == strlen(text),
               "a key cannot leave its directory");
    fuzz_claim(iimg_uuid_at(iimg_key_uuid(pool, text)), "a key has a UUID");
    fuzz_claim(*iimg_key_extension(text), "a key has an extension");
    iimg_key_sized(pool, text, IIMG_LARGE, "jpg");
}

static iimg_media_verdict_t verify(apr_pool_t *pool, char *url, const char **download)
{
    char *query = strchr(url, '?');
    apr_int64_t expires;

    if (query) {
        *query++ = '\0';
    }
    return iimg_media_verify(pool, media, url, query, NOW, download, &expires);
}

/* Pairs of bytes: position and new value. */
static void changed_url(apr_pool_t *pool, const char *data, size_t length)
{
    size_t n = strlen(signed_url);
    char *url = apr_pstrdup(pool, signed_url);
    const char *download;

    for (size_t i = 0; i + 1 < length; i += 2) {
        url[(unsigned char)data[i] % n] = data[i + 1];
    }
    if (verify(pool, url, &download) != IIMG_MEDIA_BAD) {
        fuzz_claim(strcmp(url, KEY) == 0 && download && strcmp(download, NAME) == 0,
                   "only the signed URL verifies");
    }
}

void fuzz_one(apr_pool_t *pool, const char *data, size_t length)
{
    char *text = fuzz_text(pool, data, length);
    const char *problem, *download;

    routes(pool, text);
    uuids(pool, text);
    keys(pool, text);
    changed_url(pool, data, length);
    iimg_media_create(pool, text, "/p", 3600, &problem);
    verify(pool, text, &download);
}
