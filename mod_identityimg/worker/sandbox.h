/* sandbox.h - confine the process of a picture. */
#ifndef IIMG_WORKER_SANDBOX_H
#define IIMG_WORKER_SANDBOX_H

#include <stdint.h>

typedef struct iimg_sandbox_t {
    int first_font, last_font; /* descriptors that openat of /proc/self/fd/N copies; none if the
                                  last one is less than the first */
    uint64_t address_space;    /* bytes */
    unsigned seconds;          /* of CPU */
} iimg_sandbox_t;

/**
 * Confine this process until it exits: limits, no new privileges, no core dump, Landlock if the
 * kernel has it, a filter of system calls. The process must have one thread.
 * @return 0, or the number of the failed step from 1: the process must exit
 */
int iimg_sandbox_enter(const iimg_sandbox_t *sandbox);

#endif
