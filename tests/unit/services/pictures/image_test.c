/* image_test.c - services/pictures/image.c: what the worker is asked, and which of its answers are
 * taken. */
#include "services/pictures/image.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_image_settings_t settings;
static iimg_worker_reply_t answer; /* of the worker */
static iimg_worker_question_t asked_for;
static iimg_picture_worker_t asked_worker;
static iimg_error_t *asking_fails;
static bool is_sent = true; /* whether the worker takes a request */
static int waits;           /* for answers */
static char jpegs[3][24];
static iimg_edit_step_t keep_all;

iimg_error_t *iimg_picture_worker_ask(iimg_context_t *of, const iimg_picture_worker_t *worker,
                                      const iimg_worker_question_t *question,
                                      iimg_worker_reply_t *reply)
{
    (void)of;
    asked_for = *question;
    asked_worker = *worker;
    *reply = answer;
    return asking_fails;
}

iimg_error_t *iimg_picture_worker_send(iimg_context_t *of, const iimg_picture_worker_t *worker,
                                       const iimg_worker_question_t *question,
                                       iimg_worker_reply_t *reply, iimg_worker_call_t **call)
{
    *call = NULL;
    return iimg_picture_worker_ask(of, worker, question, reply);
}

bool iimg_picture_worker_is_sent(const iimg_worker_call_t *call)
{
    (void)call;
    return is_sent;
}

iimg_error_t *iimg_picture_worker_wait(iimg_worker_call_t *call)
{
    (void)call;
    waits++;
    return NULL;
}

/* The head of a JPEG with these sides. */
static void set_sides(char *jpeg, int width, int height)
{
    static const char head[] = "\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\0\1\1\x11\0";

    memcpy(jpeg, head, sizeof(head));
    jpeg[7] = (char)(height >> 8);
    jpeg[8] = (char)height;
    jpeg[9] = (char)(width >> 8);
    jpeg[10] = (char)width;
}

static char picture_bytes[24];
static iimg_bytes_t picture = { picture_bytes, 20, -1, 0, false };

static iimg_error_t *inspect(int *width, int *height)
{
    iimg_image_inspection_t *inspection;
    iimg_error_t *err = iimg_image_inspect_begin(context, &settings, &picture, &inspection);

    return err ? err : iimg_image_inspect_end(inspection, width, height);
}

static void begin(void)
{
    memset(&answer, 0, sizeof(answer));
    memset(&settings, 0, sizeof(settings));
    settings.limits.max_pixels = 11;
    settings.limits.max_pixels_jpeg = 22;
    settings.derivative_format = IIMG_FORMAT_JPEG;
    settings.derivative_quality = 77;
    settings.worker.wait = 5;
    settings.worker.deadline = 6;
    set_sides(picture_bytes, 9, 9);
    keep_all = (iimg_edit_step_t){ .kind = IIMG_EDIT_KEEP, .offset = 0, .length = 20 };
    answer.outcome = IIMG_WORKER_ANSWERED;
    answer.answer.status = IIMG_WORK_DONE;
    answer.answer.width = 9;
    answer.answer.height = 9;
    answer.answer.format = IIMG_FORMAT_JPEG;
    answer.edit.steps = &keep_all;
    answer.edit.count = 1;
    for (int i = 0; i < 3; i++) {
        set_sides(jpegs[i], iimg_derivatives[i].side, iimg_derivatives[i].side);
        answer.pieces[i] = jpegs[i];
        answer.answer.lengths[i] = 20;
    }
    asking_fails = NULL;
    work_log_clear(context);
}

static iimg_error_t *derive(iimg_derived_t **derived)
{
    return iimg_image_derive(context, &settings, &picture, derived);
}

