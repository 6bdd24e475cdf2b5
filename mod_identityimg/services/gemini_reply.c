/* gemini_reply.c - reading a generateContent response; how it came is none of its business. */
#include "services/gemini_reply.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "base/json.h"
#include "base/log.h"
#include "base/media_type.h"
#include "services/base64.h"
#include "services/gemini_error.h"
#include "services/picture_size.h"

#define MAX_USAGE 4096      /* bytes of token counts worth keeping */
#define MAX_TEXT 4096       /* bytes of words worth keeping */

typedef enum {
    DONE,                   /* there should be a picture */
    REFUSED,                /* the provider will not; wins even over a picture */
    NOTHING_CAME,           /* another try may do better */
    MISCONFIGURED,          /* the way we ask is wrong */
    UNHEARD_OF
} verdict_t;

typedef struct reason_t {
    const char *name;
    verdict_t verdict;
    const char *why;        /* refused: continues "... refused to make this picture: " */
    const char *advice;     /* refused: what the user may try */
} reason_t;

static const char other_images[] = "Try other reference images.";
static const char other_words[] = "Try other words.";
static const char others[] = "Try other words or other reference images.";

/* finishReason and blockReason; a blockReason always refuses. The last row has no name. */
static const reason_t reasons[] = {
    { "STOP",                     DONE, NULL, NULL },
    { "SAFETY",                   REFUSED, "its safety check objected to the request", others },
    { "IMAGE_SAFETY",             REFUSED, "its safety check objected to the finished picture",
      others },
    { "PROHIBITED_CONTENT",       REFUSED, "the request asks for something it forbids", others },
    { "IMAGE_PROHIBITED_CONTENT", REFUSED, "the finished picture showed something it forbids",
      others },
    { "BLOCKLIST",                REFUSED, "the text has a word that it forbids", other_words },
    { "SPII",                     REFUSED, "it saw sensitive personal data, such as the number of "
                                           "a card or a passport",
      "Remove such data from the texts and the reference images." },
    { "RECITATION",               REFUSED, "the result would repeat somebody else's work",
      other_words },
    { "IMAGE_RECITATION",         REFUSED, "the picture would repeat somebody else's work",
      others },
    { "LANGUAGE",                 REFUSED, "it does not know the language of the text",
      "Try English words." },
    { "MODEL_ARMOR",              REFUSED, "a safety rule set for this server's account objected",
      others },
    { "JAILBREAK",                REFUSED, "it took the text for an attempt to get around its "
                                           "rules", other_words },
    { "OTHER",                    NOTHING_CAME, NULL, NULL },
    { "NO_IMAGE",                 NOTHING_CAME, NULL, NULL },
    { "IMAGE_OTHER",              NOTHING_CAME, NULL, NULL },
    { "MALFORMED_RESPONSE",       NOTHING_CAME, NULL, NULL },
    { "MAX_TOKENS",               MISCONFIGURED, NULL, NULL },
    { "MALFORMED_FUNCTION_CALL",  MISCONFIGURED, NULL, NULL },
    { "UNEXPECTED_TOOL_CALL",     MISCONFIGURED, NULL, NULL },
    { "TOO_MANY_TOOL_CALLS",      MISCONFIGURED, NULL, NULL },
    { "CONTINUATION",             MISCONFIGURED, NULL, NULL },
    { NULL,                       UNHEARD_OF, "it gave no reason that we know", other_images },
};

typedef struct reply_t {
    iimg_context_t *context;
    const iimg_generator_settings_t *settings;
    const iimg_generator_request_t *request;
    json_t *root;           /* the reply; belongs to iimg_gemini_reply */
    json_t *candidate;      /* the first, or NULL */
    json_t *parts;          /* its parts, or NULL */
    const char *finish;     /* its finishReason, or NULL */
    const reason_t *reason; /* the row of it */
} reply_t;

static const reason_t *reason_of(const char *name)
{
    const reason_t *reason = reasons;

    while (reason->name && strcmp(reason->name, name) != 0) {
        reason++;
    }
    return reason;
}

static const char *quote(const reply_t *reply, const char *text)
{
    return text ? iimg_gemini_quote(reply->context->pool, text, strlen(text),
                                    reply->settings->gemini_key) : "";
}

/* Errors -------------------------------------------------------------------------------------- */

static iimg_error_t *unusable(const reply_t *reply, const char *why)
{
    return iimg_error_detail(
        iimg_error_code(iimg_error(reply->context->pool, IIMG_UPSTREAM,
                                   "The image provider's answer was not usable. Please try again."),
                        "provider_reply"),
        "%s", quote(reply, why));
}

static iimg_error_t *refused(const reply_t *reply, const char *kind, const char *name,
                             const char *message)
{
    const reason_t *reason = reason_of(name);
    /* Not every blockReason has words of its own. */
    const reason_t *words = reason->why ? reason : reason_of("");

    return iimg_error_detail(
        iimg_error_code(iimg_error(reply->context->pool, IIMG_REFUSED,
                                   "The image provider refused to make this picture: %s. %s",
                                   words->why, words->advice),
                        "refused"),
        "%s %s: %s", kind, quote(reply, name), quote(reply, message));
}

