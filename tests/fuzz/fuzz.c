/* fuzz.c - libFuzzer's entry points, and the pool memory of a run. */
#include "fuzz.h"

#include <dlfcn.h>
#include <apr_general.h>
#include "base/text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t length);

static apr_pool_t *forever;

/* Pool memory --------------------------------------------------------------------------------- */

/* A pool hands out pieces of 8 kB blocks, in which an overrun meets no wall. */
static struct {
    void **pieces;
    size_t count, room;
    bool running;
} run;

static void *piece(size_t size)
{
    if (run.count == run.room) {
        run.room = run.room ? 2 * run.room : 1024;
        run.pieces = realloc(run.pieces, run.room * sizeof(*run.pieces));
    }
    return run.pieces[run.count++] = malloc(size);
}

/* Stands in front of APR's own, also for APR's own calls. */
void *apr_palloc(apr_pool_t *pool, apr_size_t size)
{
    static void *(*real)(apr_pool_t *, apr_size_t);

    if (run.running) {
        return piece(size);
    }
    if (!real) {
        real = (void *(*)(apr_pool_t *, apr_size_t))dlsym(RTLD_NEXT, "apr_palloc");
    }
    return real(pool, size);
}

/* Behind the pool's end: until then its cleanups are there to be run. */
static void free_pieces(void)
{
    run.running = false;
    while (run.count > 0) {
        free(run.pieces[--run.count]);
    }
}

/* What targets use ---------------------------------------------------------------------------- */

char *fuzz_text(apr_pool_t *pool, const char *data, size_t length)
{
    return apr_pstrmemdup(pool, data, strnlen(data, length));
}

void fuzz_claim_refusal(const iimg_error_t *err)
{
    if (!err) {
        return;
    }
    fuzz_claim(err->kind == IIMG_INVALID || err->kind == IIMG_UNSUPPORTED_TYPE
                   || err->kind == IIMG_TOO_LARGE,
               "an input is refused as the client's fault (kind %d)", (int)err->kind);
    fuzz_claim(err->message && *err->message, "a refusal has a sentence");
    fuzz_claim(err->kind == IIMG_UNSUPPORTED_TYPE
                   || iimg_text_is_utf8(err->message, strlen(err->message)),
               "a sentence is UTF-8");
}

/* libFuzzer ----------------------------------------------------------------------------------- */

/* What must end the process: "overrun" reads a byte behind what APR's own code took from a pool,
 * "leak" loses memory. */
static void canary(const char *what)
{
    volatile char *text, seen;

    run.running = true;
    text = strcmp(what, "leak") == 0 ? malloc(100) : apr_pstrdup(forever, "x");
    seen = text[2];
    (void)seen;
    text = NULL;
    free_pieces();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    apr_initialize();
    apr_pool_create(&forever, NULL);
    fuzz_start(forever);
    /* Ours goes before what fuzz_start's libraries do at the end: else they call it leaks. */
    atexit(apr_terminate);
    if (getenv("FUZZ_CANARY")) {
        canary(getenv("FUZZ_CANARY"));
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t length)
{
    char *copy = malloc(length);
    apr_pool_t *pool;

    memcpy(copy, data, length);
    apr_pool_create(&pool, forever);
    run.running = true;
    fuzz_one(pool, copy, length);
    apr_pool_destroy(pool);
    free_pieces();
    free(copy);
    return 0;
}
