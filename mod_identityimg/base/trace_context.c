/* trace_context.c - the traceparent header (W3C Trace Context, level 1, section 3.2). */
#include "base/trace_context.h"

#include <string.h>

#define PARENT_ID_OFFSET 36
#define PARENT_ID_LENGTH 16
#define FLAGS_OFFSET     53
#define LENGTH           55

static bool is_hex(const char *text, size_t length)
{
    return strspn(text, "0123456789abcdef") >= length;
}

static bool is_zero(const char *text, size_t length)
{
    return strspn(text, "0") >= length;
}

static bool is_id(const char *text, size_t length)
{
    return is_hex(text, length) && !is_zero(text, length);
}

bool iimg_trace_is_parent(const char *text)
{
    size_t length = text ? strlen(text) : 0;

    if (length < LENGTH || !is_hex(text, 2) || strncmp(text, "ff", 2) == 0) {
        return false;
    }
    if (length > LENGTH && (strncmp(text, "00", 2) == 0 || text[LENGTH] != '-')) {
        return false;
    }
    return text[2] == '-' && text[PARENT_ID_OFFSET - 1] == '-' && text[FLAGS_OFFSET - 1] == '-'
           && is_id(text + IIMG_TRACE_ID_OFFSET, IIMG_TRACE_ID_LENGTH)
           && is_id(text + PARENT_ID_OFFSET, PARENT_ID_LENGTH) && is_hex(text + FLAGS_OFFSET, 2);
}
