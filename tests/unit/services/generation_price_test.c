/* generation_price_test.c - what a picture costs, and what it counts before that is known. */
#include "services/generation_price.h"
#include "services/gemini/gemini.h"
#include "services/generators.h"
#include "tap.h"
#include "work.h"

static const struct {
    const char *model, *resolution, *price, *sentence;
} rows[] = {
    { "gemini-3-pro-image", "1K", "0.134", "a model's price" },
    { "gemini-3-pro-image", "2K", "0.2", "its price at another resolution" },
    { "gemini-3-pro-image", "4K", NULL, "a resolution without a price" },
    { "gemini-3.1-flash-image", "1K", "0.07", "another model's price" },
    { "gemini-3.1-flash-image", "2K", NULL, "a resolution that has only another model's price" },
    { "gemini-3-pro-image-preview", "2K", "0.2", "a retired name: the price of its successor" },
    { "gemini-2.5-flash-image", "1K", NULL,
      "a deprecated model that still answers: not its successor's" },
    { "gemini-3-pro", "1K", NULL, "the beginning of a name" },
};

int main(void)
{
    iimg_context_t *context = work_begin();
    apr_array_header_t *prices = apr_array_make(context->pool, 4, sizeof(iimg_generator_price_t));
    iimg_services_t services = { .generator = &iimg_generator_gemini,
                                 .generation_limits = { .cost = "0.3" } };

    tap_is(iimg_generation_price(&services, "gemini-3-pro-image", "1K"), NULL,
           "without prices none is known");
    APR_ARRAY_PUSH(prices, iimg_generator_price_t) = (iimg_generator_price_t){ "gemini-3-pro-image",
                                                                               "1K", "0.134" };
    APR_ARRAY_PUSH(prices, iimg_generator_price_t) = (iimg_generator_price_t){ "gemini-3-pro-image",
                                                                               "2K", "0.2" };
    APR_ARRAY_PUSH(prices,
                   iimg_generator_price_t) = (iimg_generator_price_t){ "gemini-3.1-flash-image",
                                                                       "1K", "0.07" };
    services.generator_settings.prices = prices;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_is(iimg_generation_price(&services, rows[i].model, rows[i].resolution), rows[i].price,
               "%s", rows[i].sentence);
        tap_is(iimg_generation_expected_cost(&services, rows[i].model, rows[i].resolution),
               rows[i].price ? rows[i].price : "0.3",
               "the expected cost is the price, or the configured one");
    }
    services.generator = &iimg_generator_preview;
    tap_is(iimg_generation_price(&services, "gemini-3-pro-image", "1K"), "0",
           "a preview costs nothing");
    tap_is(iimg_generation_expected_cost(&services, "gemini-3-pro-image", "1K"), "0",
           "a preview counts as free");
    work_end(context);
    return tap_done();
}
