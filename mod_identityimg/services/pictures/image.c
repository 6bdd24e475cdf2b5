/* image.c - what identityimg-worker says of pictures, checked and told in our words. */
#include "services/pictures/image.h"

#include <string.h>
#include <apr_strings.h>
#include "base/log.h"
#include "base/quantity.h"
#include "services/pictures/edit.h"
#include "services/pictures/size.h"

#define MEGAPIXEL 1000000

/* Questions ----------------------------------------------------------------------------------- */

static const struct {
    const char *step;
    uint32_t pieces;
    apr_size_t max_piece;
} works[] = {
    [IIMG_WORK_DERIVE] = { "derivatives", IIMG_SIZES, IIMG_WORK_MAX_DERIVATIVE },
    [IIMG_WORK_REFERENCE] = { "reference", 1, IIMG_WORK_MAX_JPEG },
    [IIMG_WORK_INSPECT] = { "inspect", 0, 0 },
    [IIMG_WORK_POSTER] = { "poster", 1, IIMG_WORK_MAX_JPEG },
};

_Static_assert(IIMG_WORK_PIECES >= IIMG_SIZES, "an answer must have room for each derivative");

typedef struct asked_t {
    iimg_worker_question_t question;
    iimg_worker_reply_t reply;
    const iimg_media_type_t *type; /* of the picture */
} asked_t;

static void prepare(asked_t *asked, const iimg_image_settings_t *settings, iimg_work_kind_t kind,
                    const iimg_bytes_t *bytes)
{
    memset(asked, 0, sizeof(*asked));
    asked->question.bytes = bytes;
    asked->question.pieces = works[kind].pieces;
    asked->question.max_piece = works[kind].max_piece;
    asked->question.request.kind = kind;
    asked->question.request.max_pixels = settings->limits.max_pixels;
    asked->question.request.max_pixels_jpeg = settings->limits.max_pixels_jpeg;
    asked->question.request.format = settings->derivative_format;
    asked->question.request.quality = (uint32_t)settings->derivative_quality;
}

/* Refusals ------------------------------------------------------------------------------------ */

static iimg_error_t *unsupported(iimg_error_t *err)
{
    return iimg_error_code(iimg_error_field(err, "image"), "unsupported_image");
}

static iimg_error_t *unreadable(iimg_context_t *context, const asked_t *asked, const char *why)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_INVALID,
                                   "The %s picture is damaged or not a real %s picture. "
                                   "Upload a valid %s picture.",
                                   asked->type->name, asked->type->name, iimg_media_types_allowed);

    return iimg_error_detail(unsupported(err), "%s", why);
}

static iimg_error_t *too_many_pixels(iimg_context_t *context, const iimg_work_answer_t *answer)
{
    iimg_error_t *err = iimg_error(
        context->pool, IIMG_TOO_LARGE,
        "The picture has %s megapixels (%u x %u); at most %.0f are "
        "allowed.",
        iimg_units(context->pool, (apr_uint64_t)answer->width * answer->height, answer->limit,
                   MEGAPIXEL),
        answer->width, answer->height, (double)answer->limit / MEGAPIXEL);

    return iimg_error_code(iimg_error_field(err, "image"), "too_many_pixels");
}

static iimg_error_t *large_profile(iimg_context_t *context, const iimg_work_answer_t *answer)
{
    return unsupported(iimg_error(
        context->pool, IIMG_INVALID, "The picture's color profile has %s; at most 4 are allowed.",
        iimg_megabytes(context->pool, (apr_size_t)answer->limit, IIMG_WORK_MAX_PROFILE)));
}

static iimg_error_t *refused(iimg_context_t *context, const asked_t *asked)
{
    const iimg_work_answer_t *answer = &asked->reply.answer;

    switch (answer->status) {
    case IIMG_WORK_DONE:
        return NULL;
    case IIMG_WORK_TOO_MANY_PIXELS:
        return too_many_pixels(context, answer);
    case IIMG_WORK_LARGE_PROFILE:
        return large_profile(context, answer);
    case IIMG_WORK_UNREADABLE:
        return unreadable(context, asked, answer->said);
    default:
        return iimg_error_detail(iimg_error(context->pool, IIMG_INTERNAL, "Internal server error"),
                                 "identityimg-worker: %s", answer->said);
    }
}

