/* image.c - derivatives, references, posters and dimensions of pictures, made by
 * identityimg-worker.
 *
 * Builds requests, judges replies and makes errors for clients. Callers are functions/ and other
 * services, in any thread of a child; each call blocks. A reply may come from a process that a
 * picture has taken over, so check_*() must accept each part of it before it is used: pieces have
 * the requested format and fit, the edit of the original stays within it. */
#include "services/pictures/image.h"

#include <string.h>
#include <apr_strings.h>
#include "base/log.h"
#include "base/quantity.h"
#include "services/pictures/edit.h"
#include "services/pictures/dimensions.h"

#define MEGAPIXEL 1000000

/* Requests ------------------------------------------------------------------------------------ */

static const struct {
    const char *step;
    uint32_t pieces;
    apr_size_t max_piece;
} works[] = {
    [IIMG_WORK_DERIVE] = { "derivatives", IIMG_DERIVATIVES, IIMG_WORK_MAX_DERIVATIVE },
    [IIMG_WORK_REFERENCE] = { "reference", 1, IIMG_WORK_MAX_JPEG },
    [IIMG_WORK_INSPECT] = { "inspect", 0, 0 },
    [IIMG_WORK_POSTER] = { "poster", 1, IIMG_WORK_MAX_JPEG },
};

typedef struct request_t {
    iimg_worker_question_t question;
    iimg_worker_reply_t reply;
    iimg_worker_call_t *call;
    apr_time_t began;
    const iimg_media_type_t *type; /* of the picture */
} request_t;

static void prepare_request(request_t *request, const iimg_image_settings_t *settings,
                            iimg_work_kind_t kind, const iimg_bytes_t *bytes)
{
    memset(request, 0, sizeof(*request));
    request->question.bytes = bytes;
    request->question.pieces = works[kind].pieces;
    request->question.max_piece = works[kind].max_piece;
    request->question.request.kind = kind;
    request->question.request.max_pixels = settings->limits.max_pixels;
    request->question.request.max_pixels_jpeg = settings->limits.max_pixels_jpeg;
    request->question.request.format = settings->derivative_format;
    request->question.request.quality = (uint32_t)settings->derivative_quality;
}

/* Errors -------------------------------------------------------------------------------------- */

/* @return IIMG_INVALID code unsupported_image; the sentence names the formats that are accepted */
#define make_unsupported_error(pool, ...) \
    iimg_error_invalid_field(pool, "image", "unsupported_image", __VA_ARGS__)

static iimg_error_t *make_unreadable_error(iimg_context_t *context, const request_t *request,
                                           const char *why)
{
    iimg_error_t *err = make_unsupported_error(
        context->pool,
        "The %s picture is damaged or not a real %s picture. Upload a valid %s picture.",
        request->type->name, request->type->name, iimg_media_types_allowed);

    return iimg_error_detail(err, "%s", why);
}

static iimg_error_t *make_pixels_error(iimg_context_t *context, const iimg_work_answer_t *answer)
{
    const char *megapixels = iimg_units(context->pool, (apr_uint64_t)answer->width * answer->height,
                                        answer->limit, MEGAPIXEL);
    iimg_error_t *err = iimg_error_with_code(
        context->pool, IIMG_TOO_LARGE, "too_many_pixels",
        "The picture has %s megapixels (%u x %u); at most %.0f are allowed.", megapixels,
        answer->width, answer->height, (double)answer->limit / MEGAPIXEL);

    return iimg_error_field(err, "image");
}

static iimg_error_t *make_profile_error(iimg_context_t *context, const iimg_work_answer_t *answer)
{
    return make_unsupported_error(
        context->pool, "The picture's color profile has %s; at most 4 are allowed.",
        iimg_megabytes(context->pool, (apr_size_t)answer->limit, IIMG_WORK_MAX_PROFILE));
}

