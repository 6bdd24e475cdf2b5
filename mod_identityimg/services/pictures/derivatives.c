/* derivatives.c - the table of derivatives: the smaller sizes that are made of each picture. */
#include "services/pictures/derivatives.h"

#define SPEC(name, member, side)    [name] = { member, side, "-thumbnail-" #side "x" #side "." },
#define ASCENDS(name, member, side) < (side) && (side)

const iimg_derivative_spec_t iimg_derivatives[IIMG_DERIVATIVES] = { IIMG_EACH_DERIVATIVE(SPEC) };

_Static_assert(0 IIMG_EACH_DERIVATIVE(ASCENDS), "the rows of the table are in ascending order");
