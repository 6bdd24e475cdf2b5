/* reply.c - reads a generateContent response: a picture, or an error. */
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
#include "services/pictures/dimensions.h"

#define MAX_USAGE 4096 /* most bytes of token counts that are stored */
#define MAX_TEXT  4096 /* most bytes of text that are stored */
#define PIECE     65536

typedef struct reply_t {
    iimg_context_t *context;
    const iimg_generator_settings_t *settings;
    const iimg_generator_request_t *request;
    const iimg_http_response_t *response;
    iimg_json_cut_t *cut;               /* the body without its pictures */
    json_t *root;                       /* cut, parsed; iimg_gemini_reply owns it */
    json_t *candidate;                  /* the first, or NULL */
    json_t *parts;                      /* its parts, or NULL */
    const char *finish;                 /* its finishReason, or NULL */
    const iimg_gemini_reason_t *reason; /* the row of finish */
} reply_t;

static const char *quote(const reply_t *reply, const char *text)
{
    return text ? iimg_gemini_quote(reply->context->pool, text, strlen(text),
                                    reply->settings->gemini_key)
                : "";
}

/* Errors -------------------------------------------------------------------------------------- */

static iimg_error_t *make_unusable(const reply_t *reply, const char *why)
{
    return iimg_error_with_detail(reply->context->pool, IIMG_UPSTREAM, "provider_reply",
                                  "The image provider's response was invalid. Try again.", "%s",
                                  quote(reply, why));
}

/* Counted tokens are billed, also without a picture. @return "t"; NULL: unknown */
static const char *get_billed(const reply_t *reply)
{
    json_t *usage = iimg_gemini_member(reply->root, "usageMetadata");

    return json_integer_value(iimg_gemini_member(usage, "totalTokenCount")) > 0 ? "t" : NULL;
}

/* Make an error whose sentence has the reason, advice, and whether the call was billed. */
static iimg_error_t *make_failure(const reply_t *reply, iimg_error_kind_t kind, const char *code,
                                  const char *sentence, const iimg_gemini_reason_t *reason)
{
    const char *billed = get_billed(reply);
    iimg_error_t *err = iimg_error_with_code(
        reply->context->pool, kind, code, "%s: %s. %s %s", sentence, reason->why, reason->advice,
        billed ? "The attempt was billed." : "The attempt may have been billed.");

    err->billed = billed;
    return err;
}

static iimg_error_t *make_refusal(const reply_t *reply, const char *kind, const char *name,
                                  const char *message)
{
    iimg_error_t *err = make_failure(reply, IIMG_REFUSED, "refused",
                                     "The image provider refused to make this picture",
                                     iimg_gemini_reason(name));

    return iimg_error_detail(err, "%s %s: %s", kind, quote(reply, name), quote(reply, message));
}

static iimg_error_t *make_no_picture(const reply_t *reply)
{
    const iimg_gemini_rule_t *rule = iimg_gemini_rule(reply->reason->verdict);
    iimg_error_t *err = rule->stopped
                            ? make_failure(
                                reply, IIMG_UPSTREAM, "provider_request",
                                "The image provider stopped before the picture was finished",
                                reply->reason)
                            : make_failure(reply, IIMG_UPSTREAM, "no_image",
                                           "The image provider answered without a picture",
                                           reply->reason);

    err->again = rule->again ? IIMG_AGAIN_PAID : IIMG_AGAIN_NO;
    return iimg_error_detail(err, "finishReason %s: %s",
                             reply->finish ? quote(reply, reply->finish) : "absent",
                             quote(reply, iimg_gemini_text(reply->candidate, "finishMessage")));
}

static iimg_error_t *make_no_room(const reply_t *reply, const char *why)
{
    iimg_error_t *err = iimg_error_with_detail(
        reply->context->pool, IIMG_UNAVAILABLE, "spool_down",
        "The picture was generated, but the server has no disk space for it. "
        "An operator must free some.",
        "%s", why);

    err->billed = "t";
    return err;
}

/* The picture --------------------------------------------------------------------------------- */

static bool has_data(const reply_t *reply, const json_t *inlined)
{
    const iimg_json_span_t *span = iimg_json_cut_span(reply->cut,
                                                      iimg_gemini_text(inlined, "data"));

    return span && span->length > 0;
}

/* @return the last inline data of the thoughts, or of the other parts; NULL if there is none */
static json_t *find_last_picture(const reply_t *reply, bool thought)
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

