/* options_test.c - ctl/options.c: options of the command line and the environment, and which values
 * are refused. */
#include "ctl/options.c"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;

/* Reads words that are parted by blanks. */
static const char *read_words(const char *words, ctl_options_t *options, const char **command)
{
    char *line = apr_pstrcat(context->pool, "identityimgctl ", words, NULL), *state, *argv[20];
    int argc = 0;

    for (char *word = apr_strtok(line, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    memset(options, 0, sizeof(*options));
    optind = 0;
    opterr = 0;
    return ctl_options_read(context->pool, argc, argv, options, command);
}

static void test_values(void)
{
    static const struct {
        const char *words;
        bool good;
    } cases[] = {
        { "--s3-timeout 1 sweep", true },
        { "--s3-timeout 0 sweep", false },
        { "--s3-timeout 600 sweep", true },
        { "--s3-timeout 601 sweep", false },
        { "--s3-timeout 1s sweep", false },
        { "--min-age 0 sweep", true },
        { "--min-age 999999999 sweep", true },
        { "--min-age 1000000000 sweep", false },
        { "--min-age -1 sweep", false },
        { "--min-age x sweep", false },
        { "--allow-insecure-endpoint on sweep", true },
        { "--allow-insecure-endpoint off sweep", true },
        { "--allow-insecure-endpoint ON sweep", false },
        { "--s3-machine-credentials on sweep", true },
        { "--s3-machine-credentials yes sweep", false },
        { "--s3-addressing auto sweep", true },
        { "--s3-addressing none sweep", false },
        { "--s3-bucket pictures sweep", true },
        { "--s3-bucket UP! sweep", false },
        { "--unknown sweep", false },
        { "--conninfo", false },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ctl_options_t options;
        const char *command;

        tap_ok((read_words(cases[i].words, &options, &command) == NULL) == cases[i].good, "%s: %s",
               cases[i].words, cases[i].good ? "taken" : "refused");
    }
}

static void test_commands(void)
{
    ctl_options_t options;
    const char *command;

    tap_ok(!read_words("sweep", &options, &command) && strcmp(command, "sweep") == 0, "a command");
    tap_is(options.storage, "file", "the store is \"file\" unless it is named");
    tap_ok(!options.remove && !options.force && !options.verbose && !options.help
               && !options.version && !options.min_age,
           "a command alone sets no option");
    tap_ok(!read_words("", &options, &command) && !command, "no command");
    tap_ok(!read_words("sweep reconcile", &options, &command) && !command, "two commands are none");
    tap_ok(!read_words("reconcile --delete --min-age 7", &options, &command)
               && strcmp(command, "reconcile") == 0 && options.remove && !options.force
               && strcmp(options.min_age, "7") == 0,
           "options may follow the command");
    tap_ok(!read_words("--force x", &options, &command) && options.force && !options.remove,
           "--force");
    tap_ok(!read_words("--verbose x", &options, &command) && options.verbose && !options.help,
           "--verbose");
    tap_ok(!read_words("--help", &options, &command) && options.help && !options.version, "--help");
    tap_ok(!read_words("--version", &options, &command) && options.version && !options.verbose,
           "--version");
    tap_is_number(ctl_options_number("12", 5), 12, "a number that is given");
    tap_is_number(ctl_options_number(NULL, 5), 5, "a number that is not given");
}

static void test_environment(void)
{
    static const struct {
        const char *option, *variable, *value;
        size_t offset;
    } rows[] = {
        { "conninfo", "IDENTITYIMG_CONNINFO", "x", AT(conninfo) },
        { "storage", "IDENTITYIMG_STORAGE", "s3", AT(storage) },
        { "storage-root", "IDENTITYIMG_STORAGE_ROOT", "/x", AT(storage_root) },
        { "s3-bucket", "IDENTITYIMG_S3_BUCKET", "bucket", AT(s3_bucket) },
        { "s3-prefix", "IDENTITYIMG_S3_PREFIX", "p", AT(s3_prefix) },
        { "s3-endpoint", "IDENTITYIMG_S3_ENDPOINT", "https://x", AT(s3_endpoint) },
        { "s3-region", "IDENTITYIMG_S3_REGION", "eu-1", AT(s3_region) },
        { "s3-addressing", "IDENTITYIMG_S3_ADDRESSING", "path", AT(s3_addressing) },
        { "s3-credentials-file", "IDENTITYIMG_S3_CREDENTIALS_FILE", "/x", AT(s3_credentials_file) },
        { "s3-machine-credentials", "IDENTITYIMG_S3_MACHINE_CREDENTIALS", "on",
          AT(s3_machine_credentials) },
        { "s3-ca-file", "IDENTITYIMG_S3_CA_FILE", "/x", AT(s3_ca_file) },
        { "s3-timeout", "IDENTITYIMG_S3_TIMEOUT", "9", AT(s3_timeout) },
        { "allow-insecure-endpoint", "IDENTITYIMG_ALLOW_INSECURE_ENDPOINT", "on",
          AT(allow_insecure) },
    };
    ctl_options_t options;
    const char *command, *problem;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char **value = (const char **)((char *)&options + rows[i].offset);

        setenv(rows[i].variable, rows[i].value, 1);
        problem = read_words("sweep", &options, &command);
        tap_is(problem, NULL, "%s is taken", rows[i].variable);
        tap_is(*value, rows[i].value, "%s has its option", rows[i].variable);
        setenv(rows[i].variable, "", 1);
        (void)read_words("sweep", &options, &command);
        tap_is(*value, strcmp(rows[i].option, "storage") ? NULL : "file",
               "%s that is empty is none", rows[i].variable);
        unsetenv(rows[i].variable);
        problem = read_words(
            apr_pstrcat(context->pool, "--", rows[i].option, " ", rows[i].value, " sweep", NULL),
            &options, &command);
        tap_ok(!problem && strcmp(*value, rows[i].value) == 0, "--%s is taken", rows[i].option);
    }
    setenv("IDENTITYIMG_S3_TIMEOUT", "9", 1);
    (void)read_words("--s3-timeout 8 sweep", &options, &command);
    tap_is(options.s3_timeout, "8", "the command line comes before the environment");
    setenv("IDENTITYIMG_S3_TIMEOUT", "0", 1);
    problem = read_words("sweep", &options, &command);
    tap_ok(problem && strncmp(problem, "IDENTITYIMG_S3_TIMEOUT: \"0\"", 27) == 0,
           "a wrong value names its variable");
    problem = read_words("--s3-timeout 0 sweep", &options, &command);
    tap_ok(problem && strncmp(problem, "--s3-timeout: \"0\"", 17) == 0,
           "a wrong value names its option");
    unsetenv("IDENTITYIMG_S3_TIMEOUT");
}

static void test_sentences(void)
{
    tap_is(ctl_options_translate(context->pool, "IdentityImgStorageRoot: /x is no folder"),
           "--storage-root: /x is no folder", "a directive is called by its option");
    tap_is(ctl_options_translate(context->pool, "IdentityImgStorage: none"), "--storage: none",
           "a directive whose name begins another's");
    tap_is(ctl_options_translate(context->pool, "IdentityImgS3Bucket and IdentityImgS3Region"),
           "--s3-bucket and --s3-region", "two directives");
    tap_is(ctl_options_translate(context->pool, "no directive"), "no directive", "no directive");
}

int main(void)
{
    context = work_begin();
    test_values();
    test_commands();
    test_environment();
    test_sentences();
    work_end(context);
    return tap_done();
}
