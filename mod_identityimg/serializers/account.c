/* account.c - a user as JSON for staff; without the password. */
#include "base/timestamp.h"
#include "serializers/serializers.h"

void iimg_account_serialize(iimg_json_t *out, const iimg_account_t *account)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "id", account->user.id);
    iimg_json_member(out, "email", account->user.email);
    iimg_json_member(out, "first_name", account->user.first_name);
    iimg_json_member(out, "last_name", account->user.last_name);
    iimg_json_key(out, "is_staff");
    iimg_json_bool(out, account->user.is_staff);
    iimg_json_key(out, "is_active");
    iimg_json_bool(out, account->is_active);
    iimg_json_key(out, "has_password");
    iimg_json_bool(out, account->has_password);
    iimg_json_member(out, "created_at", iimg_timestamp_format(out->pool, account->created_at));
    iimg_json_object_close(out);
}
