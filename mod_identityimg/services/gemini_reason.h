/* gemini_reason.h - the reasons that a generateContent response ends with, and what each means. */
#ifndef IIMG_GEMINI_REASON_H
#define IIMG_GEMINI_REASON_H

typedef enum iimg_gemini_verdict_t {
    IIMG_GEMINI_DONE,           /* there should be a picture */
    IIMG_GEMINI_REFUSED,        /* the provider will not; wins even over a picture */
    IIMG_GEMINI_NOTHING_CAME,   /* another try may do better */
    IIMG_GEMINI_MISCONFIGURED,  /* the way we ask is wrong */
    IIMG_GEMINI_UNHEARD_OF
} iimg_gemini_verdict_t;

typedef struct iimg_gemini_reason_t {
    const char *name;
    iimg_gemini_verdict_t verdict;
    const char *why;            /* continues "... refused to make this picture: " */
    const char *advice;         /* what the user may try */
} iimg_gemini_reason_t;

/** What a finishReason or a blockReason means (the latter always refuses). @return never NULL */
const iimg_gemini_reason_t *iimg_gemini_reason(const char *name);

#endif