/* A picture that ends its process, or takes it over: nobody but its sender is told, and the log. */
static iimg_error_t *stopped(iimg_context_t *context, const asked_t *asked)
{
    const iimg_worker_reply_t *reply = &asked->reply;

    iimg_log(context, IIMG_LOG_WARNING,
             "IIMG0130: a picture (%s, %" APR_SIZE_T_FMT " bytes) ended "
             "its worker process: %s",
             asked->type->name, asked->question.bytes->length, reply->why);
    if (asked->question.request.kind == IIMG_WORK_POSTER) {
        return iimg_error_detail(iimg_error(context->pool, IIMG_INTERNAL, "Internal server error"),
                                 "poster: %s", reply->why);
    }
    if (reply->outcome == IIMG_WORKER_KILLED) {
        return unreadable(context, asked, reply->why);
    }
    return unsupported(iimg_error(context->pool, IIMG_INVALID,
                                  "The %s picture takes too long to read. Upload a valid %s "
                                  "picture.",
                                  asked->type->name, iimg_media_types_allowed));
}

static iimg_error_t *lied(iimg_context_t *context, const char *why)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_INTERNAL, "Internal server error");

    err->tag = "IIMG0131";
    return iimg_error_detail(err, "identityimg-worker is not to be believed: %s", why);
}

static iimg_error_t *away(iimg_context_t *context, const char *why)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_UNAVAILABLE,
                                   "The server cannot read pictures at the moment.");

    err->tag = "IIMG0132";
    return iimg_error_detail(iimg_error_code(err, "pictures_down"), "identityimg-worker: %s",
                             why ? why : "it ends under each request");
}

static iimg_error_t *busy(iimg_context_t *context)
{
    return iimg_error_code(iimg_error(context->pool, IIMG_BUSY,
                                      "The server is reading as many pictures as it can. "
                                      "Try again in a moment."),
                           "pictures_busy");
}

static iimg_error_t *judge(iimg_context_t *context, const asked_t *asked)
{
    const iimg_worker_reply_t *reply = &asked->reply;

    switch (reply->outcome) {
    case IIMG_WORKER_ANSWERED:
        return refused(context, asked);
    case IIMG_WORKER_KILLED:
    case IIMG_WORKER_LATE:
        return stopped(context, asked);
    case IIMG_WORKER_BUSY:
        return busy(context);
    case IIMG_WORKER_LIED:
        return lied(context, reply->why);
    default:
        return away(context, reply->why);
    }
}

static iimg_error_t *ask(iimg_context_t *context, const iimg_image_settings_t *settings,
                         asked_t *asked)
{
    apr_time_t began = iimg_step_begin(context);
    iimg_error_t *err = iimg_picture_worker_ask(context, &settings->worker, &asked->question,
                                                &asked->reply);

    if (err) {
        return err;
    }
    iimg_step_end(context, began, works[asked->question.request.kind].step,
                  asked->type ? asked->type->name : NULL);
    return judge(context, asked);
}

static iimg_error_t *ask_about(iimg_context_t *context, const iimg_image_settings_t *settings,
                               asked_t *asked)
{
    const iimg_bytes_t *bytes = asked->question.bytes;

    asked->type = iimg_media_type_sniff(bytes->data, bytes->length);
    if (asked->type->format == IIMG_FORMAT_UNKNOWN) {
        return unsupported(iimg_error(context->pool, IIMG_INVALID,
                                      "The file is %s, not a picture we read. Upload a valid %s "
                                      "picture.",
                                      iimg_media_type_describe(bytes->data, bytes->length),
                                      iimg_media_types_allowed));
    }
    return ask(context, settings, asked);
}

/* Answers that may be lies --------------------------------------------------------------------- */

