/* stream.c - the last picture that has begun in a response is decoded as its characters come. */
#include "services/gemini/stream.h"

#include "base/spool.h"
#include "services/gemini/picture.h"

struct iimg_gemini_follow_t {
    apr_pool_t *pool;
    const char *dir;
    iimg_json_cut_t *cut; /* NULL: nothing has come */
    apr_size_t seen;      /* bytes of the body */
    bool failed;          /* the reply has to be read again */
    int number;           /* of the string that comes, or is the next */

    apr_pool_t *own; /* the picture's, which ends when another one begins; NULL: none has */
    iimg_gemini_decoder_t decoder;
    iimg_json_span_t span; /* where the picture stands */
    const char *problem;   /* why it is none; NULL: it may be one */
    bool whole;
};

iimg_gemini_follow_t *iimg_gemini_follow_create(apr_pool_t *pool, const char *dir)
{
    iimg_gemini_follow_t *follow = apr_pcalloc(pool, sizeof(*follow));

    follow->pool = pool;
    follow->dir = dir;
    return follow;
}

static void begin_picture(iimg_gemini_follow_t *follow, const iimg_json_span_t *span)
{
    int error;

    if (follow->own) {
        apr_pool_destroy(follow->own);
    }
    apr_pool_create(&follow->own, follow->pool);
    apr_pool_tag(follow->own, "picture");
    follow->decoder = (iimg_gemini_decoder_t){ .to = iimg_spool_create(follow->own, follow->dir,
                                                                       &error) };
    follow->span = *span;
    follow->problem = follow->decoder.to ? NULL : "no file for the picture";
    follow->whole = false;
}

/* @param data the piece of the body that begins at `from` */
static void read_part(iimg_gemini_follow_t *follow, const iimg_json_span_t *span, bool whole,
                      const char *data, apr_size_t from)
{
    apr_size_t begin = span->offset > from ? span->offset : from;
    apr_size_t end = span->offset + span->length;

    if (span->length == 0) {
        return;
    }
    if (!follow->own || follow->span.offset != span->offset) {
        begin_picture(follow, span);
    }
    follow->span.length = span->length;
    if (!follow->problem && end > begin) {
        follow->problem = iimg_gemini_decoder_feed(&follow->decoder, data + (begin - from),
                                                   end - begin);
    }
    if (!follow->problem && whole) {
        follow->problem = iimg_gemini_decoder_end(&follow->decoder);
        follow->whole = !follow->problem;
    }
}

static void give_up(iimg_gemini_follow_t *follow)
{
    if (follow->own) {
        apr_pool_destroy(follow->own);
    }
    follow->own = NULL;
    follow->whole = false;
    follow->failed = true;
}

void iimg_gemini_follow(void *baton, const char *data, apr_size_t length)
{
    iimg_gemini_follow_t *follow = baton;
    apr_size_t from = follow->seen;
    iimg_json_span_t span;
    bool whole = true;

    if (!data) {
        give_up(follow);
        return;
    }
    follow->seen += length;
    if (!follow->cut) {
        follow->cut = iimg_json_cut_create(follow->pool, "data", IIMG_GEMINI_MAX_STRING,
                                           IIMG_GEMINI_MAX_REST);
    }
    if (follow->failed || !iimg_json_cut_feed(follow->cut, data, length)) {
        follow->failed = true; /* there is too much beside pictures */
        return;
    }
    while (whole && iimg_json_cut_part(follow->cut, follow->number, &span, &whole)) {
        read_part(follow, &span, whole, data, from);
        follow->number += whole;
    }
}

iimg_json_cut_t *iimg_gemini_follow_cut(const iimg_gemini_follow_t *follow, apr_size_t length)
{
    return follow && !follow->failed && follow->seen == length ? follow->cut : NULL;
}

iimg_spool_t *iimg_gemini_follow_take(iimg_gemini_follow_t *follow, apr_pool_t *pool,
                                      const iimg_json_span_t *span)
{
    if (!follow || !follow->whole || follow->span.offset != span->offset
        || follow->span.length != span->length) {
        return NULL;
    }
    follow->whole = false;
    return iimg_spool_move(pool, follow->decoder.to);
}
