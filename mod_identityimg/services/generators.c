/* generators.c - the list of generators, by the names of IdentityImgGenerator. */
#include "services/generators.h"

#include <string.h>
#include "services/gemini/gemini.h"

static const iimg_generator_t *const generators[] = {
    &iimg_generator_preview,
    &iimg_generator_gemini,
};

const iimg_generator_t *iimg_generator_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(generators) / sizeof(generators[0]); i++) {
        if (strcmp(generators[i]->name, name) == 0) {
            return generators[i];
        }
    }
    return NULL;
}
