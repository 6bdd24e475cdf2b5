/* reason.h - the finish reasons of a generateContent response and their meaning. */
#ifndef IIMG_SERVICES_GEMINI_REASON_H
#define IIMG_SERVICES_GEMINI_REASON_H

#include <stdbool.h>

typedef enum iimg_gemini_verdict_t {
    IIMG_GEMINI_DONE,       /* the model finished; a picture is expected */
    IIMG_GEMINI_REFUSED,    /* by a policy; even a picture that came is not delivered */
    IIMG_GEMINI_NO_PICTURE, /* no picture is delivered; a retry may help */
    IIMG_GEMINI_BROKE_OFF,  /* an internal error; without a picture, a retry may help */
    IIMG_GEMINI_TOOL_CALL,  /* the model called a tool, although it has none; as BROKE_OFF */
    IIMG_GEMINI_TOO_LONG,   /* a limit was reached; a retry would reach it, too */
    IIMG_GEMINI_UNFINISHED, /* the model wants another request for the rest; not supported */
    IIMG_GEMINI_UNKNOWN     /* a reason that is not in the table */
} iimg_gemini_verdict_t;

/** How to handle a response with a verdict. */
typedef struct iimg_gemini_rule_t {
    bool again;   /* without a picture, retry */
    bool deliver; /* deliver a picture that came */
    bool warn;    /* only if it is complete, and with a warning */
    bool stopped; /* without a picture, the error's code is provider_request, not no_image */
} iimg_gemini_rule_t;

typedef struct iimg_gemini_reason_t {
    const char *name;
    iimg_gemini_verdict_t verdict;
    const char *why;    /* the end of "... refused to make this picture: " */
    const char *advice; /* for the user */
} iimg_gemini_reason_t;

/** Look up a finishReason or a blockReason; the latter always refuses. @return never NULL */
const iimg_gemini_reason_t *iimg_gemini_reason(const char *name);

/** @return never NULL */
const iimg_gemini_rule_t *iimg_gemini_rule(iimg_gemini_verdict_t verdict);

#endif
