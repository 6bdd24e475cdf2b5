/* job.c - process a request in its own process: map the picture, do the work, send one answer.
 *
 * zygote.c calls iimg_job_prepare once, before it forks, and iimg_job_run in each process, behind
 * the sandbox: no file can be opened and no memory made executable. A picture may compromise this
 * process, so nothing here checks for the sake of security; services/pictures/worker_client.c and
 * image.c check the answer. Nothing is freed: the process exits with its answer.
 */
#include "worker/job.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/file.h"
#include "worker/picture.h"

/* GLib's default writer makes a system call about stderr, which the sandbox forbids. */
static GLogWriterOutput discard_log(GLogLevelFlags level, const GLogField *fields, gsize count,
                                    gpointer data)
{
    (void)level, (void)fields, (void)count, (void)data;
    return G_LOG_WRITER_HANDLED;
}

const char *iimg_job_prepare(void)
{
    /* One arena, and large blocks unmapped at once: the limit of the address space must count what
     * is in use. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_ARENA_MAX, 1);
    g_log_set_writer_func(discard_log, NULL, NULL);
    if (iimg_picture_start() != 0) {
        return "cannot initialize libvips";
    }
    /* This loader is a module. Without it, the worker would report good pictures as damaged. */
    return vips_type_find("VipsOperation", "heifload_buffer")
               ? NULL
               : "libvips cannot load its module for HEIC and AVIF";
}

/* Whether the mapped file cannot change: it is sealed, or it is open for reading only, and httpd
 * guarantees that no process writes to it. */
static bool is_immutable(int picture)
{
    int flags = fcntl(picture, F_GETFL);

    return iimg_file_is_sealed(picture) || (flags >= 0 && (flags & O_ACCMODE) == O_RDONLY);
}

static bool map_picture(iimg_work_t *work, int picture)
{
    const iimg_work_request_t *request = work->request;
    struct stat info;
    unsigned char *start;

    if (!is_immutable(picture) || fstat(picture, &info) != 0
        || request->offset > (uint64_t)info.st_size
        || request->length > (uint64_t)info.st_size - request->offset) {
        return false;
    }
    start = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, picture, 0);
    if (start == MAP_FAILED) {
        return false;
    }
    work->data = start + request->offset;
    work->length = request->length;
    return true;
}

/* A failed request has a head without pieces. */
static bool send_answer(iimg_work_t *work, int file)
{
    iimg_work_answer_t *answer = &work->answer;
    bool done = answer->status == IIMG_WORK_DONE;

    if (!done || work->request->kind != IIMG_WORK_DERIVE) {
        answer->step_count = answer->insert_length = 0;
    }
    answer->piece_count = done ? answer->piece_count : 0;
    for (uint32_t i = 0; i < answer->piece_count; i++) {
        answer->lengths[i] = work->pieces[i].length;
    }
    if (iimg_file_write_all(file, answer, sizeof(*answer))
        || iimg_file_write_all(file, work->steps, answer->step_count * sizeof(*work->steps))) {
        return false;
    }
    for (uint32_t i = 0; i < answer->piece_count; i++) {
        if (iimg_file_write_all(file, work->pieces[i].data, work->pieces[i].length)) {
            return false;
        }
    }
    return close(file) == 0;
}

bool iimg_job_run(const iimg_work_request_t *request, int picture, int answer)
{
    iimg_work_t work = { .request = request };

    work.answer.protocol = IIMG_WORK_PROTOCOL;
    work.answer.status = IIMG_WORK_FAILED;
    if (!map_picture(&work, picture)) {
        strcpy(work.answer.said, "the picture's file is not sealed, or is too short");
    }
    else if (request->kind == IIMG_WORK_POSTER) {
        iimg_poster_work(&work);
    }
    else {
        iimg_picture_work(&work);
    }
    return send_answer(&work, answer);
}