static bool is_accepted(iimg_format_t format)
{
    return format == IIMG_FORMAT_JPEG || format == IIMG_FORMAT_PNG || format == IIMG_FORMAT_WEBP;
}

/* The stream has decoded most pictures already. */
static const char *open_picture(const reply_t *reply, const iimg_json_span_t *span,
                                iimg_gemini_picture_t *picture)
{
    apr_pool_t *pool = reply->context->pool;
    iimg_spool_t *spool = iimg_gemini_stream_take_picture(reply->response->follower, pool, span);

    return spool ? iimg_gemini_picture_open(pool, spool, picture)
                 : iimg_gemini_picture_decode(pool, reply->settings->spool_dir, reply->response,
                                              span, picture);
}

/* The first bytes decide the format: the provider's label was seen to be wrong. */
static iimg_error_t *read_picture(const reply_t *reply, const json_t *inlined,
                                  iimg_generator_result_t *result)
{
    const iimg_json_span_t *span = iimg_json_cut_span(reply->cut,
                                                      iimg_gemini_text(inlined, "data"));
    const char *label = iimg_gemini_text(inlined, "mimeType");
    const iimg_media_type_t *type;
    iimg_gemini_picture_t picture = { 0 };
    const char *problem = "the picture's data is missing";

    if (span) {
        problem = open_picture(reply, span, &picture);
    }
    if (problem) {
        return picture.no_room ? make_no_room(reply, problem) : make_unusable(reply, problem);
    }
    result->data = picture.data;
    result->length = picture.length;
    result->spool = picture.spool;
    type = iimg_media_type_sniff(result->data, result->length);
    if (!is_accepted(type->format)) {
        return make_unusable(reply, "the picture is neither JPEG nor PNG nor WebP");
    }
    if (label && strcmp(label, type->media_type) != 0) {
        iimg_log(reply->context, IIMG_LOG_DEBUG, "the provider labels a picture %s that is %s",
                 quote(reply, label), type->media_type);
    }
    return NULL;
}

static bool is_spool_full(const iimg_error_t *err)
{
    return err && err->code && strcmp(err->code, "spool_down") == 0;
}

static bool has_requested_size(const reply_t *reply, const iimg_generator_result_t *result)
{
    int width = 0, height = 0;

    return iimg_picture_dimensions(result->data, result->length, &width, &height)
           && width == reply->request->width && height == reply->request->height;
}

/* Thoughts are drafts. The last one is the final picture, which was seen to come only as a thought.
 * A draft of another size is not the final one. */
static iimg_error_t *read_thought(const reply_t *reply, iimg_generator_result_t *result)
{
    json_t *thought = find_last_picture(reply, true);
    iimg_error_t *err;

    if (!thought || !reply->finish || reply->reason->verdict != IIMG_GEMINI_DONE) {
        return make_no_picture(reply);
    }
    err = read_picture(reply, thought, result);
    if (err) {
        return err;
    }
    if (!has_requested_size(reply, result)) {
        return make_no_picture(reply);
    }
    iimg_log(reply->context, IIMG_LOG_INFO,
             "the provider marked its only picture as a thought; "
             "using it, since it has the requested size");
    return NULL;
}

static bool differs(int got, int wanted)
{
    return abs(got - wanted) > wanted / 50; /* the provider rounds: ignore 2 % */
}

/* Some relays remove the size from a request. */
static void compare_size(const reply_t *reply, iimg_generator_result_t *result)
{
    const iimg_generator_request_t *request = reply->request;
    const char *warning;
    int width, height;

    if (!iimg_picture_dimensions(result->data, result->length, &width, &height)
        || (!differs(width, request->width) && !differs(height, request->height))) {
        return;
    }
    warning = apr_psprintf(reply->context->pool,
                           "The provider generated a picture of %d x %d pixels instead of %d x %d.",
                           width, height, request->width, request->height);
    APR_ARRAY_PUSH(result->warnings, const char *) = warning;
    iimg_log(reply->context, IIMG_LOG_WARNING, "IIMG0041: %s", warning);
}

/* A truncated picture decodes as base64, but lacks its end. */
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

static void add_reason_warning(const reply_t *reply, iimg_generator_result_t *result)
{
    APR_ARRAY_PUSH(result->warnings, const char *) = apr_psprintf(
        reply->context->pool,
        "The provider sent a complete picture, but an unusual finish "
        "reason (%s): %s.",
        quote(reply, reply->finish), reply->reason->why);
}

