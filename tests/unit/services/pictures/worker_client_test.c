/* worker_client_test.c - services/pictures/worker_client.c: checks of an answer's head, and
 * outcomes of verdicts. */
#include "services/pictures/worker_client.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;
static iimg_worker_reply_t reply;
static iimg_worker_question_t question;

static iimg_worker_call_t asking(void)
{
    memset(&reply, 0, sizeof(reply));
    memset(&question, 0, sizeof(question));
    question.pieces = 3;
    question.max_piece = 100;
    reply.answer.protocol = IIMG_WORK_PROTOCOL;
    reply.answer.status = IIMG_WORK_DONE;
    reply.answer.piece_count = 3;
    reply.answer.lengths[0] = reply.answer.lengths[1] = reply.answer.lengths[2] = 100;
    return (iimg_worker_call_t){ .context = context,
                                 .question = &question,
                                 .reply = &reply,
                                 .request = { .kind = IIMG_WORK_DERIVE } };
}

static void test_heads(void)
{
    static const struct {
        const char *what;
        uint32_t protocol, status, pieces, steps, inserts, kind;
        uint64_t last; /* length of the last piece */
        bool good;
    } cases[] = {
        { "a full answer", 2, IIMG_WORK_DONE, 3, 0, 0, IIMG_WORK_DERIVE, 100, true },
        { "another protocol", 3, IIMG_WORK_DONE, 3, 0, 0, IIMG_WORK_DERIVE, 100, false },
        { "status 0", 2, 0, 0, 0, 0, IIMG_WORK_DERIVE, 100, false },
        { "the last status", 2, IIMG_WORK_FAILED, 0, 0, 0, IIMG_WORK_DERIVE, 100, true },
        { "a status behind it", 2, IIMG_WORK_FAILED + 1, 0, 0, 0, IIMG_WORK_DERIVE, 100, false },
        { "two pieces", 2, IIMG_WORK_DONE, 2, 0, 0, IIMG_WORK_DERIVE, 100, false },
        { "four pieces", 2, IIMG_WORK_DONE, 4, 0, 0, IIMG_WORK_DERIVE, 100, false },
        { "a refusal with pieces", 2, IIMG_WORK_UNREADABLE, 3, 0, 0, IIMG_WORK_DERIVE, 100, false },
        { "an empty piece", 2, IIMG_WORK_DONE, 3, 0, 0, IIMG_WORK_DERIVE, 0, false },
        { "a piece of one byte", 2, IIMG_WORK_DONE, 3, 0, 0, IIMG_WORK_DERIVE, 1, true },
        { "a piece that is too long", 2, IIMG_WORK_DONE, 3, 0, 0, IIMG_WORK_DERIVE, 101, false },
        { "the most steps", 2, IIMG_WORK_DONE, 3, IIMG_EDIT_MAX_STEPS, 0, IIMG_WORK_DERIVE, 100,
          true },
        { "one step more", 2, IIMG_WORK_DONE, 3, IIMG_EDIT_MAX_STEPS + 1, 0, IIMG_WORK_DERIVE, 100,
          false },
        { "the most inserts", 2, IIMG_WORK_DONE, 3, 0, IIMG_EDIT_MAX_INSERT, IIMG_WORK_DERIVE, 100,
          true },
        { "one insert more", 2, IIMG_WORK_DONE, 3, 0, IIMG_EDIT_MAX_INSERT + 1, IIMG_WORK_DERIVE,
          100, false },
        { "a step of a refusal", 2, IIMG_WORK_UNREADABLE, 0, 1, 0, IIMG_WORK_DERIVE, 100, false },
        { "a step of a reference", 2, IIMG_WORK_DONE, 3, 1, 0, IIMG_WORK_REFERENCE, 100, false },
        { "an insert of a reference", 2, IIMG_WORK_DONE, 3, 0, 1, IIMG_WORK_REFERENCE, 100, false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_worker_call_t a = asking();

        reply.answer.protocol = cases[i].protocol;
        reply.answer.status = cases[i].status;
        reply.answer.piece_count = cases[i].pieces;
        reply.answer.step_count = cases[i].steps;
        reply.answer.insert_length = cases[i].inserts;
        reply.answer.lengths[2] = cases[i].last;
        a.request.kind = cases[i].kind;
        tap_ok(check_head(&a) == cases[i].good, "%s is %s", cases[i].what,
               cases[i].good ? "believed" : "not believed");
        tap_ok(!cases[i].good || cases[i].pieces == 0
                   || a.tail_length
                          == 200 + cases[i].last + cases[i].steps * sizeof(iimg_edit_step_t),
               "%s: the length of what follows", cases[i].what);
    }
}

static void test_verdicts(void)
{
    static const struct {
        uint32_t event;
        int detail;
        iimg_worker_outcome_t outcome;
        const char *why;
    } cases[] = {
        { 0, 0, IIMG_WORKER_DOWN, NULL },
        { IIMG_WORK_KILLED, 9, IIMG_WORKER_KILLED, "signal 9" },
        { IIMG_WORK_LATE, 0, IIMG_WORKER_LATE, "deadline" },
        { IIMG_WORK_BUSY, 0, IIMG_WORKER_BUSY, "turn" },
        { IIMG_WORK_REFUSED, 0, IIMG_WORKER_DOWN, "version" },
        { IIMG_WORK_ENDED, 0, IIMG_WORKER_INVALID, "half" },
        { IIMG_WORK_ENDED, 1, IIMG_WORKER_KILLED, "status 1" },
        { IIMG_WORK_ENDED, 64, IIMG_WORKER_KILLED, "status 64" },
        { IIMG_WORK_ENDED, 65, IIMG_WORKER_DOWN, "step 1" },
        { IIMG_WORK_ENDED, 79, IIMG_WORKER_DOWN, "step 15" },
        { IIMG_WORK_ENDED, 80, IIMG_WORKER_KILLED, "status 80" },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        iimg_worker_call_t a = asking();

        a.last = (iimg_work_verdict_t){ cases[i].event, cases[i].detail };
        tap_ok(judge_verdict(&a) && reply.outcome == cases[i].outcome,
               "event %u, detail %d: outcome %d", cases[i].event, cases[i].detail,
               cases[i].outcome);
        tap_ok(cases[i].why ? reply.why && strstr(reply.why, cases[i].why) : !reply.why,
               "event %u, detail %d: its reason", cases[i].event, cases[i].detail);
    }
}

static void test_reading(void)
{
    iimg_worker_call_t a = asking();
    char tail[300 + sizeof(iimg_edit_step_t)];
    int pipes[2];

    memset(tail, 't', sizeof(tail));
    for (int extra = 0; extra < 2; extra++) {
        a = asking();
        a.answer[THEIRS] = a.verdict[OURS] = a.verdict[THEIRS] = -1;
        reply.answer.step_count = 1;
        tap_is_number(pipe(pipes), 0, "a pipe for the answer");
        a.answer[OURS] = pipes[0];
        (void)!write(pipes[1], &reply.answer, sizeof(reply.answer));
        (void)!write(pipes[1], tail, sizeof(tail));
        (void)!write(pipes[1], "x", (size_t)extra);
        close(pipes[1]);
        while (!read_answer(&a)) {
            continue;
        }
        tap_is_number(reply.outcome, extra ? IIMG_WORKER_INVALID : IIMG_WORKER_ANSWERED,
                      "an answer with %d bytes behind it", extra);
        if (!extra) {
            memset(reply.answer.said, 'x', sizeof(reply.answer.said));
            reply.answer.said[0] = '\n';
            reply.answer.said[1] = '\x7f';
            reply.answer.said[2] = '~';
            unpack_answer(&a);
            tap_ok(reply.pieces[0] == a.tail + sizeof(iimg_edit_step_t)
                       && reply.pieces[2] == reply.pieces[0] + 200,
                   "the pieces follow the steps");
            tap_ok(strncmp(reply.answer.said, "  ~x", 4) == 0
                       && strlen(reply.answer.said) == sizeof(reply.answer.said) - 1,
                   "its words are printable and end");
        }
        iimg_file_close(&a.answer[OURS]);
    }
}

static void test_time(void)
{
    iimg_worker_call_t a = asking();

    a.due = apr_time_now() - 1;
    tap_is_number(remaining_ms(&a), 0, "no time is left");
    a.due = apr_time_now() + apr_time_from_sec(10);
    tap_ok(remaining_ms(&a) > 9900 && remaining_ms(&a) <= 10001, "ten seconds are left");
}

int main(void)
{
    context = work_begin();
    test_heads();
    test_verdicts();
    test_reading();
    test_time();
    work_end(context);
    return tap_done();
}
