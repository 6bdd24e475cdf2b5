/* test_scenario.c - a test scenario as staff see it. */
#include "base/timestamp.h"
#include "serializers/serializers.h"

void iimg_scenario_serialize(iimg_json_t *out, const iimg_scenario_t *scenario)
{
    iimg_json_object_open(out);
    iimg_json_member(out, "id", scenario->id);
    iimg_json_member(out, "name", scenario->name);
    iimg_json_member(out, "user", scenario->user_id);
    iimg_json_member(out, "user_email", scenario->user_email);
    iimg_json_member(out, "created_at", iimg_timestamp_format(out->pool, scenario->created_at));
    iimg_json_object_close(out);
}
