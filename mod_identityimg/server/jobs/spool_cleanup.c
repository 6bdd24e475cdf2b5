/* spool_cleanup.c - removes replies of the provider that no job needs any more. */
#include "server/jobs/spool_cleanup.h"

#include <string.h>
#include <unistd.h>
#include <apr_file_info.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include "base/uuid.h"
#include "models/generation_job.h"
#include "server/http/request.h"

#define SUFFIX      ".reply"
#define UUID_LENGTH 36
#define ORPHAN_AGE  apr_time_from_sec(10) /* before a reply without a row is removed */

/* @return job id -> when its reply was written (apr_time_t *) */
static apr_hash_t *list_replies(apr_pool_t *pool, const char *dir)
{
    apr_hash_t *replies = apr_hash_make(pool);
    apr_finfo_t entry;
    apr_dir_t *folder;

    if (apr_dir_open(&folder, dir, pool) != APR_SUCCESS) {
        return replies;
    }
    while (apr_dir_read(&entry, APR_FINFO_NAME | APR_FINFO_MTIME, folder) == APR_SUCCESS) {
        const char *id = apr_pstrmemdup(pool, entry.name, strnlen(entry.name, UUID_LENGTH));

        if (strlen(entry.name) == UUID_LENGTH + strlen(SUFFIX)
            && strcmp(entry.name + UUID_LENGTH, SUFFIX) == 0 && iimg_uuid_parse(pool, id)) {
            apr_hash_set(replies, id, APR_HASH_KEY_STRING,
                         apr_pmemdup(pool, &entry.mtime, sizeof(entry.mtime)));
        }
    }
    apr_dir_close(folder);
    return replies;
}

static void remove_reply(apr_pool_t *pool, const char *dir, apr_hash_t *replies, const char *id)
{
    unlink(apr_pstrcat(pool, dir, "/", id, SUFFIX, NULL));
    apr_hash_set(replies, id, APR_HASH_KEY_STRING, NULL);
}

/* Leaves in `replies` those whose jobs this database does not know.
 * @return false: the database did not answer */
static bool remove_ended(apr_pool_t *pool, server_rec *server, const char *dir, apr_hash_t *replies)
{
    iimg_context_t *context = iimg_context_create(pool, server, "engine");
    apr_array_header_t *ids = apr_array_make(pool, 16, sizeof(const char *)), *jobs;

    for (apr_hash_index_t *i = apr_hash_first(pool, replies); i; i = apr_hash_next(i)) {
        APR_ARRAY_PUSH(ids, const char *) = apr_hash_this_key(i);
    }
    if (iimg_generation_job_news(context, ids, &jobs)) {
        return false;
    }
    for (int i = 0; i < jobs->nelts; i++) {
        const iimg_generation_job_news_t *job = &APR_ARRAY_IDX(jobs, i, iimg_generation_job_news_t);

        if (job->ended) {
            remove_reply(pool, dir, replies, job->id);
        }
        else {
            apr_hash_set(replies, job->id, APR_HASH_KEY_STRING, NULL);
        }
    }
    return true;
}

void iimg_spool_cleanup(apr_pool_t *pool, const char *dir, const apr_array_header_t *servers)
{
    apr_hash_t *replies = list_replies(pool, dir);
    apr_time_t now = apr_time_now();

    for (int i = 0; i < servers->nelts && apr_hash_count(replies); i++) {
        if (!remove_ended(pool, APR_ARRAY_IDX(servers, i, server_rec *), dir, replies)) {
            return;
        }
    }
    for (apr_hash_index_t *i = apr_hash_first(pool, replies); i; i = apr_hash_next(i)) {
        const apr_time_t *written = apr_hash_this_val(i);

        if (now - *written > ORPHAN_AGE) {
            remove_reply(pool, dir, replies, apr_hash_this_key(i));
        }
    }
}
