/* fault.h - named points at which a test build stops the process or fails a step. */
#ifndef IIMG_BASE_FAULT_H
#define IIMG_BASE_FAULT_H

/**
 * Pass a point. In the product this is the constant 0 and leaves no trace; `make FAULTS=1` builds
 * the variant that looks at the file $IIMG_FAULT_FILE, which holds one line or none:
 *
 *     POINT N exit        the process ends at the N-th pass from now on, of all processes together
 *     POINT N ERRNO       that step fails with this number, once
 *     POINT always ERRNO  ... each time
 *     POINT N wait        the step waits until the file's line is another one
 *     all 0 trace         each pass is noted
 *
 * What happened is appended to $IIMG_FAULT_FILE.fired. The points are a table in fault.c;
 * structure.t sees to it that it is complete.
 * @return 0, or the errno with which the step is to fail
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
