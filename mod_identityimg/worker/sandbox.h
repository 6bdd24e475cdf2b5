/* sandbox.h - locks the process of one picture in: it may compute, and write to what it has open. */
#ifndef IIMG_WORKER_SANDBOX_H
#define IIMG_WORKER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

typedef struct iimg_sandbox_t {
    bool fonts;                 /* may open fonts and their caches for reading */
    uint64_t address_space;     /* bytes */
    unsigned seconds;           /* of CPU */
} iimg_sandbox_t;

/**
 * Lock this process in, for good: limits, no new privileges, no core, Landlock where the kernel has
 * it, system calls. It must have one thread.
 * @return 0, or the number of the step that failed (from 1): then it must not go on
 */
int iimg_sandbox_enter(const iimg_sandbox_t *sandbox);

#endif
