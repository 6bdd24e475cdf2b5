/* trace_context.h - the traceparent header (W3C Trace Context, level 1, section 3.2). */
#ifndef IIMG_BASE_TRACE_CONTEXT_H
#define IIMG_BASE_TRACE_CONTEXT_H

#include <stdbool.h>

/** Hex digits of a trace's id, behind the version and a dash. */
#define IIMG_TRACE_ID_OFFSET 3
#define IIMG_TRACE_ID_LENGTH 32

/**
 * Whether a header's value is a traceparent, strictly: "00-<32 hex>-<16 hex>-<2 hex>", lower case,
 * neither id all zero. Of versions to come (01 to fe) the beginning must be that, and what follows
 * it begin with a dash; ff is none.
 * @param text NULL is none
 */
bool iimg_trace_is_parent(const char *text);

#endif