static iimg_error_t *no_picture(const reply_t *reply)
{
    return iimg_error_detail(
        iimg_error_code(iimg_error(reply->context->pool, IIMG_UPSTREAM,
                                   "The image provider answered without a picture. Please try "
                                   "again."),
                        "no_image"),
        "finishReason %s: %s", reply->finish ? quote(reply, reply->finish) : "absent",
        quote(reply, iimg_gemini_text(reply->candidate, "finishMessage")));
}

static iimg_error_t *misconfigured(const reply_t *reply)
{
    return iimg_error_detail(
        iimg_error_code(iimg_error(reply->context->pool, IIMG_UPSTREAM,
                                   "The image provider stopped before the picture was done; an "
                                   "operator must look at it."),
                        "provider_request"),
        "finishReason %s: %s", reply->finish,
        quote(reply, iimg_gemini_text(reply->candidate, "finishMessage")));
}

/* The picture --------------------------------------------------------------------------------- */

/* The last inline data among the parts, of the thoughts or of the rest; NULL when there is none. */
static json_t *last_picture(const json_t *parts, bool thought)
{
    json_t *part, *last = NULL;
    size_t i;

    json_array_foreach(parts, i, part) {
        json_t *inlined = iimg_gemini_member(part, "inlineData");

        if (iimg_gemini_text(inlined, "data")
            && json_is_true(iimg_gemini_member(part, "thought")) == thought) {
            last = inlined;
        }
    }
    return last;
}

static bool is_wanted(iimg_format_t format)
{
    return format == IIMG_FORMAT_JPEG || format == IIMG_FORMAT_PNG || format == IIMG_FORMAT_WEBP;
}

/* The bytes decide what the picture is; the label has been seen to lie. */
static iimg_error_t *read_picture(const reply_t *reply, const json_t *inlined,
                                  iimg_generator_result_t *result)
{
    json_t *data = iimg_gemini_member(inlined, "data");
    const char *label = iimg_gemini_text(inlined, "mimeType");
    const iimg_media_type_t *type;

    if (!iimg_base64_decode(reply->context->pool, json_string_value(data),
                            json_string_length(data), &result->data, &result->length)) {
        return unusable(reply, "the picture's base64 is broken");
    }
    type = iimg_media_type_sniff(result->data, result->length);
    if (!is_wanted(type->format)) {
        return unusable(reply, "the picture is neither JPEG nor PNG nor WebP");
    }
    if (label && strcmp(label, type->media_type) != 0) {
        iimg_log(reply->context, IIMG_LOG_DEBUG, "the provider calls a picture %s that is %s",
                 quote(reply, label), type->media_type);
    }
    return NULL;
}

static bool is_size_asked_for(const reply_t *reply, const iimg_generator_result_t *result)
{
    int width = 0, height = 0;

    return iimg_picture_size(result->data, result->length, &width, &height)
           && width == reply->request->width && height == reply->request->height;
}

/* Thoughts are drafts, and the last of them is what would have been delivered: it has been seen
 * to come alone. A draft of another size is none. */
static iimg_error_t *read_thought(const reply_t *reply, iimg_generator_result_t *result)
{
    json_t *thought = last_picture(reply->parts, true);
    iimg_error_t *err;

    if (!thought || !reply->finish || reply->reason->verdict != DONE) {
        return no_picture(reply);
    }
    err = read_picture(reply, thought, result);
    if (err) {
        return err;
    }
    if (!is_size_asked_for(reply, result)) {
        return no_picture(reply);
    }
    iimg_log(reply->context, IIMG_LOG_INFO, "the provider marked its only picture as a thought; "
             "it has the size asked for and is taken");
    return NULL;
}

static bool differs(int got, int wanted)
{
    return abs(got - wanted) > wanted / 50;     /* its sizes are rounded: 2 % is no difference */
}

/* Some relays drop the size from a request. */
static void compare_size(const reply_t *reply, iimg_generator_result_t *result)
{
    const iimg_generator_request_t *request = reply->request;
    const char *warning;
    int width, height;

    if (!iimg_picture_size(result->data, result->length, &width, &height)
        || (!differs(width, request->width) && !differs(height, request->height))) {
        return;
    }
    warning = apr_psprintf(reply->context->pool,
                           "The provider made a picture of %d x %d pixels instead of %d x %d.",
                           width, height, request->width, request->height);
    APR_ARRAY_PUSH(result->warnings, const char *) = warning;
    iimg_log(reply->context, IIMG_LOG_WARNING, "IIMG0041: %s", warning);
}

/* What comes with it -------------------------------------------------------------------------- */

static const char *read_usage(const reply_t *reply)
{
    json_t *usage = iimg_gemini_member(reply->root, "usageMetadata");
    char *text = json_is_object(usage) ? json_dumps(usage, JSON_COMPACT) : NULL;
    const char *copy = NULL;

    if (text && strlen(text) <= MAX_USAGE) {
        copy = apr_pstrdup(reply->context->pool, text);
    }
    free(text);
    return copy;
}

