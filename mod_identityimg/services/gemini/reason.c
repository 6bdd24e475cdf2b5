/* reason.c - the finish reasons of a generateContent response and their meaning. */
#include "services/gemini/reason.h"

#include <string.h>

static const char other_images[] = "Try other reference images.";
static const char other_words[] = "Try other words.";
static const char others[] = "Try other words or other reference images.";
static const char again[] = "Try again.";
static const char operator[] = "An operator must check the log.";

/* Values of finishReason and blockReason. The last row is for unknown ones. */
static const iimg_gemini_reason_t reasons[] = {
    { "STOP", IIMG_GEMINI_DONE, "it gave no reason", again },
    { "SAFETY", IIMG_GEMINI_REFUSED, "its safety check objected to the request", others },
    { "IMAGE_SAFETY", IIMG_GEMINI_REFUSED, "its safety check objected to the finished picture",
      others },
    { "PROHIBITED_CONTENT", IIMG_GEMINI_REFUSED, "the request asks for something it forbids",
      others },
    { "IMAGE_PROHIBITED_CONTENT", IIMG_GEMINI_REFUSED,
      "the finished picture showed something it forbids", others },
    { "BLOCKLIST", IIMG_GEMINI_REFUSED, "the text has a word that it forbids", other_words },
    { "SPII", IIMG_GEMINI_REFUSED,
      "it detected sensitive personal data, such as a card or passport number",
      "Remove such data from the texts and the reference images." },
    { "RECITATION", IIMG_GEMINI_REFUSED, "the result would repeat an existing work", other_words },
    { "IMAGE_RECITATION", IIMG_GEMINI_REFUSED, "the picture would repeat an existing work",
      others },
    { "LANGUAGE", IIMG_GEMINI_REFUSED, "it does not know the language of the text",
      "Try English words." },
    { "MODEL_ARMOR", IIMG_GEMINI_REFUSED, "a safety rule set for this server's account objected",
      others },
    { "JAILBREAK", IIMG_GEMINI_REFUSED, "it considers the text an attempt to bypass its rules",
      other_words },
    { "NO_IMAGE", IIMG_GEMINI_NO_PICTURE, "the model generated no picture",
      "Ask for a picture in other words." },
    { "IMAGE_OTHER", IIMG_GEMINI_NO_PICTURE, "an error occurred while the picture was generated",
      again },
    { "OTHER", IIMG_GEMINI_BROKE_OFF, "it gave no known reason", other_images },
    { "MALFORMED_RESPONSE", IIMG_GEMINI_BROKE_OFF, "the model's answer was malformed", again },
    { "MALFORMED_FUNCTION_CALL", IIMG_GEMINI_TOOL_CALL, "the model tried to use a tool", again },
    { "UNEXPECTED_TOOL_CALL", IIMG_GEMINI_TOOL_CALL, "the model tried to use a tool", again },
    { "TOO_MANY_TOOL_CALLS", IIMG_GEMINI_TOOL_CALL, "the model tried to use tools", again },
    { "MAX_TOKENS", IIMG_GEMINI_TOO_LONG, "the picture exceeds the model's output limit",
      "Ask for a lower resolution." },
    {
        "CONTINUATION",
        IIMG_GEMINI_UNFINISHED,
        "the model expects another request, which this server does not send",
        operator},
        { NULL, IIMG_GEMINI_UNKNOWN, "it gave no known reason", other_images },
    };

static const iimg_gemini_rule_t rules[] = {
    /*                           again  deliver  warn   stopped */
    [IIMG_GEMINI_DONE] = { true, true, false, false },
    [IIMG_GEMINI_REFUSED] = { false, false, false, false },
    [IIMG_GEMINI_NO_PICTURE] = { true, false, false, false },
    [IIMG_GEMINI_BROKE_OFF] = { true, true, true, false },
    [IIMG_GEMINI_TOOL_CALL] = { true, true, true, true },
    [IIMG_GEMINI_TOO_LONG] = { false, true, true, true },
    [IIMG_GEMINI_UNFINISHED] = { false, false, false, true },
    /* An unknown reason justifies neither a second, paid attempt nor discarding a picture. */
    [IIMG_GEMINI_UNKNOWN] = { false, true, false, false },
};

const iimg_gemini_rule_t *iimg_gemini_rule(iimg_gemini_verdict_t verdict)
{
    return &rules[verdict];
}

const iimg_gemini_reason_t *iimg_gemini_reason(const char *name)
{
    const iimg_gemini_reason_t *reason = reasons;

    while (reason->name && strcmp(reason->name, name) != 0) {
        reason++;
    }
    return reason;
}
