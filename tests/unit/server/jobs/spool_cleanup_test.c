/* spool_cleanup_test.c - server/jobs/spool_cleanup.c: which answers in the spool are deleted. */
#include <apr_time.h>

static apr_time_t cleanup_clock = 1800000000000000;

#define apr_time_now() cleanup_clock
#include "server/jobs/spool_cleanup.c"
#undef apr_time_now

#include <fcntl.h>
#include <sys/stat.h>
#include "tap.h"
#include "work.h"

#define ENDED   "00000000-0000-4000-8000-000000000001"
#define RUNNING "00000000-0000-4000-8000-000000000002"
#define UNKNOWN "00000000-0000-4000-8000-000000000003"
#define SECOND  "00000000-0000-4000-8000-000000000004"

static iimg_context_t *context;
static char dir[] = "/tmp/iimg-spool.XXXXXX";
static server_rec first, second;
static bool away; /* the second database */
static int asked;

iimg_context_t *iimg_context_create(apr_pool_t *pool, server_rec *server, const char *name)
{
    iimg_context_t *made = apr_pmemdup(pool, context, sizeof(*made));

    (void)name;
    made->pool = pool;
    made->login = server == &second ? "second" : "first";
    return made;
}

iimg_error_t *iimg_generation_job_news(iimg_context_t *of, const apr_array_header_t *ids,
                                       apr_array_header_t **news)
{
    bool is_second = strcmp(of->login, "second") == 0;

    asked++;
    *news = apr_array_make(of->pool, 2, sizeof(iimg_generation_job_news_t));
    if (is_second && away) {
        return iimg_error(of->pool, IIMG_UNAVAILABLE, "away");
    }
    for (int i = 0; i < ids->nelts; i++) {
        const char *id = APR_ARRAY_IDX(ids, i, const char *);

        if (is_second ? strcmp(id, SECOND) == 0
                      : strcmp(id, ENDED) == 0 || strcmp(id, RUNNING) == 0) {
            APR_ARRAY_PUSH(*news, iimg_generation_job_news_t) = (iimg_generation_job_news_t){
                apr_pstrdup(of->pool, id), 1, strcmp(id, RUNNING) != 0
            };
        }
    }
    return NULL;
}

static const char *path_of(const char *name)
{
    return apr_pstrcat(context->pool, dir, "/", name, NULL);
}

/* @param age in microseconds */
static void put(const char *name, apr_interval_time_t age)
{
    struct timespec times[2];

    close(open(path_of(name), O_CREAT | O_WRONLY, 0600));
    times[0].tv_sec = (cleanup_clock - age) / 1000000;
    times[0].tv_nsec = (cleanup_clock - age) % 1000000 * 1000;
    times[1] = times[0];
    utimensat(AT_FDCWD, path_of(name), times, 0);
}

static void clear(void)
{
    apr_array_header_t *servers = apr_array_make(context->pool, 2, sizeof(server_rec *));

    APR_ARRAY_PUSH(servers, server_rec *) = &first;
    APR_ARRAY_PUSH(servers, server_rec *) = &second;
    asked = 0;
    iimg_spool_cleanup(context->pool, dir, servers);
}

int main(void)
{
    static const struct {
        const char *name;
        apr_interval_time_t age;
        bool away, stays;
        const char *what;
    } cases[] = {
        { ENDED ".reply", 0, false, false, "the answer of a job that has ended" },
        { ENDED ".reply", 0, true, false, "the answer of a job of the database that answers" },
        { RUNNING ".reply", 1000000000, false, true, "the answer of a job that runs" },
        { SECOND ".reply", 0, false, false, "the answer of another database's job" },
        { SECOND ".reply", 1000000000, true, true,
          "the answer of a database that does not answer" },
        { UNKNOWN ".reply", 10000001, false, false,
          "an answer without a job, over 10 seconds old" },
        { UNKNOWN ".reply", 10000000, false, true, "an answer without a job, 10 seconds old" },
        { UNKNOWN ".reply", 1000000000, true, true,
          "an answer that no database could be asked about" },
        { UNKNOWN ".replyx", 1000000000, false, true, "a longer ending" },
        { UNKNOWN ".repl", 1000000000, false, true, "a shorter ending" },
        { UNKNOWN "x.reply", 1000000000, false, true, "a longer name" },
        { "g0000000-0000-4000-8000-000000000003.reply", 1000000000, false, true,
          "a name of no UUID" },
        { UNKNOWN ".alive", 1000000000, false, true, "another file" },
    };

    context = work_begin();
    if (!tap_ok(mkdtemp(dir) != NULL, "a folder is made")) {
        return tap_done();
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        away = cases[i].away;
        put(cases[i].name, cases[i].age);
        clear();
        tap_ok((access(path_of(cases[i].name), F_OK) == 0) == cases[i].stays, "%s %s",
               cases[i].what, cases[i].stays ? "stays" : "is deleted");
        unlink(path_of(cases[i].name));
    }
    away = false;
    clear();
    tap_is_number(asked, 0, "an empty spool asks no database");
    put(ENDED ".reply", 0);
    clear();
    tap_is_number(asked, 1, "a spool whose answers are all known asks no further database");
    rmdir(dir);
    clear();
    tap_is_number(asked, 0, "a missing spool asks no database");
    work_end(context);
    return tap_done();
}
