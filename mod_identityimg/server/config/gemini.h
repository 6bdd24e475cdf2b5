/* gemini.h - the settings of generators: checks, commands, and the generator's settings. */
#ifndef IIMG_SERVER_CONFIG_GEMINI_H
#define IIMG_SERVER_CONFIG_GEMINI_H

#include "server/config/config.h"

/** Checks of single values. @return NULL, or what the value must be */
const char *iimg_config_check_generator(apr_pool_t *pool, const char *value);
const char *iimg_config_check_version(apr_pool_t *pool, const char *value);
const char *iimg_config_check_gemini_store(apr_pool_t *pool, const char *value);
const char *iimg_config_check_model(apr_pool_t *pool, const char *value);
const char *iimg_config_check_aspect_ratio(apr_pool_t *pool, const char *value);
const char *iimg_config_check_resolution(apr_pool_t *pool, const char *value);
const char *iimg_config_check_dollars(apr_pool_t *pool, const char *value);

/** Commands: IdentityImgGeminiModels NAME ..., IdentityImgGeminiPrice MODEL RESOLUTION USD */
const char *iimg_config_add_model(cmd_parms *cmd, void *unused, const char *name);
const char *iimg_config_add_price(cmd_parms *cmd, void *unused, const char *model,
                                  const char *resolution, const char *usd);

/**
 * Build the generator's settings, once defaults are filled in.
 * @return NULL, or a message as of iimg_config_finish
 */
const char *iimg_config_gemini_finish(apr_pool_t *pool, apr_pool_t *temporary,
                                      iimg_config_t *config);

/** Warnings that do not prevent a start. @return const char * */
apr_array_header_t *iimg_config_gemini_warnings(apr_pool_t *pool, const iimg_config_t *config);

#endif