static void test_questions(void)
{
    iimg_derived_t *derived;
    iimg_derivative_t jpeg;
    int width, height;
    iimg_image_inspection_t *inspection;

    begin();
    tap_ok(!derive(&derived), "derivatives are made");
    tap_is_number(asked_for.request.kind, IIMG_WORK_DERIVE, "derivatives: the kind of work");
    tap_ok(asked_for.pieces == 3 && asked_for.max_piece == 2 * 1024 * 1024,
           "derivatives: three pieces of 2 MiB at most");
    tap_ok(asked_for.request.max_pixels == 11 && asked_for.request.max_pixels_jpeg == 22
               && asked_for.request.quality == 77 && asked_for.request.format == IIMG_FORMAT_JPEG,
           "derivatives: limits, format and quality");
    tap_ok(derived->width == 9 && derived->height == 9 && derived->original.length == 20
               && derived->original.data == picture_bytes
               && derived->type->format == IIMG_FORMAT_JPEG,
           "derivatives: the original as it was");
    for (int i = 0; i < 3; i++) {
        tap_ok(derived->derivatives[i].data == jpegs[i] && derived->derivatives[i].length == 20,
               "derivative %d is its piece", i);
    }
    begin();
    set_sides(jpegs[0], 1024, 1024);
    tap_ok(!iimg_image_reference(context, &settings, &picture, 1024, &jpeg)
               && asked_for.request.kind == IIMG_WORK_REFERENCE && asked_for.pieces == 1
               && asked_for.max_piece == 32 * 1024 * 1024 && asked_for.request.side == 1024,
           "a reference: one piece of 32 MiB at most, with its side");
    tap_ok(jpeg.data == jpegs[0] && jpeg.length == 20, "a reference is its piece");
    for (int i = 0; i < 2; i++) {
        set_sides(jpegs[0], i ? 1024 : 1025, i ? 1025 : 1024);
        tap_ok(iimg_image_reference(context, &settings, &picture, 1024, &jpeg) != NULL,
               "a reference that is one pixel too large is refused");
    }
    begin();
    tap_ok(!inspect(&width, &height) && width == 9 && height == 9
               && asked_for.request.kind == IIMG_WORK_INSPECT && asked_for.pieces == 0,
           "an inspection has dimensions and no pieces");
    begin();
    waits = 0;
    tap_ok(!iimg_image_inspect_begin(context, &settings, &picture, &inspection) && waits == 0,
           "the start of an inspection does not wait for the answer");
    tap_ok(!iimg_image_inspect_end(inspection, &width, &height) && waits == 1,
           "the end of an inspection waits for the answer");
    begin();
    is_sent = false;
    answer.outcome = IIMG_WORKER_BUSY;
    tap_ok(iimg_image_inspect_begin(context, &settings, &picture, &inspection) != NULL,
           "an inspection that cannot be sent does not start");
    is_sent = true;
}

