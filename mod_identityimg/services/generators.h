/* generators.h - the list of generators. A new one needs a file and a line in generators[]. */
#ifndef IIMG_SERVICES_GENERATORS_H
#define IIMG_SERVICES_GENERATORS_H

#include "services/generator/generator.h"

extern const iimg_generator_t iimg_generator_preview;

/** @return the generator of that name, or NULL */
const iimg_generator_t *iimg_generator_by_name(const char *name);

#endif