/* Beside the picture -------------------------------------------------------------------------- */

/* Token counts, and the model's status, such as its retirement. */
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

static void add_text(const reply_t *reply, iimg_generator_result_t *result)
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
        iimg_log(reply->context, IIMG_LOG_INFO, "requested model %s, but model %s answered",
                 reply->request->model, model);
    }
    return model;
}

static void log_model_status(const reply_t *reply)
{
    json_t *status = iimg_gemini_member(reply->root, "modelStatus");
    const char *message = iimg_gemini_text(status, "message");
    const char *end = iimg_gemini_text(status, "retirementTime");

    if (message || end) {
        iimg_log(reply->context, IIMG_LOG_INFO,
                 "the provider reports the status of model %s: %s %s", reply->request->model,
                 quote(reply, message), quote(reply, end));
    }
}

/* The response -------------------------------------------------------------------------------- */

static iimg_error_t *choose_picture(const reply_t *reply, iimg_generator_result_t *result)
{
    json_t *picture = find_last_picture(reply, false);
    iimg_error_t *err;

    if (!picture) {
        return read_thought(reply, result);
    }
    err = read_picture(reply, picture, result);
    if (!iimg_gemini_rule(reply->reason->verdict)->warn || is_spool_full(err)) {
        return err;
    }
    if (err || !is_complete(result)) {
        return make_no_picture(reply);
    }
    add_reason_warning(reply, result);
    return NULL;
}

static iimg_error_t *deliver_picture(const reply_t *reply, iimg_generator_result_t *result)
{
    iimg_error_t *err = choose_picture(reply, result);

    if (err) {
        result->data = NULL;
        result->length = 0;
        result->spool = NULL;
        return err;
    }
    if (reply->reason->verdict == IIMG_GEMINI_UNKNOWN) {
        iimg_log(reply->context, IIMG_LOG_INFO, "a picture came with the unknown finishReason %s",
                 quote(reply, reply->finish));
    }
    result->model = read_model(reply);
    compare_size(reply, result);
    return NULL;
}

static iimg_error_t *read_candidate(const reply_t *reply, iimg_generator_result_t *result)
{
    json_t *feedback = iimg_gemini_member(reply->root, "promptFeedback");
    const char *block = iimg_gemini_text(feedback, "blockReason");

    if (block && strcmp(block, "BLOCK_REASON_UNSPECIFIED") != 0) {
        return make_refusal(reply, "blockReason", block,
                            iimg_gemini_text(feedback, "blockReasonMessage"));
    }
    if (reply->reason->verdict == IIMG_GEMINI_REFUSED) {
        return make_refusal(reply, "finishReason", reply->finish,
                            iimg_gemini_text(reply->candidate, "finishMessage"));
    }
    if (!iimg_gemini_rule(reply->reason->verdict)->deliver) {
        return make_no_picture(reply);
    }
    return deliver_picture(reply, result);
}

static iimg_generator_result_t *create_result(const reply_t *reply)
{
    iimg_generator_result_t *result = apr_pcalloc(reply->context->pool, sizeof(*result));

    result->warnings = apr_array_make(reply->context->pool, 2, sizeof(const char *));
    result->usage = read_usage(reply);
    add_text(reply, result);
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
    *result = create_result(reply);
    return read_candidate(reply, *result);
}

static bool cut_body(reply_t *reply)
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

/* Parse the body without its pictures. @return NULL with a problem if it is no JSON */
static json_t *read_rest(reply_t *reply, const char **problem)
{
    const iimg_http_response_t *response = reply->response;
    json_error_t where;
    const char *rest;
    apr_size_t n;
    json_t *root;

    reply->cut = iimg_gemini_stream_cut(
        response->follower, response->spool ? response->spool->length : response->length);
    if (!reply->cut && !cut_body(reply)) {
        *problem = "it is too long, even without its pictures";
        return NULL;
    }
    rest = iimg_json_cut_rest(reply->cut, &n);
    root = json_loadb(rest, n, JSON_ALLOW_NUL, &where);
    if (!root) {
        *problem = apr_pstrcat(reply->context->pool, "invalid JSON: ", where.text, NULL);
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
        return make_unusable(&reply, problem);
    }
    /* Some relays wrap the response in an array. */
    reply.root = json_is_array(root) ? json_array_get(root, 0) : root;
    err = read_reply(&reply, result);
    json_decref(root);
    return err;
}
