/* reason.h - the reasons that a generateContent response ends with, and what each means. */
#ifndef IIMG_SERVICES_GEMINI_REASON_H
#define IIMG_SERVICES_GEMINI_REASON_H

#include <stdbool.h>

typedef enum iimg_gemini_verdict_t {
    IIMG_GEMINI_DONE,       /* there should be a picture */
    IIMG_GEMINI_REFUSED,    /* the provider will not; wins even over a picture */
    IIMG_GEMINI_NO_PICTURE, /* no picture, whatever came; a retry may help */
    IIMG_GEMINI_BROKE_OFF,  /* something went wrong; without a picture, a retry may help */
    IIMG_GEMINI_TOOL_CALL,  /* a fault of the model, since no tools are sent; as BROKE_OFF */
    IIMG_GEMINI_TOO_LONG,   /* a limit was reached; a retry would reach it as well */
    IIMG_GEMINI_UNFINISHED, /* the rest is to be asked for, which is not done here */
    IIMG_GEMINI_UNHEARD_OF
} iimg_gemini_verdict_t;

/** How to handle a response of a verdict. */
typedef struct iimg_gemini_rule_t {
    bool again;   /* without a picture, ask a second time */
    bool deliver; /* a picture that came is the result... */
    bool warn;    /* ...if it is complete, and the job says that the provider stopped */
    bool stopped; /* without a picture, the error's code is provider_request, not no_image */
} iimg_gemini_rule_t;

typedef struct iimg_gemini_reason_t {
    const char *name;
    iimg_gemini_verdict_t verdict;
    const char *why;    /* continues "... refused to make this picture: " */
    const char *advice; /* what the user may try */
} iimg_gemini_reason_t;

/** What a finishReason or a blockReason means (the latter always refuses). @return never NULL */
const iimg_gemini_reason_t *iimg_gemini_reason(const char *name);

/** @return never NULL */
const iimg_gemini_rule_t *iimg_gemini_rule(iimg_gemini_verdict_t verdict);

#endif
