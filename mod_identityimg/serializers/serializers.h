/* serializers.h - write rows as JSON. */
#ifndef IIMG_SERIALIZERS_SERIALIZERS_H
#define IIMG_SERIALIZERS_SERIALIZERS_H

#include "base/json/json.h"
#include "functions/admin/admin.h"
#include "services/media_url.h"

/** Write one object each, members in the contract's order. */
void iimg_reference_image_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                                    const iimg_reference_image_t *image);
void iimg_identity_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                             const iimg_identity_t *identity);
void iimg_user_serialize(iimg_json_t *out, const iimg_user_t *user);
void iimg_token_serialize(iimg_json_t *out, const iimg_token_t *token);
void iimg_bearer_serialize(iimg_json_t *out, const iimg_new_session_t *session);
void iimg_account_serialize(iimg_json_t *out, const iimg_account_t *account);
void iimg_scenario_serialize(iimg_json_t *out, const iimg_scenario_t *scenario);
void iimg_available_user_serialize(iimg_json_t *out, const iimg_available_user_t *user);
void iimg_generation_job_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                                   const iimg_generation_job_t *job);

void iimg_prompt_serialize(iimg_json_t *out, const iimg_prompt_t *prompt);
void iimg_preview_serialize(iimg_json_t *out, const iimg_preview_t *preview);

/** Write a user's members into an object that is open. */
void iimg_user_members(iimg_json_t *out, const iimg_user_t *user);

/** Write an array of values with their labels. @param values NULL at the end */
void iimg_enum_serialize(iimg_json_t *out, const char *const *values);

/** Write an array of values with their labels, and which one is the default. */
void iimg_choices_serialize(iimg_json_t *out, const char *const *values, const char *preferred);

/** Write the models with their choices, prices and usual times. @param options
 * iimg_model_option_t */
void iimg_model_options_serialize(iimg_json_t *out, const apr_array_header_t *options,
                                  const iimg_services_t *services);

/** Write resolutions with price and usual time. @param options iimg_resolution_option_t */
void iimg_resolution_options_serialize(iimg_json_t *out, const apr_array_header_t *options,
                                       const char *preferred);

/** Write a picture: null, or the URLs of original and derivatives. */
void iimg_picture_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                            const iimg_picture_t *picture);

#endif