static iimg_error_t *make_status_error(iimg_context_t *context, const request_t *request)
{
    const iimg_work_answer_t *answer = &request->reply.answer;

    switch (answer->status) {
    case IIMG_WORK_DONE:
        return NULL;
    case IIMG_WORK_TOO_MANY_PIXELS:
        return make_pixels_error(context, answer);
    case IIMG_WORK_LARGE_PROFILE:
        return make_profile_error(context, answer);
    case IIMG_WORK_UNREADABLE:
        return make_unreadable_error(context, request, answer->said);
    default:
        return iimg_error_internal(context->pool, "identityimg-worker: %s", answer->said);
    }
}

/* A picture that crashes its process, or exceeds its deadline, affects only its own request. */
static iimg_error_t *make_stopped_error(iimg_context_t *context, const request_t *request)
{
    const iimg_worker_reply_t *reply = &request->reply;

    iimg_log(context, IIMG_LOG_WARNING,
             "IIMG0130: a picture (%s, %" APR_SIZE_T_FMT " bytes) ended its worker process: %s",
             request->type->name, request->question.bytes->length, reply->why);
    if (request->question.request.kind == IIMG_WORK_POSTER) {
        return iimg_error_internal(context->pool, "poster: %s", reply->why);
    }
    if (reply->outcome == IIMG_WORKER_KILLED) {
        return make_unreadable_error(context, request, reply->why);
    }
    return make_unsupported_error(
        context->pool, "The %s picture takes too long to read. Upload a valid %s picture.",
        request->type->name, iimg_media_types_allowed);
}

static iimg_error_t *make_invalid_error(iimg_context_t *context, const char *why)
{
    iimg_error_t *err = iimg_error_internal(context->pool,
                                            "invalid reply from identityimg-worker: %s", why);

    err->tag = "IIMG0131";
    return err;
}

static iimg_error_t *make_down_error(iimg_context_t *context, const char *why)
{
    iimg_error_t *err = iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, "pictures_down",
                                               "The server cannot read pictures at the moment.",
                                               "identityimg-worker: %s",
                                               why ? why : "it exited on every attempt");

    err->tag = "IIMG0132";
    return err;
}

static iimg_error_t *make_busy_error(iimg_context_t *context)
{
    return iimg_error_with_code(context->pool, IIMG_BUSY, "pictures_busy",
                                "The server is busy with other pictures. Try again in a moment.");
}

static iimg_error_t *judge_reply(iimg_context_t *context, const request_t *request)
{
    const iimg_worker_reply_t *reply = &request->reply;

    switch (reply->outcome) {
    case IIMG_WORKER_ANSWERED:
        return make_status_error(context, request);
    case IIMG_WORKER_KILLED:
    case IIMG_WORKER_LATE:
        return make_stopped_error(context, request);
    case IIMG_WORKER_BUSY:
        return make_busy_error(context);
    case IIMG_WORKER_INVALID:
        return make_invalid_error(context, reply->why);
    default:
        return make_down_error(context, reply->why);
    }
}

static iimg_error_t *check_format(iimg_context_t *context, request_t *request)
{
    const iimg_bytes_t *bytes = request->question.bytes;

    request->type = iimg_media_type_sniff(bytes->data, bytes->length);
    if (request->type->format != IIMG_FORMAT_UNKNOWN) {
        return NULL;
    }
    return make_unsupported_error(
        context->pool,
        "The file is %s, which is not an accepted format. Upload a valid %s picture.",
        iimg_media_type_describe(bytes->data, bytes->length), iimg_media_types_allowed);
}

static iimg_error_t *send_request(iimg_context_t *context, const iimg_image_settings_t *settings,
                                  request_t *request)
{
    request->began = iimg_step_begin(context);
    return iimg_picture_worker_send(context, &settings->worker, &request->question, &request->reply,
                                    &request->call);
}

static iimg_error_t *wait_for_reply(iimg_context_t *context, request_t *request)
{
    iimg_error_t *err = iimg_picture_worker_wait(request->call);

    if (err) {
        return err;
    }
    iimg_step_end(context, request->began, works[request->question.request.kind].step,
                  request->type->name);
    return judge_reply(context, request);
}

static iimg_error_t *run_request(iimg_context_t *context, const iimg_image_settings_t *settings,
                                 request_t *request)
{
    iimg_error_t *err = send_request(context, settings, request);

    if (err) {
        return err;
    }
    return wait_for_reply(context, request);
}

