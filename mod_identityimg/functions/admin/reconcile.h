/* reconcile.h - compare the store, the manifest and the rows. */
#ifndef IIMG_FUNCTIONS_ADMIN_RECONCILE_H
#define IIMG_FUNCTIONS_ADMIN_RECONCILE_H

#include <stdbool.h>
#include "base/context.h"
#include "base/error.h"
#include "services/services.h"

/** Nothing is deleted when more than one object in so many is unknown: the database is probably the
 * wrong one. */
#define IIMG_RECONCILE_MOST 10

/** Age in seconds below which an unknown object is not deleted. */
#define IIMG_RECONCILE_AGE 3600

/** Kinds of differences. */
typedef enum {
    IIMG_UNKNOWN_OBJECT, /* in the store, but not in the manifest */
    IIMG_MISSING_OBJECT, /* live or held in the manifest, but not in the store */
    IIMG_UNBACKED_ROW,   /* a row refers to a picture that the manifest lacks, or lacks parts of */
    IIMG_DIFFERENCES
} iimg_difference_kind_t;

typedef struct iimg_difference_t {
    iimg_difference_kind_t kind;
    const char *what;    /* a key; for rows "<table> <id> <key>" */
    const char *version; /* the store's, or NULL */
    bool removed;        /* it was deleted */
    bool young;          /* younger than min_age */
} iimg_difference_t;

typedef struct iimg_reconciliation_t {
    bool remove; /* delete unknown objects that are old enough, all versions */
    bool force;  /* also when more than IIMG_RECONCILE_MOST are unknown */
    int min_age; /* seconds */
    void (*report)(void *baton, const iimg_difference_t *difference);
    void *baton;
    long listed;                  /* out: versions of objects in the store */
    long shown;                   /* out: objects that the store must have */
    long count[IIMG_DIFFERENCES]; /* out */
    long removed;                 /* out: unknown objects deleted */
} iimg_reconciliation_t;

/**
 * Find differences while the system is in use; concurrent changes are not reported. Uses 32 bytes
 * of memory for each object. An object that cannot be deleted is logged and skipped. Errors:
 * IIMG_UNAVAILABLE; IIMG_CONFLICT (too many are unknown; nothing was deleted).
 */
iimg_error_t *iimg_reconcile(iimg_context_t *context, iimg_reconciliation_t *reconciliation);

#endif
