/* options.c - options of identityimgctl, from the command line and the environment. */
#include "ctl/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include "services/s3/settings.h"

const char ctl_usage[] =
    "usage: identityimgctl [OPTION ...] COMMAND\n"
    "\n"
    "Commands:\n"
    "  sweep               delete all objects that are due for deletion; exits with 1\n"
    "                      if some remain\n"
    "  reconcile           compare the store with the database; exits with 1 if they\n"
    "                      differ\n"
    "  reconcile --delete  also delete objects that the database does not know and that\n"
    "                      are older than --min-age; refuses to delete more than a\n"
    "                      tenth of all objects without --force\n"
    "  adopt-store         bind the database to this store, after you moved the pictures\n"
    "                      or restored a database; refuses a store that lacks pictures\n"
    "                      without --force\n"
    "\n"
    "Options (in brackets: the environment variable with the same meaning):\n"
    "  --conninfo TEXT     libpq's connection string, without a password; default: from\n"
    "                      PGHOST, PGDATABASE, PGUSER, PGPASSFILE, ...\n"
    "                      [IDENTITYIMG_CONNINFO]\n"
    "  --storage NAME      the kind of store, file or s3; default: file\n"
    "                      [IDENTITYIMG_STORAGE]\n"
    "  --min-age SECONDS   the age from which reconcile --delete deletes objects;\n"
    "                      default: 3600\n"
    "  --force             skip the safety checks of reconcile --delete and adopt-store\n"
    "  --verbose           print the name of each object\n"
    "  --help, --version\n"
    "\n"
    "Options of the store \"file\":\n"
    "  --storage-root DIR  its directory [IDENTITYIMG_STORAGE_ROOT]\n"
    "\n"
    "Options of the store \"s3\", like the directives IdentityImgS3...:\n"
    "  --s3-bucket NAME                  [IDENTITYIMG_S3_BUCKET]\n"
    "  --s3-prefix TEXT                  [IDENTITYIMG_S3_PREFIX]\n"
    "  --s3-endpoint URL                 [IDENTITYIMG_S3_ENDPOINT]\n"
    "  --s3-region NAME                  [IDENTITYIMG_S3_REGION]\n"
    "  --s3-addressing auto|path|virtual [IDENTITYIMG_S3_ADDRESSING]\n"
    "  --s3-credentials-file FILE        [IDENTITYIMG_S3_CREDENTIALS_FILE]\n"
    "  --s3-machine-credentials on|off   [IDENTITYIMG_S3_MACHINE_CREDENTIALS]\n"
    "  --s3-ca-file FILE                 [IDENTITYIMG_S3_CA_FILE]\n"
    "  --s3-timeout SECONDS              [IDENTITYIMG_S3_TIMEOUT]\n"
    "  --allow-insecure-endpoint on|off  [IDENTITYIMG_ALLOW_INSECURE_ENDPOINT]\n"
    "\n"
    "Without a credentials file, keys come from AWS_ACCESS_KEY_ID and\n"
    "AWS_SECRET_ACCESS_KEY, or from ~/.aws/credentials. There is no option for keys:\n"
    "all users of the machine can see command lines.\n"
    "\n"
    "Run identityimgctl as a user who can read and delete in the store. It exits with\n"
    "0 on success and with 2 on errors.\n";

/* Values --------------------------------------------------------------------------------------- */

static const char *check_number(apr_pool_t *pool, const char *value)
{
    size_t digits = strspn(value, "0123456789");

    (void)pool;
    return digits > 0 && digits < 10 && value[digits] == '\0' ? NULL : "a number of seconds";
}

static const char *check_timeout(apr_pool_t *pool, const char *value)
{
    return check_number(pool, value) == NULL && atoi(value) >= 1 && atoi(value) <= 600
               ? NULL
               : "a number from 1 to 600";
}

static const char *check_switch(apr_pool_t *pool, const char *value)
{
    (void)pool;
    return strcmp(value, "on") == 0 || strcmp(value, "off") == 0 ? NULL : "\"on\" or \"off\"";
}

int ctl_options_number(const char *text, int otherwise)
{
    return text ? atoi(text) : otherwise;
}

/* The table ------------------------------------------------------------------------------------ */

#define AT(member) offsetof(ctl_options_t, member)

