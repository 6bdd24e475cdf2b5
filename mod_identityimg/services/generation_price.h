/* generation_price.h - what a picture costs, as far as that is known before it is made. */
#ifndef IIMG_SERVICES_GENERATION_PRICE_H
#define IIMG_SERVICES_GENERATION_PRICE_H

#include "services/services.h"

/** What a picture costs, in dollars. @return a decimal; NULL: unknown */
const char *iimg_generation_price(const iimg_services_t *services, const char *model,
                                  const char *resolution);

/** What a picture counts against a budget before its cost is known. @return a decimal */
const char *iimg_generation_expected_cost(const iimg_services_t *services, const char *model,
                                          const char *resolution);

#endif
