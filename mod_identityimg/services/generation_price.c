/* generation_price.c - what a picture costs, as far as that is known before it is made. */
#include "services/generation_price.h"

/* No table of a provider's prices is configured so far: whoever is billed alone knows. */
const char *iimg_generation_price(const iimg_services_t *services, const char *model,
                                  const char *resolution)
{
    (void)model;
    (void)resolution;
    return services->generator->billed ? NULL : "0";
}

const char *iimg_generation_expected_cost(const iimg_services_t *services, const char *model,
                                          const char *resolution)
{
    const char *price = iimg_generation_price(services, model, resolution);

    return price ? price : services->generation_limits.cost;
}
