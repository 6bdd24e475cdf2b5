/* token.c - sessions and bearer tokens as JSON. */
#include "serializers/serializers.h"

#include "base/timestamp.h"

void iimg_token_serialize(iimg_json_t *out, const iimg_token_t *token)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "id", token->id);
    iimg_json_member(out, "kind", token->kind);
    iimg_json_member(out, "created_at", iimg_timestamp_format(out->pool, token->created_at));
    iimg_json_member(out, "last_used_at", iimg_timestamp_format(out->pool, token->last_used_at));
    iimg_json_member(out, "expires_at", iimg_timestamp_format(out->pool, token->expires_at));
    iimg_json_key(out, "is_current");
    iimg_json_bool(out, token->is_current);
    iimg_json_object_close(out);
}

void iimg_bearer_serialize(iimg_json_t *out, const iimg_new_session_t *session)
{
    iimg_json_object_open(out);
    iimg_user_members(out, &session->user);
    iimg_json_member(out, "token", session->token);
    iimg_json_member(out, "expires_at", iimg_timestamp_format(out->pool, session->expires_at));
    iimg_json_object_close(out);
}
