/* reply.c - reading a generateContent response; how it came is none of its business. */
#include "services/gemini/reply.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "base/json/json.h"
#include "base/json/cut.h"
#include "base/log.h"
#include "base/media_type.h"
#include "base/spool.h"
#include "services/gemini/error.h"
#include "services/gemini/stream.h"
#include "services/gemini/picture.h"
#include "services/gemini/reason.h"
#include "services/pictures/size.h"

#define MAX_USAGE 4096 /* bytes of token counts worth keeping */
#define MAX_TEXT  4096 /* bytes of words worth keeping */
#define PIECE     65536

typedef struct reply_t {
    iimg_context_t *context;
    const iimg_generator_settings_t *settings;
    const iimg_generator_request_t *request;
    const iimg_http_response_t *response;
    iimg_json_cut_t *cut;               /* the reply without its pictures... */
    json_t *root;                       /* ...as values; belongs to iimg_gemini_reply */
    json_t *candidate;                  /* the first, or NULL */
    json_t *parts;                      /* its parts, or NULL */
    const char *finish;                 /* its finishReason, or NULL */
    const iimg_gemini_reason_t *reason; /* the row of it */
} reply_t;

static const char *quote(const reply_t *reply, const char *text)
{
    return text ? iimg_gemini_quote(reply->context->pool, text, strlen(text),
                                    reply->settings->gemini_key)
                : "";
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

/* Tokens that were counted are paid for, whatever came of them. @return "t"; NULL: unknown */
static const char *is_billed(const reply_t *reply)
{
    json_t *usage = iimg_gemini_member(reply->root, "usageMetadata");

    return json_integer_value(iimg_gemini_member(usage, "totalTokenCount")) > 0 ? "t" : NULL;
}

/* A failure with the words of its reason, what it cost, and what may be tried. */
static iimg_error_t *failure(const reply_t *reply, iimg_error_kind_t kind, const char *code,
                             const char *sentence, const iimg_gemini_reason_t *reason)
{
    const char *billed = is_billed(reply);
    iimg_error_t *err = iimg_error(
        reply->context->pool, kind, "%s: %s. %s %s", sentence, reason->why, reason->advice,
        billed ? "The attempt was billed." : "The attempt may have been billed.");

    err->billed = billed;
    return iimg_error_code(err, code);
}

static iimg_error_t *refused(const reply_t *reply, const char *kind, const char *name,
                             const char *message)
{
    iimg_error_t *err = failure(reply, IIMG_REFUSED, "refused",
                                "The image provider refused to make this picture",
                                iimg_gemini_reason(name));

    return iimg_error_detail(err, "%s %s: %s", kind, quote(reply, name), quote(reply, message));
}

static iimg_error_t *no_picture(const reply_t *reply)
{
    const iimg_gemini_rule_t *rule = iimg_gemini_rule(reply->reason->verdict);
    iimg_error_t *err = rule->stopped
                            ? failure(reply, IIMG_UPSTREAM, "provider_request",
                                      "The image provider stopped before the picture was done",
                                      reply->reason)
                            : failure(reply, IIMG_UPSTREAM, "no_image",
                                      "The image provider answered without a picture",
                                      reply->reason);

    err->again = rule->again ? IIMG_AGAIN_PAID : IIMG_AGAIN_NO;
    return iimg_error_detail(err, "finishReason %s: %s",
                             reply->finish ? quote(reply, reply->finish) : "absent",
                             quote(reply, iimg_gemini_text(reply->candidate, "finishMessage")));
}

static iimg_error_t *no_room(const reply_t *reply, const char *why)
{
    iimg_error_t *err = iimg_error_code(
        iimg_error(reply->context->pool, IIMG_UNAVAILABLE,
                   "The picture was made, but this server has no room to receive it; an operator "
                   "must look at it."),
        "spool_down");

    err->billed = "t";
    return iimg_error_detail(err, "%s", why);
}

/* The picture --------------------------------------------------------------------------------- */

static bool has_data(const reply_t *reply, const json_t *inlined)
{
    const iimg_json_span_t *span = iimg_json_cut_span(reply->cut,
                                                      iimg_gemini_text(inlined, "data"));

    return span && span->length > 0;
}

/* The last inline data among the parts, of the thoughts or of the rest; NULL when there is none. */
static json_t *last_picture(const reply_t *reply, bool thought)
{
    json_t *part, *last = NULL;
    size_t i;

    json_array_foreach (reply->parts, i, part) {
        json_t *inlined = iimg_gemini_member(part, "inlineData");

        if (has_data(reply, inlined)
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

/* Most have been decoded while they came. */
static const char *find_picture(const reply_t *reply, const iimg_json_span_t *span,
                                iimg_gemini_picture_t *picture)
{
    apr_pool_t *pool = reply->context->pool;
    iimg_spool_t *spool = iimg_gemini_follow_take(reply->response->follower, pool, span);

    return spool ? iimg_gemini_picture_open(pool, spool, picture)
                 : iimg_gemini_picture_decode(pool, reply->settings->spool_dir, reply->response,
                                              span, picture);
}

/* The bytes decide what the picture is; the label has been seen to lie. */
static iimg_error_t *read_picture(const reply_t *reply, const json_t *inlined,
                                  iimg_generator_result_t *result)
{
    const iimg_json_span_t *span = iimg_json_cut_span(reply->cut,
                                                      iimg_gemini_text(inlined, "data"));
    const char *label = iimg_gemini_text(inlined, "mimeType");
    const iimg_media_type_t *type;
    iimg_gemini_picture_t picture = { 0 };
    const char *problem = "the picture is not where it was";

    if (span) {
        problem = find_picture(reply, span, &picture);
    }
    if (problem) {
        return picture.no_room ? no_room(reply, problem) : unusable(reply, problem);
    }
    result->data = picture.data;
    result->length = picture.length;
    result->spool = picture.spool;
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

static bool is_spool_full(const iimg_error_t *err)
{
    return err && err->code && strcmp(err->code, "spool_down") == 0;
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
    json_t *thought = last_picture(reply, true);
    iimg_error_t *err;

    if (!thought || !reply->finish || reply->reason->verdict != IIMG_GEMINI_DONE) {
        return no_picture(reply);
    }
    err = read_picture(reply, thought, result);
    if (err) {
        return err;
    }
    if (!is_size_asked_for(reply, result)) {
        return no_picture(reply);
    }
    iimg_log(reply->context, IIMG_LOG_INFO,
             "the provider marked its only picture as a thought; "
             "it has the size asked for and is taken");
    return NULL;
}

static bool differs(int got, int wanted)
{
    return abs(got - wanted) > wanted / 50; /* its sizes are rounded: 2 % is no difference */
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

/* A picture that broke off with its answer decodes as base64, and lacks its end. */
static bool is_complete(const iimg_generator_result_t *result)
{
    const unsigned char *bytes = (const unsigned char *)result->data;
    apr_size_t n = result->length;

    switch (iimg_media_type_sniff(result->data, n)->format) {
    case IIMG_FORMAT_JPEG:
        return n > 4 && bytes[n - 2] == 0xff && bytes[n - 1] == 0xd9;
    case IIMG_FORMAT_PNG:
        return n > 12 && memcmp(bytes + n - 8, "IEND\xae\x42\x60\x82", 8) == 0;
    case IIMG_FORMAT_WEBP:
        return n > 12
               && (bytes[4] | (apr_size_t)bytes[5] << 8 | (apr_size_t)bytes[6] << 16
                   | (apr_size_t)bytes[7] << 24)
                      <= n - 8;
    default:
        return false;
    }
}

static void warn_of_reason(const reply_t *reply, iimg_generator_result_t *result)
{
    APR_ARRAY_PUSH(result->warnings, const char *) = apr_psprintf(
        reply->context->pool,
        "The provider sent a complete picture, but did not end as "
        "usual (%s): %s.",
        quote(reply, reply->finish), reply->reason->why);
}

/* What comes with it -------------------------------------------------------------------------- */

/* Token counts, and what the provider says of the model's end. */
static const char *read_usage(const reply_t *reply)
{
    json_t *usage = iimg_gemini_member(reply->root, "usageMetadata");
    json_t *status = iimg_gemini_member(reply->root, "modelStatus");
    const char *copy = NULL;
    char *text = NULL;

    if (json_is_object(status)) {
        usage = json_is_object(usage) ? json_copy(usage) : json_object();
        json_object_set(usage, "modelStatus", status);
        text = json_dumps(usage, JSON_COMPACT);
        json_decref(usage);
    }
    else if (json_is_object(usage)) {
        text = json_dumps(usage, JSON_COMPACT);
    }
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

    json_array_foreach (reply->parts, i, part) {
        const char *words = iimg_gemini_text(part, "text");

        if (words && !json_is_true(iimg_gemini_member(part, "thought"))
            && (text ? strlen(text) : 0) + strlen(words) < MAX_TEXT) {
            text = text ? apr_pstrcat(reply->context->pool, text, "\n", words, NULL)
                        : apr_pstrdup(reply->context->pool, words);
        }
    }
    return text;
}

static void keep_text(const reply_t *reply, iimg_generator_result_t *result)
{
    result->text = read_text(reply);
    if (result->text) {
        APR_ARRAY_PUSH(result->warnings, const char *) = apr_psprintf(
            reply->context->pool, "The provider wrote: %s", quote(reply, result->text));
    }
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

static iimg_error_t *take_picture(const reply_t *reply, iimg_generator_result_t *result)
{
    json_t *picture = last_picture(reply, false);
    iimg_error_t *err;

    if (!picture) {
        return read_thought(reply, result);
    }
    err = read_picture(reply, picture, result);
    if (!iimg_gemini_rule(reply->reason->verdict)->warn || is_spool_full(err)) {
        return err;
    }
    if (err || !is_complete(result)) {
        return no_picture(reply);
    }
    warn_of_reason(reply, result);
    return NULL;
}

static iimg_error_t *deliver(const reply_t *reply, iimg_generator_result_t *result)
{
    iimg_error_t *err = take_picture(reply, result);

    if (err) {
        result->data = NULL;
        result->length = 0;
        result->spool = NULL;
        return err;
    }
    if (reply->reason->verdict == IIMG_GEMINI_UNHEARD_OF) {
        iimg_log(reply->context, IIMG_LOG_INFO, "a picture came with the finishReason %s",
                 quote(reply, reply->finish));
    }
    result->model = read_model(reply);
    compare_size(reply, result);
    return NULL;
}

static iimg_error_t *judge(const reply_t *reply, iimg_generator_result_t *result)
{
    json_t *feedback = iimg_gemini_member(reply->root, "promptFeedback");
    const char *block = iimg_gemini_text(feedback, "blockReason");

    if (block && strcmp(block, "BLOCK_REASON_UNSPECIFIED") != 0) {
        return refused(reply, "blockReason", block,
                       iimg_gemini_text(feedback, "blockReasonMessage"));
    }
    if (reply->reason->verdict == IIMG_GEMINI_REFUSED) {
        return refused(reply, "finishReason", reply->finish,
                       iimg_gemini_text(reply->candidate, "finishMessage"));
    }
    return iimg_gemini_rule(reply->reason->verdict)->deliver ? deliver(reply, result)
                                                             : no_picture(reply);
}

static iimg_generator_result_t *result_create(const reply_t *reply)
{
    iimg_generator_result_t *result = apr_pcalloc(reply->context->pool, sizeof(*result));

    result->warnings = apr_array_make(reply->context->pool, 2, sizeof(const char *));
    result->usage = read_usage(reply);
    keep_text(reply, result);
    return result;
}

static iimg_error_t *read_reply(reply_t *reply, iimg_generator_result_t **result)
{
    if (iimg_gemini_member(reply->root, "error")) {
        return iimg_gemini_error(reply->context->pool, reply->settings, reply->request->model,
                                 reply->response);
    }
    reply->candidate = json_array_get(iimg_gemini_member(reply->root, "candidates"), 0);
    reply->parts = iimg_gemini_member(iimg_gemini_member(reply->candidate, "content"), "parts");
    reply->finish = iimg_gemini_text(reply->candidate, "finishReason");
    reply->reason = iimg_gemini_reason(reply->finish ? reply->finish : "STOP");
    log_model_status(reply);
    *result = result_create(reply);
    return judge(reply, *result);
}

static bool cut_again(reply_t *reply)
{
    char *piece = apr_palloc(reply->context->pool, PIECE);
    apr_size_t offset = 0, n;

    reply->cut = iimg_json_cut_create(reply->context->pool, "data", IIMG_GEMINI_MAX_STRING,
                                      IIMG_GEMINI_MAX_REST);
    while ((n = iimg_gemini_body_read(reply->response, offset, piece, PIECE)) > 0) {
        offset += n;
        if (!iimg_json_cut_feed(reply->cut, piece, n)) {
            return false;
        }
    }
    return true;
}

/* The reply without its pictures, as values. @return NULL, and says why, when it is no JSON */
static json_t *read_rest(reply_t *reply, const char **problem)
{
    const iimg_http_response_t *response = reply->response;
    json_error_t where;
    const char *rest;
    apr_size_t n;
    json_t *root;

    reply->cut = iimg_gemini_follow_cut(
        response->follower, response->spool ? response->spool->length : response->length);
    if (!reply->cut && !cut_again(reply)) {
        *problem = "there is too much in it beside pictures";
        return NULL;
    }
    rest = iimg_json_cut_rest(reply->cut, &n);
    root = json_loadb(rest, n, JSON_ALLOW_NUL, &where);
    if (!root) {
        *problem = apr_pstrcat(reply->context->pool, "no JSON: ", where.text, NULL);
    }
    return root;
}

iimg_error_t *iimg_gemini_reply(iimg_context_t *context, const iimg_generator_settings_t *settings,
                                const iimg_generator_request_t *request,
                                const iimg_http_response_t *response,
                                iimg_generator_result_t **result)
{
    reply_t reply = {
        .context = context, .settings = settings, .request = request, .response = response
    };
    const char *problem;
    iimg_error_t *err;
    json_t *root;

    *result = NULL;
    if (response->outcome != IIMG_HTTP_OK || response->status != 200) {
        return iimg_gemini_error(context->pool, settings, request->model, response);
    }
    root = read_rest(&reply, &problem);
    if (!root) {
        return unusable(&reply, problem);
    }
    /* Some relays wrap what they pass on in an array. */
    reply.root = json_is_array(root) ? json_array_get(root, 0) : root;
    err = read_reply(&reply, result);
    json_decref(root);
    return err;
}