/* What a piece says of itself must be what was asked for. */
static const char *doubt_piece(const iimg_worker_reply_t *reply, int i, int width, int height)
{
    apr_size_t length = reply->answer.lengths[i];
    const iimg_media_type_t *type = iimg_media_type_sniff(reply->pieces[i], length);
    int w, h;

    if (type->format != reply->answer.format) {
        return "a piece is not of the kind it is said to be";
    }
    if (!iimg_picture_size(reply->pieces[i], length, &w, &h)) {
        return "a piece has no sides";
    }
    return w < 1 || h < 1 || w > width || h > height ? "a piece does not fit into its box" : NULL;
}

static bool may_be_format(const iimg_image_settings_t *settings, uint32_t format)
{
    return format == settings->derivative_format
           || (format == IIMG_FORMAT_PNG && settings->derivative_format == IIMG_FORMAT_JPEG);
}

static const char *doubt_sizes(const iimg_image_settings_t *settings,
                               const iimg_worker_reply_t *reply)
{
    const char *doubt = NULL;

    if (!may_be_format(settings, reply->answer.format)) {
        return "derivatives are of a kind that nobody asked for";
    }
    for (int size = 0; size < IIMG_SIZES && !doubt; size++) {
        doubt = doubt_piece(reply, size, iimg_sizes[size].box, iimg_sizes[size].box);
    }
    return doubt;
}

static const char *doubt_sides(const iimg_work_answer_t *answer)
{
    return answer->width < 1 || answer->height < 1 || answer->width > 1000000000
                   || answer->height > 1000000000
               ? "the picture has impossible sides"
               : NULL;
}

/* The answer's edit, carried out on our own copy. */
static const char *clean_original(iimg_context_t *context, const asked_t *asked,
                                  iimg_derivative_t *original)
{
    const iimg_bytes_t *bytes = asked->question.bytes;
    const iimg_edit_t *edit = &asked->reply.edit;
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
    return iimg_media_type_sniff(original->data, length) == asked->type
               ? NULL
               : "its edit makes something else of the picture";
}

static void take(const iimg_worker_reply_t *reply, int piece, iimg_derivative_t *out)
{
    out->data = reply->pieces[piece];
    out->length = reply->answer.lengths[piece];
}

static const iimg_media_type_t *type_of(const iimg_worker_reply_t *reply)
{
    return iimg_media_type_sniff(reply->pieces[0], reply->answer.lengths[0]);
}

/* What callers ask for ------------------------------------------------------------------------ */

iimg_error_t *iimg_image_derive(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_bytes_t *picture, iimg_derived_t **derived)
{
    iimg_derived_t *made = apr_pcalloc(context->pool, sizeof(*made));
    const char *doubt;
    asked_t asked;
    iimg_error_t *err;

    prepare(&asked, settings, IIMG_WORK_DERIVE, picture);
    err = ask_about(context, settings, &asked);
    if (err) {
        return err;
    }
    doubt = doubt_sides(&asked.reply.answer);
    doubt = doubt ? doubt : doubt_sizes(settings, &asked.reply);
    doubt = doubt ? doubt : clean_original(context, &asked, &made->original);
    if (doubt) {
        return lied(context, doubt);
    }
    made->type = asked.type;
    made->sized_type = type_of(&asked.reply);
    made->width = (int)asked.reply.answer.width;
    made->height = (int)asked.reply.answer.height;
    for (int size = 0; size < IIMG_SIZES; size++) {
        take(&asked.reply, size, &made->sizes[size]);
    }
    *derived = made;
    return NULL;
}

/* The one JPEG of an answer. */
static iimg_error_t *take_jpeg(iimg_context_t *context, const asked_t *asked, int width, int height,
                               iimg_derivative_t *jpeg)
{
    const char *doubt = asked->reply.answer.format == IIMG_FORMAT_JPEG
                            ? doubt_piece(&asked->reply, 0, width, height)
                            : "the answer is no JPEG";

    if (doubt) {
        return lied(context, doubt);
    }
    take(&asked->reply, 0, jpeg);
    return NULL;
}

