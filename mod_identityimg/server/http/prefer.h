/* prefer.h - what a client would like (RFC 7240): whether, and how long, it wants to wait. */
#ifndef IIMG_SERVER_HTTP_PREFER_H
#define IIMG_SERVER_HTTP_PREFER_H

#include <stdbool.h>

typedef struct iimg_prefer_t {
    bool respond_async; /* "respond-async" */
    int wait;           /* seconds of "wait=N"; -1: not said */
} iimg_prefer_t;

/** Most seconds that are understood; more count as these. */
#define IIMG_PREFER_MOST 86400

/**
 * Read the header Prefer, several lines of it joined by commas. The first of a preference that
 * comes twice counts; what is not known or not well-formed is passed over (section 2).
 * @param text NULL: there is none
 */
void iimg_prefer_parse(const char *text, iimg_prefer_t *prefer);

#endif
