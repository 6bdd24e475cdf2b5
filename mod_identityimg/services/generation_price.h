/* generation_price.h - the expected price of a picture. */
#ifndef IIMG_SERVICES_GENERATION_PRICE_H
#define IIMG_SERVICES_GENERATION_PRICE_H

#include "services/services.h"

/** @return the configured price in dollars, a decimal; NULL: unknown */
const char *iimg_generation_price(const iimg_services_t *services, const char *model,
                                  const char *resolution);

/** @return the amount that a picture counts against a budget until its cost is known */
const char *iimg_generation_expected_cost(const iimg_services_t *services, const char *model,
                                          const char *resolution);

#endif
