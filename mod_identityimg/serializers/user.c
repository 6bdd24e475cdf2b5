/* user.c - people as JSON. */
#include "serializers/serializers.h"

void iimg_user_members(iimg_json_t *out, const iimg_user_t *user)
{
    iimg_json_member(out, "id", user->id);
    iimg_json_member(out, "email", user->email);
    iimg_json_member(out, "first_name", user->first_name);
    iimg_json_member(out, "last_name", user->last_name);
    iimg_json_key(out, "is_staff");
    iimg_json_bool(out, user->is_staff);
}

void iimg_user_serialize(iimg_json_t *out, const iimg_user_t *user)
{
    iimg_json_object_open(out);
    iimg_user_members(out, user);
    iimg_json_object_close(out);
}

void iimg_available_user_serialize(iimg_json_t *out, const iimg_available_user_t *user)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "id", user->user.id);
    iimg_json_member(out, "email", user->user.email);
    iimg_json_member(out, "name", user->name);
    iimg_json_key(out, "is_current_user");
    iimg_json_bool(out, user->is_current_user);
    iimg_json_key(out, "is_test_user");
    iimg_json_bool(out, user->is_test_user);
    iimg_json_object_close(out);
}