/* A directive whose name is the start of another one must follow it: see ctl_options_translate. */
static const struct {
    const char *name, *variable, *directive;
    size_t offset;
    const char *(*check)(apr_pool_t *pool, const char *value); /* NULL, or what the value must be */
} texts[] = {
    { "conninfo", "IDENTITYIMG_CONNINFO", NULL, AT(conninfo), NULL },
    { "storage-root", "IDENTITYIMG_STORAGE_ROOT", "IdentityImgStorageRoot", AT(storage_root),
      NULL },
    { "storage", "IDENTITYIMG_STORAGE", "IdentityImgStorage", AT(storage), NULL },
    { "s3-endpoint", "IDENTITYIMG_S3_ENDPOINT", "IdentityImgS3Endpoint", AT(s3_endpoint), NULL },
    { "s3-bucket", "IDENTITYIMG_S3_BUCKET", "IdentityImgS3Bucket", AT(s3_bucket),
      iimg_s3_check_bucket },
    { "s3-region", "IDENTITYIMG_S3_REGION", "IdentityImgS3Region", AT(s3_region),
      iimg_s3_check_region },
    { "s3-addressing", "IDENTITYIMG_S3_ADDRESSING", "IdentityImgS3Addressing", AT(s3_addressing),
      iimg_s3_check_addressing },
    { "s3-prefix", "IDENTITYIMG_S3_PREFIX", "IdentityImgS3Prefix", AT(s3_prefix),
      iimg_s3_check_prefix },
    { "s3-credentials-file", "IDENTITYIMG_S3_CREDENTIALS_FILE", "IdentityImgS3CredentialsFile",
      AT(s3_credentials_file), NULL },
    { "s3-machine-credentials", "IDENTITYIMG_S3_MACHINE_CREDENTIALS",
      "IdentityImgS3MachineCredentials", AT(s3_machine_credentials), check_switch },
    { "s3-ca-file", "IDENTITYIMG_S3_CA_FILE", "IdentityImgS3CAFile", AT(s3_ca_file), NULL },
    { "s3-timeout", "IDENTITYIMG_S3_TIMEOUT", "IdentityImgS3Timeout", AT(s3_timeout),
      check_timeout },
    { "allow-insecure-endpoint", "IDENTITYIMG_ALLOW_INSECURE_ENDPOINT",
      "IdentityImgAllowInsecureEndpoint", AT(allow_insecure), check_switch },
    { "min-age", NULL, NULL, AT(min_age), check_number },
};

static const struct {
    const char *name;
    size_t offset;
} flags[] = {
    { "delete", AT(remove) }, { "force", AT(force) },     { "verbose", AT(verbose) },
    { "help", AT(help) },     { "version", AT(version) },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char **text_at(ctl_options_t *options, size_t i)
{
    return (const char **)((char *)options + texts[i].offset);
}

static bool read_arguments(int argc, char **argv, ctl_options_t *options)
{
    struct option known[COUNT(texts) + COUNT(flags) + 1] = { { NULL, 0, NULL, 0 } };
    int found;

    for (size_t i = 0; i < COUNT(texts); i++) {
        known[i] = (struct option){ texts[i].name, required_argument, NULL, 0 };
    }
    for (size_t i = 0; i < COUNT(flags); i++) {
        known[COUNT(texts) + i] = (struct option){ flags[i].name, no_argument, NULL, 0 };
    }
    for (int c; (c = getopt_long(argc, argv, "", known, &found)) != -1;) {
        if (c != 0) {
            return false;
        }
        if ((size_t)found < COUNT(texts)) {
            *text_at(options, (size_t)found) = optarg;
        }
        else {
            *(bool *)((char *)options + flags[(size_t)found - COUNT(texts)].offset) = true;
        }
    }
    return true;
}

/* Fill in the environment and check all values. @return NULL, or a sentence about a value */
static const char *complete_options(apr_pool_t *pool, ctl_options_t *options)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char **text = text_at(options, i),
                   *name = apr_pstrcat(pool, "--", texts[i].name, NULL);
        const char *expected;

        if (!*text && texts[i].variable) {
            name = texts[i].variable;
            *text = getenv(name);
            *text = *text && **text ? *text : NULL;
        }
        expected = *text && texts[i].check ? texts[i].check(pool, *text) : NULL;
        if (expected) {
            return apr_psprintf(pool, "%s: \"%s\" is not %s", name, *text, expected);
        }
    }
    return NULL;
}

const char *ctl_options_read(apr_pool_t *pool, int argc, char **argv, ctl_options_t *options,
                             const char **command)
{
    const char *problem;

    *command = NULL;
    if (!read_arguments(argc, argv, options)) {
        return "";
    }
    *command = argc == optind + 1 ? argv[optind] : NULL;
    problem = complete_options(pool, options);
    options->storage = options->storage ? options->storage : "file";
    return problem;
}

/* Sentences ------------------------------------------------------------------------------------ */

const char *ctl_options_translate(apr_pool_t *pool, const char *sentence)
{
    for (size_t i = 0; i < COUNT(texts); i++) {
        const char *place;

        while (texts[i].directive && (place = strstr(sentence, texts[i].directive)) != NULL) {
            sentence = apr_psprintf(pool, "%.*s--%s%s", (int)(place - sentence), sentence,
                                    texts[i].name, place + strlen(texts[i].directive));
        }
    }
    return sentence;
}
