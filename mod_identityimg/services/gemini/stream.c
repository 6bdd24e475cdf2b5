/* stream.c - decodes the last picture of a generateContent response while the response arrives. */
#include "services/gemini/stream.h"

#include "base/spool.h"
#include "services/gemini/picture.h"

struct iimg_gemini_stream_t {
    apr_pool_t *pool;
    const char *dir;
    iimg_json_cut_t *cut; /* NULL: no piece has arrived */
    apr_size_t seen;      /* bytes of the body so far */
    bool failed;          /* the stream has no results: the body has to be read again */
    int number;           /* of the picture string that arrives or is expected next */

    apr_pool_t *picture_pool; /* of the current picture; NULL: there is none */
    iimg_gemini_decoder_t decoder;
    iimg_json_span_t span; /* of the picture in the body */
    const char *problem;   /* why it cannot be decoded; NULL so far */
    bool whole;
};

iimg_gemini_stream_t *iimg_gemini_stream_create(apr_pool_t *pool, const char *dir)
{
    iimg_gemini_stream_t *stream = apr_pcalloc(pool, sizeof(*stream));

    stream->pool = pool;
    stream->dir = dir;
    return stream;
}

static void begin_picture(iimg_gemini_stream_t *stream, const iimg_json_span_t *span)
{
    int error;

    if (stream->picture_pool) {
        apr_pool_destroy(stream->picture_pool);
    }
    apr_pool_create(&stream->picture_pool, stream->pool);
    apr_pool_tag(stream->picture_pool, "picture");
    stream->decoder = (iimg_gemini_decoder_t){ .to = iimg_spool_create(stream->picture_pool,
                                                                       stream->dir, &error) };
    stream->span = *span;
    stream->problem = stream->decoder.to ? NULL : "no file for the picture";
    stream->whole = false;
}

/* @param data the piece of the body at offset `from` */
static void decode_span(iimg_gemini_stream_t *stream, const iimg_json_span_t *span, bool whole,
                        const char *data, apr_size_t from)
{
    apr_size_t begin = span->offset > from ? span->offset : from;
    apr_size_t end = span->offset + span->length;

    if (span->length == 0) {
        return;
    }
    if (!stream->picture_pool || stream->span.offset != span->offset) {
        begin_picture(stream, span);
    }
    stream->span.length = span->length;
    if (!stream->problem && end > begin) {
        stream->problem = iimg_gemini_decoder_feed(&stream->decoder, data + (begin - from),
                                                   end - begin);
    }
    if (!stream->problem && whole) {
        stream->problem = iimg_gemini_decoder_end(&stream->decoder);
        stream->whole = !stream->problem;
    }
}

static void discard_picture(iimg_gemini_stream_t *stream)
{
    if (stream->picture_pool) {
        apr_pool_destroy(stream->picture_pool);
    }
    stream->picture_pool = NULL;
    stream->whole = false;
    stream->failed = true;
}

void iimg_gemini_stream_feed(void *baton, const char *data, apr_size_t length)
{
    iimg_gemini_stream_t *stream = baton;
    apr_size_t from = stream->seen;
    iimg_json_span_t span;
    bool whole = true;

    if (!data) {
        discard_picture(stream);
        return;
    }
    stream->seen += length;
    if (!stream->cut) {
        stream->cut = iimg_json_cut_create(stream->pool, "data", IIMG_GEMINI_MAX_STRING,
                                           IIMG_GEMINI_MAX_REST);
    }
    if (stream->failed || !iimg_json_cut_feed(stream->cut, data, length)) {
        stream->failed = true;
        return;
    }
    while (whole && iimg_json_cut_part(stream->cut, stream->number, &span, &whole)) {
        decode_span(stream, &span, whole, data, from);
        stream->number += whole;
    }
}

iimg_json_cut_t *iimg_gemini_stream_cut(const iimg_gemini_stream_t *stream, apr_size_t length)
{
    return stream && !stream->failed && stream->seen == length ? stream->cut : NULL;
}

iimg_spool_t *iimg_gemini_stream_take_picture(iimg_gemini_stream_t *stream, apr_pool_t *pool,
                                              const iimg_json_span_t *span)
{
    if (!stream || !stream->whole || stream->span.offset != span->offset
        || stream->span.length != span->length) {
        return NULL;
    }
    stream->whole = false;
    return iimg_spool_move(pool, stream->decoder.to);
}