static const char *read_text(const reply_t *reply)
{
    char *text = NULL;
    json_t *part;
    size_t i;

    json_array_foreach(reply->parts, i, part) {
        const char *words = iimg_gemini_text(part, "text");

        if (words && !json_is_true(iimg_gemini_member(part, "thought"))
            && (text ? strlen(text) : 0) + strlen(words) < MAX_TEXT) {
            text = text ? apr_pstrcat(reply->context->pool, text, "\n", words, NULL)
                        : apr_pstrdup(reply->context->pool, words);
        }
    }
    return text;
}

static const char *read_model(const reply_t *reply)
{
    const char *model = iimg_gemini_text(reply->root, "modelVersion");

    if (!model) {
        return NULL;
    }
    model = quote(reply, model);
    if (strncmp(model, "models/", 7) == 0) {
        model += 7;
    }
    if (strcmp(model, reply->request->model) != 0) {
        iimg_log(reply->context, IIMG_LOG_INFO, "asked for the model %s, %s answered",
                 reply->request->model, model);
    }
    return model;
}

/* It may announce the model's end. */
static void log_model_status(const reply_t *reply)
{
    json_t *status = iimg_gemini_member(reply->root, "modelStatus");
    const char *message = iimg_gemini_text(status, "message");
    const char *end = iimg_gemini_text(status, "retirementTime");

    if (message || end) {
        iimg_log(reply->context, IIMG_LOG_INFO, "the provider says of the model %s: %s %s",
                 reply->request->model, quote(reply, message), quote(reply, end));
    }
}

/* The whole ----------------------------------------------------------------------------------- */

static iimg_error_t *deliver(const reply_t *reply, iimg_generator_result_t **result)
{
    iimg_generator_result_t *made = apr_pcalloc(reply->context->pool, sizeof(*made));
    json_t *picture = last_picture(reply->parts, false);
    iimg_error_t *err;

    err = picture ? read_picture(reply, picture, made) : read_thought(reply, made);
    if (err) {
        return err;
    }
    if (reply->reason->verdict == UNHEARD_OF) {
        iimg_log(reply->context, IIMG_LOG_INFO, "a picture came with the finishReason %s",
                 quote(reply, reply->finish));
    }
    made->warnings = apr_array_make(reply->context->pool, 2, sizeof(const char *));
    made->usage = read_usage(reply);
    made->text = read_text(reply);
    made->model = read_model(reply);
    compare_size(reply, made);
    *result = made;
    return NULL;
}

static iimg_error_t *judge(const reply_t *reply, iimg_generator_result_t **result)
{
    json_t *feedback = iimg_gemini_member(reply->root, "promptFeedback");
    const char *block = iimg_gemini_text(feedback, "blockReason");

    if (block && strcmp(block, "BLOCK_REASON_UNSPECIFIED") != 0) {
        return refused(reply, "blockReason", block,
                       iimg_gemini_text(feedback, "blockReasonMessage"));
    }
    switch (reply->reason->verdict) {
    case REFUSED:
        return refused(reply, "finishReason", reply->finish,
                       iimg_gemini_text(reply->candidate, "finishMessage"));
    case NOTHING_CAME:
        return no_picture(reply);
    case MISCONFIGURED:
        return misconfigured(reply);
    case DONE:
    case UNHEARD_OF:
        break;
    }
    return deliver(reply, result);
}

static iimg_error_t *read_reply(reply_t *reply, const iimg_http_response_t *response,
                                iimg_generator_result_t **result)
{
    if (iimg_gemini_member(reply->root, "error")) {
        return iimg_gemini_error(reply->context->pool, reply->settings, reply->request->model,
                                 response);
    }
    reply->candidate = json_array_get(iimg_gemini_member(reply->root, "candidates"), 0);
    reply->parts = iimg_gemini_member(iimg_gemini_member(reply->candidate, "content"), "parts");
    reply->finish = iimg_gemini_text(reply->candidate, "finishReason");
    reply->reason = reason_of(reply->finish ? reply->finish : "STOP");
    log_model_status(reply);
    return judge(reply, result);
}

iimg_error_t *iimg_gemini_reply(iimg_context_t *context, const iimg_generator_settings_t *settings,
                                const iimg_generator_request_t *request,
                                const iimg_http_response_t *response,
                                iimg_generator_result_t **result)
{
    reply_t reply = { .context = context, .settings = settings, .request = request };
    json_error_t where;
    iimg_error_t *err;
    json_t *root;

    if (response->outcome != IIMG_HTTP_OK || response->status != 200) {
        return iimg_gemini_error(context->pool, settings, request->model, response);
    }
    root = json_loadb(response->body, response->length, JSON_ALLOW_NUL, &where);
    if (!root) {
        return unusable(&reply, apr_pstrcat(context->pool, "no JSON: ", where.text, NULL));
    }
    /* Some relays wrap what they pass on in an array. */
    reply.root = json_is_array(root) ? json_array_get(root, 0) : root;
    err = read_reply(&reply, response, result);
    json_decref(root);      /* holds the picture once more, as text: not until the pool ends */
    return err;
}