static void test_doubts(void)
{
    static const struct {
        const char *what;
        int width, height; /* of the whole */
        int piece, w, h;   /* this piece's sides, with its box added */
        int format;        /* of pieces, as the worker says */
        uint64_t edit_length;
        bool good;
    } cases[] = {
        { "all right", 9, 9, 0, 0, 0, 0, 20, true },
        { "no width", 0, 9, 0, 0, 0, 0, 20, false },
        { "no height", 9, 0, 0, 0, 0, 0, 20, false },
        { "sides of one", 1, 1, 0, 0, 0, 0, 20, true },
        { "the greatest sides", 1000000000, 1000000000, 0, 0, 0, 0, 20, true },
        { "a greater width", 1000000001, 9, 0, 0, 0, 0, 20, false },
        { "a greater height", 9, 1000000001, 0, 0, 0, 0, 20, false },
        { "a first piece that is too wide", 9, 9, 0, 1, 0, 0, 20, false },
        { "a first piece that is too high", 9, 9, 0, 0, 1, 0, 20, false },
        { "a last piece that is too wide", 9, 9, 2, 1, 0, 0, 20, false },
        { "pieces of another kind", 9, 9, 0, 0, 0, IIMG_FORMAT_WEBP, 20, false },
        { "pieces that are no PNG", 9, 9, 0, 0, 0, IIMG_FORMAT_PNG, 20, false },
        { "an edit beyond the picture", 9, 9, 0, 0, 0, 0, 21, false },
        { "an edit that leaves no JPEG", 9, 9, 0, 0, 0, 0, 2, false },
        { "an edit that leaves a JPEG", 9, 9, 0, 0, 0, 0, 19, true },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_derived_t *derived;
        iimg_error_t *err;
        int box = iimg_derivatives[cases[i].piece].side;

        begin();
        answer.answer.width = (uint32_t)cases[i].width;
        answer.answer.height = (uint32_t)cases[i].height;
        set_sides(jpegs[cases[i].piece], box + cases[i].w, box + cases[i].h);
        if (cases[i].format) {
            answer.answer.format = (uint32_t)cases[i].format;
        }
        keep_all.length = (uint32_t)cases[i].edit_length;
        err = derive(&derived);
        tap_ok((err == NULL) == cases[i].good, "%s: %s", cases[i].what,
               cases[i].good ? "taken" : "refused");
        tap_ok(!err || (err->kind == IIMG_INTERNAL && strcmp(err->tag, "IIMG0131") == 0),
               "%s: no fault of the picture", cases[i].what);
    }
    begin();
    set_sides(jpegs[1], 0, 5);
    tap_ok(derive(&(iimg_derived_t *){ NULL }) != NULL, "a piece without a width is refused");
    begin();
    set_sides(jpegs[1], 1, 1);
    tap_ok(!derive(&(iimg_derived_t *){ NULL }), "a piece of one pixel is taken");
    begin();
    answer.answer.lengths[1] = 10;
    tap_ok(derive(&(iimg_derived_t *){ NULL }) != NULL, "a piece without sides is refused");
    begin();
    answer.answer.width = 1000000001;
    {
        int side;

        tap_ok(inspect(&side, &side) != NULL, "a size that is too great is refused");
    }
}

static void test_formats(void)
{
    begin();
    tap_ok(is_allowed_format(&settings, IIMG_FORMAT_JPEG)
               && is_allowed_format(&settings, IIMG_FORMAT_PNG)
               && !is_allowed_format(&settings, IIMG_FORMAT_WEBP)
               && !is_allowed_format(&settings, IIMG_FORMAT_UNKNOWN),
           "JPEG derivatives may be JPEG or PNG");
    settings.derivative_format = IIMG_FORMAT_WEBP;
    tap_ok(is_allowed_format(&settings, IIMG_FORMAT_WEBP)
               && !is_allowed_format(&settings, IIMG_FORMAT_PNG)
               && !is_allowed_format(&settings, IIMG_FORMAT_JPEG),
           "WebP derivatives are WebP alone");
}

