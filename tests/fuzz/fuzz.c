/* fuzz.c - libFuzzer's entry points, and pools with exact allocations. */
#include "fuzz.h"

#include <dlfcn.h>
#include <apr_general.h>
#include "base/text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t length);

static apr_pool_t *forever;

/* Pool memory --------------------------------------------------------------------------------- */

/* Pools allocate from blocks of 8 kB, in which the sanitizer cannot detect an overrun. */
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

/* Replaces APR's function, also for calls within APR. */
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

/* Free memory after the pool's end, since cleanups still use it. */
static void free_pieces(void)
{
    run.running = false;
    while (run.count > 0) {
        free(run.pieces[--run.count]);
    }
}

/* Helpers of targets -------------------------------------------------------------------------- */

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
               "an input is refused with a 4xx kind (kind %d)", (int)err->kind);
    fuzz_claim(err->message && *err->message, "a refusal has a message");
    fuzz_claim(err->kind == IIMG_UNSUPPORTED_TYPE
                   || iimg_text_is_utf8(err->message, strlen(err->message)),
               "a message is UTF-8");
}

/* libFuzzer ----------------------------------------------------------------------------------- */

/* Errors that must end the process: "overrun" reads a byte after an allocation of APR, "leak" leaks
 * memory. */
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
    /* Must run before the exit handlers of fuzz_start's libraries, which would report leaks. */
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
