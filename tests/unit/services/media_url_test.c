/* media_url_test.c - the signatures of pictures' URLs. */
#include "services/media_url.h"
#include "base/memo.h"
#include "services/services.h"
#include "tap.h"
#include "work.h"

#define UUID  "00000000-0000-4000-8000-00000000000a"
#define KEY   "media/" UUID "/me.jpg"
#define HEX62 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e"
#define HEX64 HEX62 "1f"

static apr_pool_t *pool;

static iimg_media_t *media_of(const char *text)
{
    const char *problem;

    return iimg_media_create(pool, text, "/pictures", 3600, &problem);
}

static void secrets(void)
{
    static const struct {
        const char *text;
        bool good;
        const char *what;
    } rows[] = {
        { "1 " HEX64 "\n", true, "one key" },
        { "# comment\nb " HEX64 "\r\na " HEX64, true, "two keys and a comment" },
        { "", false, "nothing" },
        { "1 abcd\n", false, "a short key" },
        { HEX64, false, "a key without id" },
        { "1 " HEX64 "\n2 " HEX64 "\n3 " HEX64, false, "three keys" },
        { "1 " HEX64 "x", false, "a digit that is none" },
        { "ID " HEX64, false, "an id in capitals" },
        { "123456789 " HEX64, false, "an id of nine characters" },
        { "1 " HEX64 "0", false, "half a byte" },
        { "12345678 " HEX64, true, "an id of eight characters" },
        { "1 \t " HEX64, true, "a tab in front of the key" },
        { "1 " HEX62, false, "a key of 31 bytes" },
        { "1 " HEX64 HEX64 HEX64 HEX64 HEX64 HEX64 HEX64 HEX64, true, "a key of 256 bytes" },
        { "1 " HEX64 HEX64 HEX64 HEX64 HEX64 HEX64 HEX64 HEX64 "00", false, "a key of 257 bytes" },
        { "# comment\n", false, "a comment alone" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok((media_of(rows[i].text) != NULL) == rows[i].good, "%s is %s", rows[i].what,
               rows[i].good ? "taken" : "refused");
    }
}

static iimg_media_verdict_t verdict_of(const iimg_media_t *media, const char *url, apr_time_t now)
{
    const char *path = strstr(url, "/pictures/") + strlen("/pictures/");
    const char *query = strchr(path, '?'), *download;
    apr_int64_t expires;

    return iimg_media_verify(pool, media, apr_pstrmemdup(pool, path, (apr_size_t)(query - path)),
                             query + 1, now, &download, &expires);
}

static void signatures(void)
{
    iimg_media_t *media = media_of("1 " HEX64);
    apr_time_t now = apr_time_from_sec(1800000100);
    iimg_media_signer_t *signer = iimg_media_signer_create(pool, media, "https://x", now);
    const char *url = iimg_media_url(signer, KEY, NULL),
               *named = iimg_media_url(signer, KEY, "a-b.jpg");
    static const char want[] = "https://x/pictures/" KEY "?v=1&k=1&e=1800003600&s=";
    int wrong = 0;

    tap_ok(strncmp(url, want, strlen(want)) == 0,
           "a URL has base, path, key, version, key id and a floored expiry: %s", url);
    tap_is(iimg_media_url(
               iimg_media_signer_create(pool, media, "https://x", now + apr_time_from_sec(700)),
               KEY, NULL),
           url, "within the window it stays the same");
    tap_ok(strcmp(iimg_media_url(iimg_media_signer_create(pool, media, "https://x",
                                                          now + apr_time_from_sec(900)),
                                 KEY, NULL),
                  url)
               != 0,
           "in the next it does not");
    tap_ok(verdict_of(media, url, now) == IIMG_MEDIA_GOOD, "a signed URL is valid");
    tap_ok(verdict_of(media, named, now) == IIMG_MEDIA_GOOD,
           "a signed URL with a file name is valid");
    tap_ok(verdict_of(media, url, apr_time_from_sec(1800003599)) == IIMG_MEDIA_GOOD,
           "a URL is valid until its last second");
    tap_ok(verdict_of(media, url, apr_time_from_sec(1800003600)) == IIMG_MEDIA_EXPIRED,
           "a URL expires");
    for (size_t i = strlen("https://x/pictures/"); i < strlen(named); i++) {
        char *changed = apr_pstrdup(pool, named);

        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        wrong += strchr(changed, '?') != NULL && verdict_of(media, changed, now) == IIMG_MEDIA_GOOD;
    }
    tap_is_number(wrong, 0, "no character of it can be changed");
    tap_ok(verdict_of(media_of("2 " HEX64 "\n1 " HEX64), url, now) == IIMG_MEDIA_GOOD,
           "the second key verifies too");
    tap_ok(verdict_of(media_of("2 " HEX64), url, now) == IIMG_MEDIA_BAD,
           "a key with another id does not");
    tap_ok(verdict_of(media_of("1 ff" HEX64), url, now) == IIMG_MEDIA_BAD,
           "another secret with the same id does not verify");
    tap_ok(
        iimg_media_verify(pool, media, KEY, NULL, now, &(const char *){ NULL }, &(apr_int64_t){ 0 })
            == IIMG_MEDIA_BAD,
        "a URL without a query is none");
    tap_ok(verdict_of(media, apr_pstrcat(pool, url, "&d=", NULL), now) == IIMG_MEDIA_BAD,
           "an empty file name is not the same as none");
    tap_ok(verdict_of(media, apr_pstrcat(pool, url, "&d=a.jpg", NULL), now) == IIMG_MEDIA_BAD,
           "a file name that was not signed is invalid");
    tap_ok(verdict_of(media, apr_pstrcat(pool, url, "&x=1", NULL), now) == IIMG_MEDIA_GOOD,
           "an added parameter is ignored");
}

static iimg_media_signer_t *signer_at(iimg_context_t *context, const char *base_url, int seconds)
{
    iimg_media_signer_t *signer = NULL;

    context->base_url = base_url;
    iimg_media_sign(context, apr_time_from_sec(1800000000 + seconds), &signer);
    return signer;
}

static bool recalls(const iimg_media_signer_t *signer, const char *key, const char *what)
{
    char text[IIMG_MEDIA_KEPT];

    return iimg_media_recall(signer, key, what, text) == 3 && memcmp(text, "yes", 3) == 0;
}

static void keeping(iimg_context_t *context)
{
    static const iimg_storage_driver_t here = { .name = "file" };
    iimg_services_t services = { .media = media_of("1 " HEX64), .storage = { .driver = &here } };
    char *much = apr_pcalloc(pool, IIMG_MEDIA_KEPT + 1);
    iimg_media_signer_t *signer;

    context->services = &services;
    signer = signer_at(context, "https://x", 0);
    iimg_media_keep(signer, KEY, "jpg", "yes", 3);
    tap_ok(!recalls(signer, KEY, "jpg"), "where nothing is kept, nothing is recalled");
    services.urls = iimg_memo_create(pool, 64);
    signer = signer_at(context, "https://x", 0);
    iimg_media_keep(signer, KEY, "jpg", "yes", 3);
    tap_ok(recalls(signer_at(context, "https://x", 899), KEY, "jpg"),
           "a text is recalled by a signer of the same window");
    tap_ok(!recalls(signer_at(context, "https://x", 900), KEY, "jpg"),
           "a cached text is not found in the next window");
    tap_ok(!recalls(signer_at(context, "https://y", 0), KEY, "jpg"),
           "a cached text is not found for another base URL");
    tap_ok(!recalls(signer, KEY, "png"), "a cached text is not found for other derivatives");
    tap_ok(!recalls(signer, "media/" UUID "/you.jpg", "jpg"),
           "a cached text is not found for another key");
    iimg_media_keep(signer, KEY, "jpg", much, IIMG_MEDIA_KEPT + 1);
    tap_ok(recalls(signer, KEY, "jpg"), "a text that is too long is not cached");
    tap_ok(!recalls(signer_at(context,
                              apr_pstrcat(pool, "https://",
                                          memset(apr_pcalloc(pool, 601), 'x', 600), NULL),
                              0),
                    KEY, "jpg"),
           "a base URL that is too long recalls nothing");
}

int main(void)
{
    iimg_context_t *context = work_begin();

    pool = context->pool;
    secrets();
    signatures();
    keeping(context);
    work_end(context);
    return tap_done();
}
