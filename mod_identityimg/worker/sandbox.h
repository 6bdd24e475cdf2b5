/* sandbox.h - locks a picture's process in: it may compute, and write to what it has open. */
#ifndef IIMG_WORKER_SANDBOX_H
#define IIMG_WORKER_SANDBOX_H

#include <stdint.h>

typedef struct iimg_sandbox_t {
    int first_font, last_font; /* descriptors that may be opened again for reading, by the path
                                  /proc/self/fd/N; none if the last one is below the first */
    uint64_t address_space;    /* bytes */
    unsigned seconds;          /* of CPU */
} iimg_sandbox_t;

/**
 * Lock this process in, for good: limits, no new privileges, no core, Landlock where the kernel has
 * it, system calls. It must have one thread.
 * @return 0, or the number of the step that failed (from 1): then it must not go on
 */
int iimg_sandbox_enter(const iimg_sandbox_t *sandbox);

#endif
