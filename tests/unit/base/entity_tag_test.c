/* entity_tag_test.c - checks of ETags in conditions, and of traceparent. */
#include "base/entity_tag.h"
#include "base/trace_context.h"
#include "tap.h"
#include "work.h"

static void matching(void)
{
    static const struct {
        const char *header;
        bool matches;
        const char *what;
    } rows[] = {
        { NULL, false, "no header" },
        { "", false, "an empty one" },
        { "\"3.71\"", true, "the tag itself" },
        { "W/\"3.71\"", true, "the tag, weak" },
        { "\"3.71-gzip\"", true, "the tag of an answer that was gzipped" },
        { "\"3.71-br\"", true, "... or compressed with Brotli" },
        { "\"3.71-gzip-br\"", true, "two suffixes" },
        { "\"3.71-zstd\"", true, "one of Zstandard" },
        { "W/\"3.71-gzip\"", true, "a weak tag with a suffix" },
        { "\"3.71-deflate\"", false, "a suffix of another kind" },
        { "\"3.7\"", false, "a shorter one" },
        { "\"3.711\"", false, "a longer one" },
        { "\"2.71\"", false, "another version" },
        { "\"3.72\"", false, "another window" },
        { "*", true, "a star" },
        { " * ", true, "a star among spaces" },
        { "*, \"1.1\"", false, "a star among tags" },
        { "\"1.1\", W/\"2.2\" ,\"3.71\"", true, "a list with it" },
        { "\"1.1\",\"2.2\"", false, "a list without it" },
        { "\"a, \"3.71\"", false, "a quote too many" },
        { "3.71", false, "a tag without quotes" },
        { "\"3.71", false, "half a tag" },
        { "w/\"3.71\"", false, "a weak tag in lower case" },
        { "\"-gzip\"", false, "a suffix alone" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok(iimg_entity_tag_matches(rows[i].header, "\"3.71\"") == rows[i].matches,
               "If-None-Match: %s %s", rows[i].what,
               rows[i].matches ? "matches" : "does not match");
    }
}

static void versions(void)
{
    static const struct {
        const char *header;
        bool has;
        const char *what;
    } rows[] = {
        { NULL, true, "no header" },
        { "*", true, "a star" },
        { "\"3.71\"", true, "the tag" },
        { "\"3.99\"", true, "the version in another window" },
        { "\"3\"", true, "the version alone" },
        { "\"3.71-gzip\"", true, "a compressed answer's tag" },
        { "W/\"3.71\"", true, "a weak tag" },
        { "W/\"3\"", true, "the version alone, weak" },
        { "W/\"3.71-gzip\"", true, "a weak tag of a compressed answer" },
        { "W/\"3.71-zstd\"", true, "a weak tag of an answer in Zstandard" },
        { "\"3.71-br-gzip\"", true, "a tag that two servers marked" },
        { "W/\"2.71\", W/\"3.71-br\"", true, "a list of weak tags with it" },
        { "W/\"2.71\", W/\"4.71\"", false, "a list of weak tags without it" },
        { "W/\"31.71\"", false, "a weak tag of a version that begins alike" },
        { "w/\"3.71\"", false, "a weak tag in lower case" },
        { "W/3.71", false, "a weak tag without quotes" },
        { "W/ \"3.71\"", false, "a weak tag with a space inside" },
        { "\"31.71\"", false, "a version that begins alike" },
        { "\"\"", false, "an empty tag" },
        { "", false, "an empty header" },
        { "\"2.71\", \"3.71\"", true, "a list with it" },
        { "3", false, "a number without quotes" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok(iimg_entity_tag_has_version(rows[i].header, "3") == rows[i].has,
               "If-Match: %s %s version 3", rows[i].what, rows[i].has ? "names" : "does not name");
    }
}

static void traces(void)
{
    static const struct {
        const char *text;
        bool valid;
        const char *what;
    } rows[] = {
        { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true,
          "the standard's example" },
        { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true, "flags of 0" },
        { NULL, false, "nothing" },
        { "", false, "an empty text" },
        { "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01", false, "capitals" },
        { "00-00000000000000000000000000000000-b7ad6b7169203331-01", false, "a trace id of zeros" },
        { "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false,
          "a parent id of zeros" },
        { "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, "version ff" },
        { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", false,
          "more behind version 00" },
        { "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes", true,
          "a later version" },
        { "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what", false,
          "a later one without a dash" },
        { "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true,
          "a later one of this length" },
        { "00-0af7651916cd43dd8448eb211c80319-cb7ad6b7169203331-01", false, "a dash out of place" },
        { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false, "one digit too few" },
        { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g", false,
          "flags that are no hex" },
        { "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, 00-0af7651916cd43dd8448eb211c80319c-"
          "b7ad6b7169203331-01",
          false, "two of them" },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok(iimg_trace_is_parent(rows[i].text) == rows[i].valid, "%s is %s traceparent",
               rows[i].what, rows[i].valid ? "a" : "no");
    }
}

int main(void)
{
    iimg_context_t *context = work_begin();

    tap_is(iimg_entity_tag(context->pool, "3", 71), "\"3.71\"",
           "a tag is version and window in quotes");
    matching();
    versions();
    traces();
    work_end(context);
    return tap_done();
}
