/* options.h - what identityimgctl is told, on its command line and in its environment. */
#ifndef IIMG_CTL_OPTIONS_H
#define IIMG_CTL_OPTIONS_H

#include <stdbool.h>
#include <apr_pools.h>

typedef struct ctl_options_t {
    const char *conninfo; /* libpq's; NULL: libpq's own environment */
    const char *storage;
    const char *storage_root;
    const char *s3_endpoint; /* these are texts as the directives take them; NULL: not given */
    const char *s3_bucket;
    const char *s3_region;
    const char *s3_addressing;
    const char *s3_prefix;
    const char *s3_credentials_file;
    const char *s3_machine_credentials;
    const char *s3_ca_file;
    const char *s3_timeout;
    const char *allow_insecure;
    const char *min_age;
    bool remove; /* reconcile --delete */
    bool force;  /* skip the safety checks */
    bool verbose;
    bool help, version; /* nothing else is wanted */
} ctl_options_t;

/** How the program is used: the text. */
extern const char ctl_usage[];

/**
 * Read the command line, then the environment for what it does not say.
 * @param command set to the only argument that is no option, else NULL
 * @return NULL; or a sentence about a value; or "" when getopt has complained already
 */
const char *ctl_options_read(apr_pool_t *pool, int argc, char **argv, ctl_options_t *options,
                             const char **command);

/** A whole number of an option. @param otherwise when the option was not given */
int ctl_options_number(const char *text, int otherwise);

/** A sentence of the library, which knows directives, with the names of options in their place. */
const char *ctl_options_translate(apr_pool_t *pool, const char *sentence);

#endif
