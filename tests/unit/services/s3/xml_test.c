/* xml_test.c - services/s3/xml.c: errors and listings of stores that differ in what they say. */
#include "services/s3/xml.h"
#include "tap.h"
#include "work.h"

static iimg_context_t *context;

static const char *text(const char *xml, const char *name)
{
    return iimg_s3_xml_text(context->pool, xml, strlen(xml), name);
}

static iimg_s3_page_t *page_of(const char *xml)
{
    return iimg_s3_xml_page(context->pool, xml, strlen(xml));
}

static const char *shown(const char *xml)
{
    iimg_s3_page_t *page = page_of(xml);
    const char *out;

    if (!page) {
        return "none";
    }
    out = page->plain ? "plain" : "versions";
    for (int i = 0; i < page->versions->nelts; i++) {
        const iimg_s3_version_t *version = &APR_ARRAY_IDX(page->versions, i, iimg_s3_version_t);

        out = apr_psprintf(context->pool, "%s; %s/%s%s%s %ld %ld", out, version->key,
                           version->id ? version->id : "-", version->latest ? " latest" : "",
                           version->deleted ? " deleted" : "", (long)version->length,
                           (long)apr_time_sec(version->modified));
    }
    return page->next_key ? apr_psprintf(context->pool, "%s; next %s/%s", out, page->next_key,
                                         page->next_id ? page->next_id : "-")
                          : out;
}

#define VERSION(key, id, latest) \
    "<Version><Key>" key "</Key><VersionId>" id "</VersionId><IsLatest>" latest \
    "</IsLatest><LastModified>1970-01-01T00:00:09Z</LastModified><Size>5</Size></Version>"
#define MARKER(key, id) \
    "<DeleteMarker><Key>" key "</Key><VersionId>" id "</VersionId><IsLatest>true</IsLatest>" \
    "</DeleteMarker>"
#define CUT   "<IsTruncated>true</IsTruncated>"
#define WHOLE "<IsTruncated>false</IsTruncated>"

static void test_pages(void)
{
    static const char *const pages[][3] = {
        { "<ListVersionsResult>" WHOLE "</ListVersionsResult>", "versions", "an empty page" },
        { "<ListVersionResult>" VERSION("a", "1", "true") "</ListVersionResult>",
          "versions; a/1 latest 5 9", "another root name, without IsTruncated" },
        { "<ListVersionsResult>" VERSION("a", "1", "true") VERSION("a", "0", "false")
              MARKER("b", "2") WHOLE "</ListVersionsResult>",
          "versions; a/1 latest 5 9; a/0 5 9; b/2 latest deleted 0 0", "versions and a marker" },
        { "<ListVersionsResult>" VERSION("a", "1", "true") CUT
          "<NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>v</NextVersionIdMarker>"
          "</ListVersionsResult>",
          "versions; a/1 latest 5 9; next k/v", "a page with a next one" },
        { "<ListVersionsResult>" VERSION("a", "1", "true") VERSION("b", "2", "true") CUT
          "</ListVersionsResult>",
          "versions; a/1 latest 5 9; b/2 latest 5 9; next b/2", "a next page without a marker" },
        { "<ListVersionsResult>" VERSION("a", "1", "true") WHOLE
          "<NextKeyMarker>k</NextKeyMarker></ListVersionsResult>",
          "versions; a/1 latest 5 9", "a whole page with a marker" },
        { "<ListVersionsResult>" CUT "</ListVersionsResult>", "none",
          "a cut page without entries and marker" },
        { "<ListVersionsResult>"
          "<Version><VersionId>1</VersionId></Version><Contents><Key>a</Key></Contents>"
          "</ListVersionsResult>",
          "versions", "versions without a key, and contents" },
        { "<ListBucketResult><Contents><Key>a</Key><Size>7</Size></Contents>" VERSION(
              "b", "2", "true") "</ListBucketResult>",
          "plain; a/- latest 7 0", "a plain listing" },
        { "<ListBucketResult><Contents><Key>a</Key></Contents>" CUT
          "<NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
          "plain; a/- latest 0 0; next t/-", "a plain listing with a next page" },
        { "<ListBucketResult><Contents><Key>a</Key></Contents>" CUT "</ListBucketResult>", "none",
          "a cut plain listing without a token" },
        { "<Error><Code>x</Code></Error>", "none", "an error" },
        { "<ListVersionsResult>", "none", "half a document" },
        { "", "none", "nothing" },
    };

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        tap_is(shown(pages[i][0]), pages[i][1], "%s", pages[i][2]);
    }
}

int main(void)
{
    context = work_begin();
    tap_is(text("<Error><Code>NoSuchKey</Code></Error>", "Code"), "NoSuchKey", "an error's code");
    tap_is(text("<Code>x</Code>", "Code"), "x", "the root itself");
    tap_is(text("<a><b><c><d><Code>4</Code></d></c></b></a>", "Code"), "4", "four levels down");
    tap_is(text("<a><b><c><d><e><Code>5</Code></e></d></c></b></a>", "Code"), NULL,
           "five levels down");
    tap_is(text("<a><b><x>1</x></b><Code>2</Code></a>", "Code"), "2", "behind another branch");
    tap_is(text("<a><Code>a&amp;b</Code></a>", "Code"), "a&b", "an escaped character");
    tap_is(text("<a><Code/></a>", "Code"), "", "an empty element");
    tap_is(text("<a><b/></a>", "Code"), NULL, "no such element");
    tap_is(text("no xml", "Code"), NULL, "no XML");
    tap_is(text("", "Code"), NULL, "nothing");
    test_pages();
    work_end(context);
    return tap_done();
}
