/* edit.h - edits that turn one block of bytes into another: keep, insert or fill ranges. */
#ifndef IIMG_SERVICES_PICTURES_EDIT_H
#define IIMG_SERVICES_PICTURES_EDIT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    IIMG_EDIT_KEEP,   /* bytes of the original */
    IIMG_EDIT_INSERT, /* bytes of the edit */
    IIMG_EDIT_FILL    /* one byte, repeated */
} iimg_edit_kind_t;

/** One step. The results of all steps, in order, are the new block. */
typedef struct iimg_edit_step_t {
    uint8_t kind;           /* iimg_edit_kind_t */
    uint8_t byte;           /* FILL: the byte that is repeated */
    uint16_t insert_length; /* INSERT: how many of the next inserts */
    uint32_t reserved;      /* 0 */
    uint64_t offset;        /* KEEP: in the original; ascending, disjoint over all steps */
    uint64_t length;        /* KEEP, FILL: bytes, at least one */
} iimg_edit_step_t;

#define IIMG_EDIT_MAX_STEPS  4096 /* pictures that need more are refused */
#define IIMG_EDIT_MAX_INSERT 64   /* bytes of all inserts: a JPEG or a WebP needs up to 40 */
#define IIMG_EDIT_MAX_GROWTH 64   /* bytes that the result may be longer than the original */

typedef struct iimg_edit_t {
    iimg_edit_step_t *steps;
    int count;
    unsigned char inserts[IIMG_EDIT_MAX_INSERT];
    int insert_length; /* of inserts; the steps must use all of them */
} iimg_edit_t;

/**
 * Check an untrusted edit for an original of some length. Kinds are known, unused members are 0,
 * ranges are ascending, disjoint and in bounds, all inserts are used, and the result is
 * IIMG_EDIT_MAX_GROWTH bytes longer than the original at most.
 * @param result_length of iimg_edit_apply; unchanged if the edit is invalid
 */
bool iimg_edit_is_valid(const iimg_edit_t *edit, uint64_t original_length, uint64_t *result_length);

/**
 * Apply an edit that iimg_edit_is_valid accepted for this original.
 * @param out has room for result_length; does not overlap the original
 */
void iimg_edit_apply(const iimg_edit_t *edit, const unsigned char *original, unsigned char *out);

#define IIMG_EDIT_MAX_HEAD 16384

/**
 * Apply a valid edit within the original: the last kept range stays in place, and everything before
 * it is moved directly in front of it.
 * @return the start of the result; NULL, without a change, if the last step is not KEEP, if there
 * is no room, or if more than IIMG_EDIT_MAX_HEAD bytes precede the last range
 */
unsigned char *iimg_edit_apply_within(const iimg_edit_t *edit, uint64_t result_length,
                                      unsigned char *original);

#endif