static void test_outcomes(void)
{
    static const struct {
        iimg_worker_outcome_t outcome;
        int status;
        iimg_error_kind_t kind;
        const char *code, *tag, *message;
        bool logged;
    } cases[] = {
        { IIMG_WORKER_ANSWERED, IIMG_WORK_UNREADABLE, IIMG_INVALID, "unsupported_image", NULL,
          "damaged", false },
        { IIMG_WORKER_ANSWERED, IIMG_WORK_TOO_MANY_PIXELS, IIMG_TOO_LARGE, "too_many_pixels", NULL,
          "(9 x 9)", false },
        { IIMG_WORKER_ANSWERED, IIMG_WORK_LARGE_PROFILE, IIMG_INVALID, "unsupported_image", NULL,
          "profile", false },
        { IIMG_WORKER_ANSWERED, IIMG_WORK_FAILED, IIMG_INTERNAL, NULL, NULL, "Internal", false },
        { IIMG_WORKER_KILLED, 0, IIMG_INVALID, "unsupported_image", NULL, "damaged", true },
        { IIMG_WORKER_LATE, 0, IIMG_INVALID, "unsupported_image", NULL, "too long", true },
        { IIMG_WORKER_BUSY, 0, IIMG_BUSY, "pictures_busy", NULL, "as many", false },
        { IIMG_WORKER_DOWN, 0, IIMG_UNAVAILABLE, "pictures_down", "IIMG0132", "cannot read",
          false },
        { IIMG_WORKER_INVALID, 0, IIMG_INTERNAL, NULL, "IIMG0131", "Internal", false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_error_t *err;

        begin();
        answer.outcome = cases[i].outcome;
        answer.answer.status = (uint32_t)cases[i].status;
        answer.answer.limit = 5000000;
        answer.why = "why";
        err = derive(&(iimg_derived_t *){ NULL });
        tap_ok(err && err->kind == cases[i].kind, "outcome %d, status %d: its kind",
               cases[i].outcome, cases[i].status);
        tap_is(err ? err->code : NULL, cases[i].code, "outcome %d, status %d: its code",
               cases[i].outcome, cases[i].status);
        tap_is(err ? err->tag : NULL, cases[i].tag, "outcome %d, status %d: its tag",
               cases[i].outcome, cases[i].status);
        tap_is(err ? err->field : NULL,
               cases[i].code && strncmp(cases[i].code, "pictures", 8) ? "image" : NULL,
               "outcome %d, status %d: its field", cases[i].outcome, cases[i].status);
        tap_ok((work_logged(context, "IIMG0130") != NULL) == cases[i].logged,
               "outcome %d, status %d: logged or not", cases[i].outcome, cases[i].status);
    }
}

static void test_unknown(void)
{
    static const iimg_bytes_t text = { "nothing", 7, -1, 0, false };
    iimg_derived_t *derived;
    iimg_error_t *err;

    begin();
    memset(&asked_for, 0, sizeof(asked_for));
    err = iimg_image_derive(context, &settings, &text, &derived);
    tap_ok(err && strcmp(err->code, "unsupported_image") == 0 && strstr(err->message, "is text"),
           "text is no picture");
    tap_ok(asked_for.bytes == NULL, "the worker is not asked about text");
}

static void test_ready(void)
{
    static const struct {
        iimg_worker_outcome_t outcome;
        int status;
        bool ready;
    } cases[] = {
        { IIMG_WORKER_ANSWERED, IIMG_WORK_DONE, true },
        { IIMG_WORKER_ANSWERED, IIMG_WORK_UNREADABLE, false },
        { IIMG_WORKER_BUSY, 0, true },
        { IIMG_WORKER_KILLED, 0, false },
        { IIMG_WORKER_DOWN, 0, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        answer.outcome = cases[i].outcome;
        answer.answer.status = (uint32_t)cases[i].status;
        answer.answer.width = answer.answer.height = 1;
        answer.why = "why";
        answer.reached = true;
        tap_ok((iimg_image_ready(context, &settings) == NULL) == cases[i].ready,
               "a worker with outcome %d, status %d is %s", cases[i].outcome, cases[i].status,
               cases[i].ready ? "ready" : "not ready");
    }
    begin();
    answer.outcome = IIMG_WORKER_BUSY;
    answer.why = "no room";
    tap_is(iimg_image_ready(context, &settings), "no room",
           "a worker that did not take the question is not ready");
    tap_ok(asked_worker.wait == 1500 && asked_worker.deadline == 4000,
           "a worker has 1.5 s and 4 s to show that it is ready");
    tap_ok(iimg_media_type_sniff(asked_for.bytes->data, asked_for.bytes->length)->format
                   == IIMG_FORMAT_PNG
               && asked_for.bytes->length == 67,
           "a worker shows it with a PNG");
    asking_fails = iimg_error(context->pool, IIMG_UNAVAILABLE, "no memory");
    tap_is(iimg_image_ready(context, &settings), "no memory", "a question that cannot be asked");
}

int main(void)
{
    context = work_begin();
    test_questions();
    test_doubts();
    test_formats();
    test_outcomes();
    test_unknown();
    test_ready();
    work_end(context);
    return tap_done();
}
