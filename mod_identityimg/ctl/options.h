/* options.h - options of identityimgctl, from the command line and the environment. */
#ifndef IIMG_CTL_OPTIONS_H
#define IIMG_CTL_OPTIONS_H

#include <stdbool.h>
#include <apr_pools.h>

typedef struct ctl_options_t {
    const char *conninfo; /* libpq's connection string; NULL: from libpq's environment */
    const char *storage;
    const char *storage_root;
    const char *s3_endpoint; /* texts in the form of the directives; NULL: not given */
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
    bool help, version; /* print this and exit */
} ctl_options_t;

/** The text of --help. */
extern const char ctl_usage[];

/**
 * Read the command line, then the environment for options that are missing there.
 * @param command set to the only argument that is not an option, otherwise NULL
 * @return NULL; a sentence about an invalid value; or "" when getopt has printed a message
 */
const char *ctl_options_read(apr_pool_t *pool, int argc, char **argv, ctl_options_t *options,
                             const char **command);

/** Read the number of an option. @param otherwise the value of an option that was not given */
int ctl_options_number(const char *text, int otherwise);

/** Replace the names of directives in a sentence of the library by the names of options. */
const char *ctl_options_translate(apr_pool_t *pool, const char *sentence);

#endif