static iimg_error_t *run_picture_request(iimg_context_t *context,
                                         const iimg_image_settings_t *settings, request_t *request)
{
    iimg_error_t *err = check_format(context, request);

    if (err) {
        return err;
    }
    return run_request(context, settings, request);
}

/* Checks of an answer -------------------------------------------------------------------------- */

/* The checks return NULL, or what is wrong. */

/* The header of a piece must match the request. */
static const char *check_piece(const iimg_worker_reply_t *reply, int i, int width, int height)
{
    apr_size_t length = reply->answer.lengths[i];
    const iimg_media_type_t *type = iimg_media_type_sniff(reply->pieces[i], length);
    int w, h;

    if (type->format != reply->answer.format) {
        return "a piece does not have the format of the answer";
    }
    if (!iimg_picture_dimensions(reply->pieces[i], length, &w, &h)) {
        return "a piece has no readable dimensions";
    }
    return w < 1 || h < 1 || w > width || h > height ? "a piece does not fit into its box" : NULL;
}

static bool is_allowed_format(const iimg_image_settings_t *settings, uint32_t format)
{
    return format == settings->derivative_format
           || (format == IIMG_FORMAT_PNG && settings->derivative_format == IIMG_FORMAT_JPEG);
}

static const char *check_derivatives(const iimg_image_settings_t *settings,
                                     const iimg_worker_reply_t *reply)
{
    if (!is_allowed_format(settings, reply->answer.format)) {
        return "the derivatives have a format that was not requested";
    }
    for (int i = 0; i < IIMG_DERIVATIVES; i++) {
        const char *problem = check_piece(reply, i, iimg_derivatives[i].side,
                                          iimg_derivatives[i].side);

        if (problem) {
            return problem;
        }
    }
    return NULL;
}

static const char *check_dimensions(const iimg_work_answer_t *answer)
{
    return answer->width < 1 || answer->height < 1 || answer->width > 1000000000
                   || answer->height > 1000000000
               ? "the picture has impossible dimensions"
               : NULL;
}

/* Apply the answer's edit to our own copy of the picture. */
static const char *clean_original(iimg_context_t *context, const request_t *request,
                                  iimg_derivative_t *original)
{
    const iimg_bytes_t *bytes = request->question.bytes;
    const iimg_edit_t *edit = &request->reply.edit;
    uint64_t length;

    if (!iimg_edit_is_valid(edit, bytes->length, &length)) {
        return "its edit does not fit the picture";
    }
    original->length = length;
    original->data = NULL;
    if (edit->count == 1 && edit->steps[0].kind == IIMG_EDIT_KEEP) {
        original->data = bytes->data + edit->steps[0].offset;
    }
    else if (bytes->spare) {
        original->data = (char *)iimg_edit_apply_within(edit, length, (unsigned char *)bytes->data);
    }
    if (!original->data) {
        unsigned char *clean = apr_palloc(context->pool, length ? length : 1);

        iimg_edit_apply(edit, (const unsigned char *)bytes->data, clean);
        original->data = (char *)clean;
    }
    return iimg_media_type_sniff(original->data, length) == request->type
               ? NULL
               : "its edit changes the format of the picture";
}

static void take_piece(const iimg_worker_reply_t *reply, int piece, iimg_derivative_t *out)
{
    out->data = reply->pieces[piece];
    out->length = reply->answer.lengths[piece];
}

static const iimg_media_type_t *sniff_pieces(const iimg_worker_reply_t *reply)
{
    return iimg_media_type_sniff(reply->pieces[0], reply->answer.lengths[0]);
}

/* The interface ------------------------------------------------------------------------------- */

