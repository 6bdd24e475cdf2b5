/* derivatives.h - the table of derivatives: the smaller sizes that are made of each picture. */
#ifndef IIMG_SERVICES_PICTURES_DERIVATIVES_H
#define IIMG_SERVICES_PICTURES_DERIVATIVES_H

/*
 * One row a derivative: enumerator, member of the API's picture object, longest side in pixels.
 * Rows are in the API's order, the smallest first: the worker makes each from the next larger one.
 *
 * To add a size, such as 1200:
 *
 *  1. Add a row here. Keys, JSON, the worker, uploads and identityimgctl follow.
 *  2. services/pictures/protocol.h does not compile until IIMG_WORK_MAX_DERIVATIVE holds the
 *     largest size as raw pixels, and IIMG_WORK_PROTOCOL is raised.
 *  3. openapi.json, "Picture": add the member, also to `required` and the examples, and change the
 *     number of sizes. Run `make docs`. tests/t/derivatives.t fails until it matches this table.
 *  4. Raise IIMG_MEDIA_KEPT (services/media_url.h) if the URLs of one picture no longer fit.
 *  5. Tests that list the sizes fail: git grep -nE "100, *300, *600|thumbnail medium large" tests
 *  6. Stored pictures lack the new object: its URL answers 404, and reconcile reports each picture.
 *     Before the release, make these objects with their rows in stored_objects.
 *
 * To change a side, change it here and in step 3. Step 6 applies, too: keys contain the side.
 */
#define IIMG_EACH_DERIVATIVE(ROW) \
    ROW(IIMG_THUMBNAIL, "thumbnail", 100) \
    ROW(IIMG_MEDIUM, "medium", 300) \
    ROW(IIMG_LARGE, "large", 600)

typedef enum {
#define IIMG_DERIVATIVE_NAME(name, member, side) name,
    IIMG_EACH_DERIVATIVE(IIMG_DERIVATIVE_NAME)
#undef IIMG_DERIVATIVE_NAME
    IIMG_DERIVATIVES, /* the number of rows */
    IIMG_LARGEST_DERIVATIVE = IIMG_DERIVATIVES - 1,
    IIMG_PICTURE_OBJECTS = 1 + IIMG_DERIVATIVES /* with the original */
} iimg_derivative_name_t;

typedef struct iimg_derivative_spec_t {
    const char *member; /* of the API's picture object: "thumbnail" */
    int side;           /* pixels: the derivative fits into side x side */
    const char *suffix; /* in its key, between name and extension */
} iimg_derivative_spec_t;

extern const iimg_derivative_spec_t iimg_derivatives[IIMG_DERIVATIVES];

#endif
