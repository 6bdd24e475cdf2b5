/* settings.c - the numbers, flags and texts that directives set: create, merge, defaults. */
#include "server/config/settings.h"

#include <apr_strings.h>
#include "server/config/gemini.h"
#include "server/config/s3.h"
#include "server/config/value.h"
#include "services/s3/settings.h"

#define AT(field)    offsetof(iimg_config_t, field)
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define ROW(row, field, ...) [IIMG_CONFIG_##row] = { AT(field), __VA_ARGS__ },

const iimg_config_number_t iimg_config_numbers[] = { IIMG_CONFIG_NUMBERS(ROW) };
const iimg_config_flag_t iimg_config_flags[] = { IIMG_CONFIG_FLAGS(ROW) };
const iimg_config_text_t iimg_config_texts[] = { IIMG_CONFIG_TEXTS(ROW) };

int *iimg_config_number_at(iimg_config_t *config, size_t offset)
{
    return (int *)((char *)config + offset);
}

const char **iimg_config_text_at(iimg_config_t *config, size_t offset)
{
    return (const char **)((char *)config + offset);
}

void *iimg_config_create(apr_pool_t *pool, server_rec *server)
{
    iimg_config_t *config = apr_pcalloc(pool, sizeof(*config));

    (void)server;
    for (size_t i = 0; i < COUNT(iimg_config_numbers); i++) {
        *iimg_config_number_at(config, iimg_config_numbers[i].offset) = -1;
    }
    for (size_t i = 0; i < COUNT(iimg_config_flags); i++) {
        *iimg_config_number_at(config, iimg_config_flags[i].offset) = -1;
    }
    return config;
}

static void inherit_number(iimg_config_t *config, iimg_config_t *add, size_t offset)
{
    int value = *iimg_config_number_at(add, offset);

    if (value != -1) {
        *iimg_config_number_at(config, offset) = value;
    }
}

void *iimg_config_merge(apr_pool_t *pool, void *base_, void *add_)
{
    iimg_config_t *base = base_, *add = add_;
    iimg_config_t *merged = apr_pmemdup(pool, base, sizeof(*merged));

    for (size_t i = 0; i < COUNT(iimg_config_numbers); i++) {
        inherit_number(merged, add, iimg_config_numbers[i].offset);
    }
    for (size_t i = 0; i < COUNT(iimg_config_flags); i++) {
        inherit_number(merged, add, iimg_config_flags[i].offset);
    }
    for (size_t i = 0; i < COUNT(iimg_config_texts); i++) {
        const char *value = *iimg_config_text_at(add, iimg_config_texts[i].offset);

        if (value) {
            *iimg_config_text_at(merged, iimg_config_texts[i].offset) = value;
        }
    }
    merged->cors_origins = add->cors_origins ? add->cors_origins : base->cors_origins;
    merged->gemini_models = add->gemini_models ? add->gemini_models : base->gemini_models;
    merged->gemini_prices = add->gemini_prices ? add->gemini_prices : base->gemini_prices;
    merged->enabled = base->enabled || add->enabled;
    return merged;
}

void iimg_config_fill_defaults(iimg_config_t *config)
{
    for (size_t i = 0; i < COUNT(iimg_config_numbers); i++) {
        int *value = iimg_config_number_at(config, iimg_config_numbers[i].offset);

        *value = *value == -1 ? iimg_config_numbers[i].preset : *value;
    }
    for (size_t i = 0; i < COUNT(iimg_config_flags); i++) {
        int *value = iimg_config_number_at(config, iimg_config_flags[i].offset);

        *value = *value == -1 ? iimg_config_flags[i].preset : *value;
    }
    for (size_t i = 0; i < COUNT(iimg_config_texts); i++) {
        const char **value = iimg_config_text_at(config, iimg_config_texts[i].offset);

        *value = *value ? *value : iimg_config_texts[i].preset;
    }
}
