/* reconcile.h - compare the store, the manifest and the rows. */
#ifndef IIMG_FUNCTIONS_ADMIN_RECONCILE_H
#define IIMG_FUNCTIONS_ADMIN_RECONCILE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"
#include "services/services.h"

/** Deletes nothing when more than one in so many objects is unknown: then it is probably the wrong
 * database. */
#define IIMG_RECONCILE_MOST 10

/** Seconds that an object should be left alone for: somebody may be about to tell of it. */
#define IIMG_RECONCILE_AGE 3600

/** What can differ. */
typedef enum {
    IIMG_UNKNOWN_OBJECT, /* in the store, but not in the manifest */
    IIMG_MISSING_OBJECT, /* live or held in the manifest, but not in the store */
    IIMG_UNBACKED_ROW,   /* a row shows a picture that the manifest does not have whole */
    IIMG_DIFFERENCES
} iimg_difference_kind_t;

typedef struct iimg_difference_t {
    iimg_difference_kind_t kind;
    const char *what;    /* a key; for rows "<table> <id> <key>" */
    const char *version; /* the store's, or NULL */
    bool removed;        /* it was deleted */
    bool young;          /* too young to be deleted */
} iimg_difference_t;

typedef struct iimg_reconciliation_t {
    bool remove; /* delete unknown objects that are old enough, all versions */
    bool force;  /* also when more than IIMG_RECONCILE_MOST are unknown */
    int min_age; /* seconds from when on they are */
    void (*report)(void *baton, const iimg_difference_t *difference);
    void *baton;
    long listed;                  /* out: versions of objects in the store */
    long shown;                   /* out: objects that must be there */
    long count[IIMG_DIFFERENCES]; /* out */
    long removed;                 /* out: of the unknown */
} iimg_reconciliation_t;

/**
 * Look for differences, while the system is in use: what changes meanwhile is not one. Takes 32
 * bytes of memory for each object. An object that cannot be deleted is logged, and holds up no
 * other. Errors: IIMG_UNAVAILABLE; IIMG_CONFLICT (too many are unknown; nothing was deleted).
 */
iimg_error_t *iimg_reconcile(iimg_context_t *context, iimg_reconciliation_t *reconciliation);

#endif
