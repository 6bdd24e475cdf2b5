/* generation_price.c - the expected price of a picture. */
#include "services/generation_price.h"

#include <string.h>
#include "services/gemini/model.h"

const char *iimg_generation_price(const iimg_services_t *services, const char *model,
                                  const char *resolution)
{
    const apr_array_header_t *prices = services->generator_settings.prices;
    bool alias;

    if (!services->generator->billed) {
        return "0";
    }
    model = iimg_gemini_model(model, &alias);
    for (int i = 0; prices && i < prices->nelts; i++) {
        const iimg_generator_price_t *price = &APR_ARRAY_IDX(prices, i, iimg_generator_price_t);

        if (strcmp(price->model, model) == 0 && strcmp(price->resolution, resolution) == 0) {
            return price->usd;
        }
    }
    return NULL;
}

const char *iimg_generation_expected_cost(const iimg_services_t *services, const char *model,
                                          const char *resolution)
{
    const char *price = iimg_generation_price(services, model, resolution);

    return price ? price : services->generation_limits.cost;
}
