/* generation_job.c - a generation as JSON. */
#include <apr_strings.h>
#include "base/text.h"
#include "base/timestamp.h"
#include "serializers/serializers.h"

static void serialize_texts(iimg_json_t *out, const char *name, const apr_array_header_t *texts)
{
    iimg_json_key(out, name);
    iimg_json_array_open(out);
    for (int i = 0; i < texts->nelts; i++) {
        iimg_json_string(out, APR_ARRAY_IDX(texts, i, const char *));
    }
    iimg_json_array_close(out);
}

static void serialize_raw(iimg_json_t *out, const char *name, const char *json)
{
    iimg_json_key(out, name);
    iimg_json_raw(out, json);
}

static void serialize_time(iimg_json_t *out, const char *name, const char *text)
{
    iimg_json_member(out, name, iimg_timestamp_format(out->pool, text));
}

/* "creative-visionary-20261122.jpg" */
static const char *download_name(apr_pool_t *pool, const iimg_generation_job_t *job)
{
    const char *t = job->created_at;
    /* The extension of a file name is cut off; an identity's name may have dots. */
    const char *name = job->identity_name ? apr_pstrcat(pool, job->identity_name, ".x", NULL)
                                          : "identity.x";

    return apr_psprintf(pool, "%s-%.4s%.2s%.2s.%s", iimg_text_safe_name(pool, name), t, t + 5,
                        t + 8, iimg_key_extension(job->image));
}

static void serialize_urls(iimg_json_t *out, iimg_media_signer_t *signer,
                           const iimg_generation_job_t *job)
{
    const char *shown = NULL, *download = NULL;

    if (job->image) {
        shown = iimg_media_url(signer, job->image, NULL);
        download = iimg_media_url(signer, job->image, download_name(out->pool, job));
    }
    iimg_json_member(out, "image_url", shown);
    iimg_json_member(out, "download_url", download);
}

static void serialize_error(iimg_json_t *out, const iimg_generation_job_t *job)
{
    const char *billed = job->error_billed;

    iimg_json_key(out, "error");
    if (!job->error_code) {
        iimg_json_null(out);
        return;
    }
    iimg_json_object_open(out);
    iimg_json_member(out, "code", job->error_code);
    iimg_json_member(out, "detail", job->error_detail);
    serialize_raw(out, "billed", billed ? (*billed == 't' ? "true" : "false") : NULL);
    iimg_json_object_close(out);
}

void iimg_generation_job_serialize(iimg_json_t *out, iimg_media_signer_t *signer,
                                   const iimg_generation_job_t *job)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "id", job->id);
    iimg_json_member(out, "state", job->state);
    serialize_raw(out, "queue_position", job->queue_position);
    iimg_json_member(out, "identity", job->identity_id);
    iimg_json_member(out, "user", job->user_id);
    iimg_json_member(out, "requested_by", job->requested_by);
    iimg_json_member(out, "prompt_id", job->prompt_id);
    serialize_raw(out, "prompt_version", job->prompt_version);
    iimg_json_member(out, "prompt_used", job->prompt_used);
    iimg_json_member(out, "additional_prompt", job->additional_prompt);
    iimg_json_member(out, "model", job->model);
    iimg_json_member(out, "requested_model", job->requested_model);
    iimg_json_member(out, "aspect_ratio", job->aspect_ratio);
    iimg_json_member(out, "resolution", job->resolution);
    serialize_raw(out, "width", job->width);
    serialize_raw(out, "height", job->height);
    iimg_json_member(out, "media_type", job->media_type);
    serialize_texts(out, "reference_image_ids", job->reference_image_ids);
    serialize_urls(out, signer, job);
    serialize_texts(out, "warnings", job->warnings);
    serialize_error(out, job);
    serialize_raw(out, "usage", job->usage);
    serialize_raw(out, "cost", job->cost);
    iimg_json_key(out, "attempts");
    iimg_json_integer(out, job->attempts);
    serialize_time(out, "created_at", job->created_at);
    serialize_time(out, "started_at", job->started_at);
    serialize_time(out, "finished_at", job->finished_at);
    iimg_json_key(out, "cancel_requested");
    iimg_json_bool(out, job->cancel_requested);
    iimg_json_member(out, "identity_name", job->identity_name);
    iimg_json_object_close(out);
}
