/* fault.h - named points at which a test build stops the process or fails a step. */
#ifndef IIMG_BASE_FAULT_H
#define IIMG_BASE_FAULT_H

/**
 * Pass a point. In release builds this is the constant 0. `make FAULTS=1` builds a variant that
 * reads an order from the file $IIMG_FAULT_FILE, which has one line or none:
 *
 *     POINT N exit        exit at the N-th pass, counted over all processes
 *     POINT N ERRNO       fail the N-th pass with this errno, once
 *     POINT always ERRNO  fail every pass
 *     POINT N wait        wait at the N-th pass until the line of the file changes
 *     all 0 trace         record each pass
 *
 * Each action is appended to $IIMG_FAULT_FILE.fired. fault.c has a table of all points, which
 * structure.t checks.
 * @return 0, or the errno with which the step must fail
 */
#ifdef IIMG_FAULTS
int iimg_fault(const char *point);
#define IIMG_FAULT(point) iimg_fault(point)

/** The names of all points; NULL at the end. */
extern const char *const iimg_fault_points[];
#else
#define IIMG_FAULT(point) 0
#endif

#endif
