/* stream_test.c - a response that arrives in pieces: its last picture is decoded meanwhile. */
#include "base/spool.h"
#include "services/gemini/literals.h"

static void test_pieces(apr_pool_t *pool, apr_size_t step)
{
    const char *body = REPLY(THOUGHT(DRAFT64) "," PICTURE("image/png", PNG64), "STOP");
    iimg_gemini_stream_t *stream = feed_stream(pool, NULL, body, step);
    iimg_json_cut_t *cut = iimg_gemini_stream_cut(stream, strlen(body));
    iimg_spool_t *spool;
    char bytes[sizeof(PNG)];

    if (!tap_ok(cut != NULL, "a stream that read the whole body has its rest (pieces of %d)",
                (int)step)) {
        return;
    }
    tap_ok(!iimg_gemini_stream_cut(stream, strlen(body) - 1),
           "a stream has no result for a body of another length");
    tap_ok(!iimg_gemini_stream_take_picture(stream, pool, iimg_json_cut_span(cut, "0")),
           "a picture before the last one is not available");
    spool = iimg_gemini_stream_take_picture(stream, pool, iimg_json_cut_span(cut, "1"));
    tap_ok(spool && spool->length == sizeof(PNG) - 1
               && iimg_spool_read(spool, 0, bytes, sizeof(bytes)) == sizeof(PNG) - 1
               && memcmp(bytes, PNG, sizeof(PNG) - 1) == 0,
           "the last picture is decoded at the end of the body");
    tap_ok(!iimg_gemini_stream_take_picture(stream, pool, iimg_json_cut_span(cut, "1")),
           "a picture can be taken once");
    stream = feed_stream(pool, NULL, body, step);
    iimg_gemini_stream_feed(stream, NULL, 0);
    iimg_gemini_stream_feed(stream, " ", 1);
    tap_ok(!iimg_gemini_stream_cut(stream, strlen(body) + 1)
               && !iimg_gemini_stream_take_picture(stream, pool, iimg_json_cut_span(cut, "1")),
           "a stream whose spool ran out of space has no results");
}

int main(void)
{
    static const apr_size_t steps[] = { 1, 2, 3, 7, 100, 65536 };
    iimg_context_t *context = work_begin();

    tap_ok(!iimg_gemini_stream_cut(NULL, 0)
               && !iimg_gemini_stream_take_picture(NULL, context->pool, NULL),
           "without a stream there are no results");
    for (size_t i = 0; i < COUNT(steps); i++) {
        test_pieces(context->pool, steps[i]);
    }
    work_end(context);
    return tap_done();
}
