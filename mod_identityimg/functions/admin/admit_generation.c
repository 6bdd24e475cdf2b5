/* admit_generation.c - enforce the limits on generations: concurrency, per user, queue, budget. */
#include "functions/admin/admin.h"

#include <apr_strings.h>
#include "models/generation_load.h"

#define DAY 86400

static bool is_limited(const iimg_generation_limits_t *limits)
{
    return limits->at_once || limits->at_once_per_user || limits->per_day_per_user
           || limits->budget;
}

/* "40 seconds", "12 minutes", "5 hours", rounded up */
static const char *format_duration(apr_pool_t *pool, int seconds)
{
    static const struct {
        int seconds;
        const char *name;
    } units[] = { { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
    size_t unit = 0;
    int n;

    while (units[unit].seconds > 1 && seconds < 2 * units[unit].seconds) {
        unit++;
    }
    n = (seconds + units[unit].seconds - 1) / units[unit].seconds;
    return apr_psprintf(pool, "%d %s%s", n, units[unit].name, n == 1 ? "" : "s");
}

static iimg_error_t *limit_reached(iimg_context_t *context, int seconds, const char *code,
                                   const char *why)
{
    iimg_error_t *err = iimg_error(context->pool, IIMG_LIMITED, "%s Try again in %s.", why,
                                   format_duration(context->pool, seconds));

    return iimg_error_retry(iimg_error_code(err, code), seconds);
}

static const char *describe_running(apr_pool_t *pool, int n, const char *user)
{
    return apr_psprintf(pool, "Limit reached: %d picture%s being generated%s.", n,
                        n == 1 ? "" : "s", user);
}

static iimg_error_t *check_running(iimg_context_t *context, const iimg_generation_load_t *load,
                                   bool *now)
{
    const iimg_generation_limits_t *limits = &context->services->generation_limits;

    if (limits->at_once_per_user && load->running_of_user >= limits->at_once_per_user) {
        return limit_reached(context, load->seconds_of_user, "user_generations_at_once",
                             describe_running(context->pool, load->running_of_user, " for you"));
    }
    if (!limits->at_once || load->running + load->queued < limits->at_once) {
        return NULL;
    }
    if (!limits->queue) {
        return limit_reached(context, load->seconds, "generations_at_once",
                             describe_running(context->pool, load->running + load->queued, ""));
    }
    *now = false; /* jobs in the queue come first */
    return NULL;
}

static iimg_error_t *check_queue(iimg_context_t *context, const iimg_generation_load_t *load)
{
    int most = context->services->generation_limits.queue;
    iimg_error_t *err;

    if (load->queued < (most > 0 ? most : 1)) {
        return NULL;
    }
    err = iimg_error(context->pool, IIMG_BUSY,
                     "The queue is full: %d picture%s waiting. Try again in %s.", load->queued,
                     load->queued == 1 ? "" : "s", format_duration(context->pool, load->seconds));
    return iimg_error_retry(iimg_error_code(err, "generation_queue_full"), load->seconds);
}

static iimg_error_t *check_day(iimg_context_t *context, const iimg_generation_load_t *load)
{
    const iimg_generation_limits_t *limits = &context->services->generation_limits;
    apr_pool_t *pool = context->pool;

    if (load->day_seconds) {
        return limit_reached(context, load->day_seconds, "user_generations_per_day",
                             apr_psprintf(pool, "Daily limit reached: %d picture%s in 24 hours.",
                                          limits->per_day_per_user,
                                          limits->per_day_per_user == 1 ? "" : "s"));
    }
    if (load->budget_seconds > 0) {
        return limit_reached(
            context, load->budget_seconds, "generation_budget",
            apr_psprintf(pool, "Budget reached: $%s in 24 hours, including pictures in progress.",
                         limits->budget));
    }
    if (load->budget_seconds < 0) {
        return iimg_error_retry(
            iimg_error_with_code(
                pool, IIMG_LIMITED, "generation_budget",
                "This picture is expected to cost more than the budget, $%s in 24 hours. "
                "Ask the operator to raise it.",
                limits->budget),
            DAY);
    }
    return NULL;
}

iimg_error_t *iimg_admit_generation(iimg_context_t *context, const char *expected_cost, bool *now)
{
    const iimg_generation_limits_t *limits = &context->services->generation_limits;
    iimg_generation_wish_t wish = { context->caller->id, expected_cost, limits->per_day_per_user,
                                    limits->budget };
    iimg_generation_load_t load;
    iimg_error_t *err;

    if (!is_limited(limits) && *now) {
        return NULL;
    }
    if (is_limited(limits)) {
        err = iimg_generation_load_lock(context);
        if (err) {
            return err;
        }
    }
    err = iimg_generation_load_read(context, &wish, &load);
    if (err) {
        return err;
    }
    err = check_running(context, &load, now);
    if (err) {
        return err;
    }
    err = check_day(context, &load);
    if (err) {
        return err;
    }
    return *now ? NULL : check_queue(context, &load);
}
