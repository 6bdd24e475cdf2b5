/* spool_cleanup.c - answers in the spool that nobody needs any more. */
#include "server/jobs/spool_cleanup.h"

#include <string.h>
#include <unistd.h>
#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "base/uuid.h"
#include "models/generation_job.h"
#include "server/http/request.h"

#define ENDING      ".reply"
#define UUID_LENGTH 36
#define UNKNOWN_AGE \
    apr_time_from_sec(10) /* of an answer without a row, to be one that is left over */

/* id -> when it was written (apr_time_t *) */
static apr_hash_t *answers_in(apr_pool_t *pool, const char *dir)
{
    apr_hash_t *answers = apr_hash_make(pool);
    apr_finfo_t entry;
    apr_dir_t *folder;

    if (apr_dir_open(&folder, dir, pool) != APR_SUCCESS) {
        return answers;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME | APR_FINFO_MTIME, folder) == APR_SUCCESS) {
        const char *id = apr_pstrmemdup(pool, entry.name, strnlen(entry.name, UUID_LENGTH));

        if (strlen(entry.name) == UUID_LENGTH + strlen(ENDING)
            && strcmp(entry.name + UUID_LENGTH, ENDING) == 0 && iimg_uuid_parse(pool, id)) {
            apr_hash_set(answers, id, APR_HASH_KEY_STRING,
                         apr_pmemdup(pool, &entry.mtime, sizeof(entry.mtime)));
        }
    }
    apr_dir_close(folder);
    return answers;
}

static void remove_answer(apr_pool_t *pool, const char *dir, apr_hash_t *answers, const char *id)
{
    unlink(apr_pstrcat(pool, dir, "/", id, ENDING, NULL));
    apr_hash_set(answers, id, APR_HASH_KEY_STRING, NULL);
}

/* @return false: the database did not answer, and nothing is known */
static bool clear_known(apr_pool_t *pool, server_rec *server, const char *dir, apr_hash_t *answers)
{
    iimg_context_t *context = iimg_context_create(pool, server, "engine");
    apr_array_header_t *ids = apr_array_make(pool, 16, sizeof(const char *)), *news;

    for (apr_hash_index_t *i = apr_hash_first(pool, answers); i; i = apr_hash_next(i)) {
        APR_ARRAY_PUSH(ids, const char *) = apr_hash_this_key(i);
    }
    if (iimg_generation_job_news(context, ids, &news)) {
        return false;
    }
    for (int i = 0; i < news->nelts; i++) {
        const iimg_generation_job_news_t *one = &APR_ARRAY_IDX(news, i, iimg_generation_job_news_t);

        if (one->ended) {
            remove_answer(pool, dir, answers, one->id);
        }
        else {
            apr_hash_set(answers, one->id, APR_HASH_KEY_STRING, NULL);
        }
    }
    return true;
}

void iimg_engine_clear_spool(apr_pool_t *pool, const char *dir, const apr_array_header_t *servers)
{
    apr_hash_t *answers = answers_in(pool, dir);
    apr_time_t now = apr_time_now();

    for (int i = 0; i < servers->nelts && apr_hash_count(answers); i++) {
        if (!clear_known(pool, APR_ARRAY_IDX(servers, i, server_rec *), dir, answers)) {
            return;
        }
    }
    for (apr_hash_index_t *i = apr_hash_first(pool, answers); i; i = apr_hash_next(i)) {
        const apr_time_t *written = apr_hash_this_val(i);

        if (now - *written > UNKNOWN_AGE) {
            remove_answer(pool, dir, answers, apr_hash_this_key(i));
        }
    }
}