iimg_error_t *iimg_image_reference(iimg_context_t *context, const iimg_image_settings_t *settings,
                                   const iimg_bytes_t *picture, int max_side,
                                   iimg_derivative_t *reference)
{
    asked_t asked;
    iimg_error_t *err;

    prepare(&asked, settings, IIMG_WORK_REFERENCE, picture);
    asked.question.request.side = (uint32_t)max_side;
    err = ask_about(context, settings, &asked);
    return err ? err : take_jpeg(context, &asked, max_side, max_side, reference);
}

iimg_error_t *iimg_image_size(iimg_context_t *context, const iimg_image_settings_t *settings,
                              const iimg_bytes_t *picture, void (*meanwhile)(void *baton),
                              void *baton, int *width, int *height)
{
    asked_t asked;
    iimg_error_t *err;

    prepare(&asked, settings, IIMG_WORK_INSPECT, picture);
    asked.question.meanwhile = meanwhile;
    asked.question.baton = baton;
    err = ask_about(context, settings, &asked);
    if (!err && doubt_sides(&asked.reply.answer)) {
        err = lied(context, doubt_sides(&asked.reply.answer));
    }
    if (!err) {
        *width = (int)asked.reply.answer.width;
        *height = (int)asked.reply.answer.height;
    }
    return err;
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
    asked_t asked;
    iimg_error_t *err;

    quick.worker.wait = READY_WAIT;
    quick.worker.deadline = READY_DEADLINE;
    prepare(&asked, &quick, IIMG_WORK_INSPECT, &picture);
    err = iimg_picture_worker_ask(context, &quick.worker, &asked.question, &asked.reply);
    if (err) {
        return err->detail ? err->detail : err->message;
    }
    if (asked.reply.outcome == IIMG_WORKER_ANSWERED) {
        return asked.reply.answer.status == IIMG_WORK_DONE
                   ? NULL
                   : apr_pstrdup(context->pool, asked.reply.answer.said);
    }
    if (asked.reply.outcome == IIMG_WORKER_BUSY && asked.reply.reached) {
        return NULL;
    }
    return asked.reply.why ? asked.reply.why : "it exited on every attempt";
}

/* The poster's description in one piece of memory, as the worker reads it. */
static iimg_bytes_t describe(apr_pool_t *pool, const iimg_poster_t *poster)
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
                                    const iimg_poster_t *poster, asked_t *asked)
{
    iimg_bytes_t description = describe(context->pool, poster);

    prepare(asked, settings, IIMG_WORK_POSTER, &description);
    asked->type = iimg_media_type_by_extension("jpg");
    return ask(context, settings, asked);
}

/* Words are untrusted, and fonts depend on the machine: a poster whose words end its process, or
 * take too long, is composed without them. */
static iimg_error_t *ask_without_words(iimg_context_t *context,
                                       const iimg_image_settings_t *settings,
                                       const iimg_poster_t *poster, asked_t *asked)
{
    iimg_poster_t plain = *poster;

    plain.title = plain.subtitle = plain.body = plain.mark = NULL;
    iimg_log(context, IIMG_LOG_WARNING,
             "IIMG0136: a preview poster is composed without its words, "
             "which could not be drawn: %s; check the fonts below /usr/share/fonts",
             asked->reply.why);
    return ask_for_poster(context, settings, &plain, asked);
}

iimg_error_t *iimg_image_poster(iimg_context_t *context, const iimg_image_settings_t *settings,
                                const iimg_poster_t *poster, iimg_derivative_t *poster_jpeg)
{
    asked_t asked;
    iimg_error_t *err = ask_for_poster(context, settings, poster, &asked);

    if (err
        && (asked.reply.outcome == IIMG_WORKER_KILLED || asked.reply.outcome == IIMG_WORKER_LATE)) {
        err = ask_without_words(context, settings, poster, &asked);
    }
    if (err) {
        return err;
    }
    return take_jpeg(context, &asked, poster->width, poster->height, poster_jpeg);
}