iimg_error_t *iimg_image_derive(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_bytes_t *picture, iimg_derived_t **derived)
{
    iimg_derived_t *made = apr_pcalloc(context->pool, sizeof(*made));
    const char *problem;
    request_t request;
    iimg_error_t *err;

    prepare_request(&request, settings, IIMG_WORK_DERIVE, picture);
    err = run_picture_request(context, settings, &request);
    if (err) {
        return err;
    }
    problem = check_dimensions(&request.reply.answer);
    problem = problem ? problem : check_derivatives(settings, &request.reply);
    problem = problem ? problem : clean_original(context, &request, &made->original);
    if (problem) {
        return make_invalid_error(context, problem);
    }
    made->type = request.type;
    made->sized_type = sniff_pieces(&request.reply);
    made->width = (int)request.reply.answer.width;
    made->height = (int)request.reply.answer.height;
    for (int i = 0; i < IIMG_DERIVATIVES; i++) {
        take_piece(&request.reply, i, &made->derivatives[i]);
    }
    *derived = made;
    return NULL;
}

/* Take the only piece of an answer, which must be a JPEG. */
static iimg_error_t *take_jpeg(iimg_context_t *context, const request_t *request, int width,
                               int height, iimg_derivative_t *jpeg)
{
    const char *problem = request->reply.answer.format == IIMG_FORMAT_JPEG
                              ? check_piece(&request->reply, 0, width, height)
                              : "the piece is no JPEG";

    if (problem) {
        return make_invalid_error(context, problem);
    }
    take_piece(&request->reply, 0, jpeg);
    return NULL;
}

iimg_error_t *iimg_image_reference(iimg_context_t *context, const iimg_image_settings_t *settings,
                                   const iimg_bytes_t *picture, int max_side,
                                   iimg_derivative_t *reference)
{
    request_t request;
    iimg_error_t *err;

    prepare_request(&request, settings, IIMG_WORK_REFERENCE, picture);
    request.question.request.side = (uint32_t)max_side;
    err = run_picture_request(context, settings, &request);
    if (err) {
        return err;
    }
    return take_jpeg(context, &request, max_side, max_side, reference);
}

struct iimg_image_inspection_t {
    iimg_context_t *context;
    iimg_bytes_t picture;
    request_t request;
};

iimg_error_t *iimg_image_inspect_begin(iimg_context_t *context,
                                       const iimg_image_settings_t *settings,
                                       const iimg_bytes_t *picture,
                                       iimg_image_inspection_t **inspection)
{
    iimg_image_inspection_t *begun = apr_palloc(context->pool, sizeof(*begun));
    iimg_error_t *err;

    begun->context = context;
    begun->picture = *picture;
    prepare_request(&begun->request, settings, IIMG_WORK_INSPECT, &begun->picture);
    err = check_format(context, &begun->request);
    if (err) {
        return err;
    }
    err = send_request(context, settings, &begun->request);
    if (err) {
        return err;
    }
    if (!iimg_picture_worker_is_sent(begun->request.call)) {
        return wait_for_reply(context, &begun->request);
    }
    *inspection = begun;
    return NULL;
}

iimg_error_t *iimg_image_inspect_end(iimg_image_inspection_t *inspection, int *width, int *height)
{
    const iimg_work_answer_t *answer = &inspection->request.reply.answer;
    iimg_error_t *err = wait_for_reply(inspection->context, &inspection->request);

    if (err) {
        return err;
    }
    if (check_dimensions(answer)) {
        return make_invalid_error(inspection->context, check_dimensions(answer));
    }
    *width = (int)answer->width;
    *height = (int)answer->height;
    return NULL;
}

#define READY_WAIT     1500 /* milliseconds for a turn */
#define READY_DEADLINE 4000 /* for the picture, which takes 5 ms on an idle machine */

/* A PNG of one gray pixel. */
static const char one_pixel[] =
    "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55"
    "\0\0\0\nIDAT\x78\x9c\x63\x68\0\0\0\x82\0\x81\x77\xcd\x72\xb6"
    "\0\0\0\0IEND\xae\x42\x60\x82";

