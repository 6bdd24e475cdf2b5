/* trace_context.h - the traceparent header (W3C Trace Context, level 1, section 3.2). */
#ifndef IIMG_BASE_TRACE_CONTEXT_H
#define IIMG_BASE_TRACE_CONTEXT_H

#include <stdbool.h>

/** The trace id: hex digits after the version and a dash. */
#define IIMG_TRACE_ID_OFFSET 3
#define IIMG_TRACE_ID_LENGTH 32

/**
 * Whether a header's value is a valid traceparent: "00-<32 hex>-<16 hex>-<2 hex>" in lower case,
 * with both ids not zero. Future versions (01 to fe) may append a dash and more. ff is invalid.
 * @param text NULL is invalid
 */
bool iimg_trace_is_parent(const char *text);

#endif
