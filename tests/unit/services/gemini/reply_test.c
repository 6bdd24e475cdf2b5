/* reply_test.c - whether an answer without a picture was billed, and whether another call is worth
 * it. */
#include "services/gemini/reply.h"
#include "tap.h"
#include "work.h"

#define PARTS "\"content\": {\"parts\": [{\"text\": \"words\"}]}"
#define ENDED(reason, more) \
    "{\"candidates\": [{" PARTS ", \"finishReason\": \"" reason "\"}]" more "}"
#define TOKENS(n) ", \"usageMetadata\": {\"totalTokenCount\": " #n "}"

static const struct {
    const char *sentence, *body, *code;
    iimg_again_t again;
    const char *billed;
} rows[] = {
    { "no picture", ENDED("STOP", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "no picture, with tokens", ENDED("STOP", TOKENS(9)), "no_image", IIMG_AGAIN_PAID, "t" },
    { "no picture, with one token", ENDED("STOP", TOKENS(1)), "no_image", IIMG_AGAIN_PAID, "t" },
    { "no picture, without tokens", ENDED("STOP", TOKENS(0)), "no_image", IIMG_AGAIN_PAID, NULL },
    { "no reason", "{\"candidates\": [{" PARTS "}]}", "no_image", IIMG_AGAIN_PAID, NULL },
    { "NO_IMAGE", ENDED("NO_IMAGE", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "IMAGE_OTHER", ENDED("IMAGE_OTHER", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "OTHER", ENDED("OTHER", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "MALFORMED_RESPONSE", ENDED("MALFORMED_RESPONSE", ""), "no_image", IIMG_AGAIN_PAID, NULL },
    { "a tool", ENDED("UNEXPECTED_TOOL_CALL", TOKENS(9)), "provider_request", IIMG_AGAIN_PAID,
      "t" },
    { "MAX_TOKENS", ENDED("MAX_TOKENS", TOKENS(9)), "provider_request", IIMG_AGAIN_NO, "t" },
    { "CONTINUATION", ENDED("CONTINUATION", ""), "provider_request", IIMG_AGAIN_NO, NULL },
    { "an unknown reason", ENDED("WONDERFUL", ""), "no_image", IIMG_AGAIN_NO, NULL },
    { "a refusal", ENDED("IMAGE_SAFETY", ""), "refused", IIMG_AGAIN_NO, NULL },
    { "a refusal with tokens", ENDED("IMAGE_SAFETY", TOKENS(9)), "refused", IIMG_AGAIN_NO, "t" },
    { "a block", "{\"promptFeedback\": {\"blockReason\": \"SAFETY\"}}", "refused", IIMG_AGAIN_NO,
      NULL },
    { "a block without a reason is none",
      "{\"promptFeedback\": {\"blockReason\": \"BLOCK_REASON_UNSPECIFIED\"}}", "no_image",
      IIMG_AGAIN_PAID, NULL },
    { "no JSON", "x", "provider_reply", IIMG_AGAIN_NO, NULL },
};

int main(void)
{
    static const iimg_generator_settings_t settings = { .gemini_key = "key",
                                                        .max_response = 100000 };
    static const iimg_generator_request_t request = { .model = "m", .width = 1, .height = 1 };
    iimg_context_t *context = work_begin();

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        iimg_http_response_t response = { .outcome = IIMG_HTTP_OK,
                                          .problem = "",
                                          .status = 200,
                                          .body = rows[i].body,
                                          .length = strlen(rows[i].body),
                                          .headers = apr_table_make(context->pool, 1) };
        iimg_generator_result_t *result;
        iimg_error_t *err = iimg_gemini_reply(context, &settings, &request, &response, &result);

        tap_is(err ? err->code : NULL, rows[i].code, "%s: its code", rows[i].sentence);
        tap_is_number(err ? (int)err->again : -1, rows[i].again,
                      "%s: whether another call is worth it", rows[i].sentence);
        tap_is(err ? err->billed : "", rows[i].billed, "%s: whether it was billed",
               rows[i].sentence);
        tap_ok(err
                   && (strcmp(rows[i].code, "provider_reply") == 0
                       || strstr(err->message,
                                 rows[i].billed ? "was billed" : "may have been billed")),
               "... and says so");
    }
    work_end(context);
    return tap_done();
}
