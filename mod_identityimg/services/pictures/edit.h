/* edit.h - how to make one piece of bytes out of another: what is kept, put in, blanked. */
#ifndef IIMG_SERVICES_PICTURES_EDIT_H
#define IIMG_SERVICES_PICTURES_EDIT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    IIMG_EDIT_KEEP,   /* bytes of the original */
    IIMG_EDIT_INSERT, /* bytes that the edit brings */
    IIMG_EDIT_FILL    /* one byte, repeated */
} iimg_edit_kind_t;

/** One step; the results of all, in order, are the new piece. */
typedef struct iimg_edit_step_t {
    uint8_t kind;           /* iimg_edit_kind_t */
    uint8_t byte;           /* FILL: the byte that is repeated */
    uint16_t insert_length; /* INSERT: bytes of the edit's inserts, one after the other */
    uint32_t reserved;      /* 0 */
    uint64_t offset;        /* KEEP: in the original; ascending, disjoint over all steps */
    uint64_t length;        /* KEEP, FILL: bytes, at least one */
} iimg_edit_step_t;

#define IIMG_EDIT_MAX_STEPS  4096 /* what needs more is refused */
#define IIMG_EDIT_MAX_INSERT 64   /* bytes together: a JPEG or a WebP needs up to 40 */
#define IIMG_EDIT_MAX_GROWTH 64   /* bytes that the result may be longer than the original */

typedef struct iimg_edit_t {
    iimg_edit_step_t *steps;
    int count;
    unsigned char inserts[IIMG_EDIT_MAX_INSERT];
    int insert_length; /* of inserts; the steps take all of them */
} iimg_edit_t;

/**
 * Tell whether an edit that a stranger wrote may be applied to a piece of some length: kinds are
 * known, members that a kind does not use are 0, ranges ascend, are disjoint and in bounds, inserts
 * add up, and the result is at most IIMG_EDIT_MAX_GROWTH bytes longer than the original.
 * @param result_length of what iimg_edit_apply would write; untouched when the edit is not valid
 */
bool iimg_edit_is_valid(const iimg_edit_t *edit, uint64_t original_length, uint64_t *result_length);

/**
 * Apply an edit that iimg_edit_is_valid accepted for this original.
 * @param out has room for result_length; does not overlap the original
 */
void iimg_edit_apply(const iimg_edit_t *edit, const unsigned char *original, unsigned char *out);

#define IIMG_EDIT_MAX_HEAD 16384

/**
 * Apply such an edit within the original: the last range that is kept stays where it is, and what
 * stands before it is put right in front of it.
 * @return where the result begins; NULL, and nothing has changed, where the last step keeps
 * nothing, or there is no room, or there is more than IIMG_EDIT_MAX_HEAD in front of the last range
 */
unsigned char *iimg_edit_apply_within(const iimg_edit_t *edit, uint64_t result_length,
                                      unsigned char *original);

#endif
