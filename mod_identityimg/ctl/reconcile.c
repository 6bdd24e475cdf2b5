/* reconcile.c - identityimgctl reconcile: differences between store, manifest and rows. */
#include "ctl/ctl.h"

#include <stdio.h>
#include "functions/admin/reconcile.h"
#include "functions/shared/store_identity.h"

static const char *const names[IIMG_DIFFERENCES] = {
    [IIMG_UNKNOWN_OBJECT] = "unknown",
    [IIMG_MISSING_OBJECT] = "missing",
    [IIMG_UNBACKED_ROW] = "unbacked",
};

static void print_difference(void *baton, const iimg_difference_t *difference)
{
    const ctl_options_t *options = baton;

    if (options->verbose) {
        printf("%s %s%s%s%s%s\n", names[difference->kind], difference->what,
               difference->version ? " version " : "",
               difference->version ? difference->version : "",
               difference->young ? " (too young to delete)" : "",
               difference->removed ? " (deleted)" : "");
    }
}

static void print_summary(const iimg_reconciliation_t *r)
{
    printf("%ld objects in the store, %ld of them unknown to the manifest", r->listed,
           r->count[IIMG_UNKNOWN_OBJECT]);
    if (r->remove) {
        printf(" (%ld deleted)", r->removed);
    }
    printf("\n%ld referenced objects, %ld of them missing in the store\n"
           "%ld rows with pictures that the manifest lacks\n",
           r->shown, r->count[IIMG_MISSING_OBJECT], r->count[IIMG_UNBACKED_ROW]);
}

int ctl_reconcile(iimg_context_t *context, const ctl_options_t *options)
{
    iimg_reconciliation_t r = { .remove = options->remove,
                                .force = options->force,
                                .min_age = ctl_options_number(options->min_age, IIMG_RECONCILE_AGE),
                                .report = print_difference,
                                .baton = (void *)options };
    iimg_error_t *err = iimg_store_check(context); /* prints a warning, too */

    if (err && options->remove) {
        return ctl_trouble(err);
    }
    err = iimg_reconcile(context, &r);
    if (err) {
        return ctl_trouble(err);
    }
    print_summary(&r);
    return r.count[IIMG_UNKNOWN_OBJECT] - r.removed + r.count[IIMG_MISSING_OBJECT]
                       + r.count[IIMG_UNBACKED_ROW]
                   == 0
               ? CTL_CLEAN
               : CTL_DIFFERENT;
}