const char *iimg_image_ready(iimg_context_t *context, const iimg_image_settings_t *settings)
{
    const iimg_bytes_t picture = { .data = one_pixel, .length = sizeof(one_pixel) - 1, .file = -1 };
    iimg_image_settings_t quick = *settings;
    request_t request;
    iimg_error_t *err;

    quick.worker.wait = READY_WAIT;
    quick.worker.deadline = READY_DEADLINE;
    prepare_request(&request, &quick, IIMG_WORK_INSPECT, &picture);
    err = iimg_picture_worker_ask(context, &quick.worker, &request.question, &request.reply);
    if (err) {
        return err->detail ? err->detail : err->message;
    }
    if (request.reply.outcome == IIMG_WORKER_ANSWERED) {
        return request.reply.answer.status == IIMG_WORK_DONE
                   ? NULL
                   : apr_pstrdup(context->pool, request.reply.answer.said);
    }
    if (request.reply.outcome == IIMG_WORKER_BUSY && request.reply.reached) {
        return NULL;
    }
    return request.reply.why ? request.reply.why : "it exited on every attempt";
}

/* The poster's description in one block of memory, as the worker reads it. */
static iimg_bytes_t describe_poster(apr_pool_t *pool, const iimg_poster_t *poster)
{
    const char *texts[IIMG_WORK_TEXTS] = { poster->title, poster->subtitle, poster->body,
                                           poster->mark };
    iimg_work_poster_t head = { .width = (uint32_t)poster->width,
                                .height = (uint32_t)poster->height };
    apr_size_t length = sizeof(head);
    char *data, *to;

    for (int i = 0; i < IIMG_WORK_TEXTS; i++) {
        texts[i] = texts[i] ? texts[i] : "";
        head.text_lengths[i] = (uint32_t)strlen(texts[i]);
        length += head.text_lengths[i];
    }
    for (int i = 0; i < poster->picture_count && i < IIMG_WORK_POSTER_PICTURES; i++) {
        head.picture_lengths[i] = (uint32_t)poster->pictures[i].length;
        head.picture_count++;
        length += poster->pictures[i].length;
    }
    to = data = apr_palloc(pool, length);
    to = (char *)memcpy(to, &head, sizeof(head)) + sizeof(head);
    for (int i = 0; i < IIMG_WORK_TEXTS; i++) {
        to = (char *)memcpy(to, texts[i], head.text_lengths[i]) + head.text_lengths[i];
    }
    for (uint32_t i = 0; i < head.picture_count; i++) {
        to = (char *)memcpy(to, poster->pictures[i].data, head.picture_lengths[i])
             + head.picture_lengths[i];
    }
    return (iimg_bytes_t){ data, length, -1, 0 };
}

static iimg_error_t *ask_for_poster(iimg_context_t *context, const iimg_image_settings_t *settings,
                                    const iimg_poster_t *poster, request_t *request)
{
    iimg_bytes_t description = describe_poster(context->pool, poster);

    prepare_request(request, settings, IIMG_WORK_POSTER, &description);
    request->type = iimg_media_type_by_extension("jpg");
    return run_request(context, settings, request);
}

/* Texts are untrusted, and fonts depend on the machine. If drawing texts crashes the process or
 * takes too long, compose the poster without them. */
static iimg_error_t *ask_without_texts(iimg_context_t *context,
                                       const iimg_image_settings_t *settings,
                                       const iimg_poster_t *poster, request_t *request)
{
    iimg_poster_t plain = *poster;

    plain.title = plain.subtitle = plain.body = plain.mark = NULL;
    iimg_log(
        context, IIMG_LOG_WARNING,
        "IIMG0136: cannot draw the texts of a preview poster, composing the poster without text: %s; "
        "check the fonts in /usr/share/fonts",
        request->reply.why);
    return ask_for_poster(context, settings, &plain, request);
}

iimg_error_t *iimg_image_poster(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_poster_t *poster, iimg_derivative_t *poster_jpeg)
{
    request_t request;
    iimg_error_t *err = ask_for_poster(context, settings, poster, &request);

    if (err
        && (request.reply.outcome == IIMG_WORKER_KILLED
            || request.reply.outcome == IIMG_WORKER_LATE)) {
        err = ask_without_texts(context, settings, poster, &request);
    }
    if (err) {
        return err;
    }
    return take_jpeg(context, &request, poster->width, poster->height, poster_jpeg);
}
