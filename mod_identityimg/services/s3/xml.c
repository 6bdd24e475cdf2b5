/* xml.c - reads the XML of S3 stores: errors and listings. */
#include "services/s3/xml.h"

#include <stdlib.h>
#include <string.h>
#include <apr_strings.h>
#include <apr_xml.h>
#include "base/timestamp.h"

/* (apr_xml refuses documents that declare entities.) */
static apr_xml_elem *parse(apr_pool_t *pool, const char *xml, apr_size_t length)
{
    apr_xml_parser *parser = apr_xml_parser_create(pool);
    apr_xml_doc *document = NULL;

    if (!length || !parser || apr_xml_parser_feed(parser, xml, length) != APR_SUCCESS
        || apr_xml_parser_done(parser, &document) != APR_SUCCESS) {
        return NULL;
    }
    return document->root;
}

static const char *text_of(apr_pool_t *pool, const apr_xml_elem *element)
{
    const char *text = "";

    for (const apr_text *piece = element->first_cdata.first; piece; piece = piece->next) {
        text = apr_pstrcat(pool, text, piece->text, NULL);
    }
    return text;
}

static const apr_xml_elem *find(const apr_xml_elem *element, const char *name, int depth)
{
    if (strcmp(element->name, name) == 0) {
        return element;
    }
    for (const apr_xml_elem *child = element->first_child; child && depth > 0;
         child = child->next) {
        const apr_xml_elem *found = find(child, name, depth - 1);

        if (found) {
            return found;
        }
    }
    return NULL;
}

const char *iimg_s3_xml_text(apr_pool_t *pool, const char *xml, apr_size_t length, const char *name)
{
    const apr_xml_elem *root = parse(pool, xml, length);
    const apr_xml_elem *found = root ? find(root, name, 4) : NULL;

    return found ? text_of(pool, found) : NULL;
}

static const char *child_text(apr_pool_t *pool, const apr_xml_elem *element, const char *name)
{
    for (const apr_xml_elem *child = element->first_child; child; child = child->next) {
        if (strcmp(child->name, name) == 0) {
            return text_of(pool, child);
        }
    }
    return NULL;
}

static bool is_true(const char *text)
{
    return text && strcmp(text, "true") == 0;
}

static void take_version(apr_pool_t *pool, const apr_xml_elem *element, apr_array_header_t *to)
{
    const char *key = child_text(pool, element, "Key"), *size = child_text(pool, element, "Size");
    iimg_s3_version_t *version;

    if (!key) {
        return;
    }
    version = apr_array_push(to);
    version->key = key;
    version->id = child_text(pool, element, "VersionId");
    version->latest = strcmp(element->name, "Contents") == 0
                      || is_true(child_text(pool, element, "IsLatest"));
    version->deleted = strcmp(element->name, "DeleteMarker") == 0;
    version->modified = iimg_timestamp_parse(child_text(pool, element, "LastModified"));
    version->length = size ? (apr_off_t)apr_atoi64(size) : 0;
}

/* Some stores omit the start of the next page: then it follows the last entry of this one. */
static void set_next(apr_pool_t *pool, const apr_xml_elem *root, iimg_s3_page_t *page)
{
    const iimg_s3_version_t *last = page->versions->nelts
                                        ? &APR_ARRAY_IDX(page->versions, page->versions->nelts - 1,
                                                         iimg_s3_version_t)
                                        : NULL;

    page->next_key = child_text(pool, root, "NextKeyMarker");
    page->next_id = child_text(pool, root, "NextVersionIdMarker");
    if (!page->next_key && last) {
        page->next_key = last->key;
        page->next_id = last->id;
    }
}

static bool is_any_of(const char *name, const char *one, const char *other)
{
    return strcmp(name, one) == 0 || strcmp(name, other) == 0;
}

static void take_entries(apr_pool_t *pool, const apr_xml_elem *root, iimg_s3_page_t *page)
{
    for (const apr_xml_elem *child = root->first_child; child; child = child->next) {
        if (page->plain ? strcmp(child->name, "Contents") == 0
                        : is_any_of(child->name, "Version", "DeleteMarker")) {
            take_version(pool, child, page->versions);
        }
    }
}

iimg_s3_page_t *iimg_s3_xml_page(apr_pool_t *pool, const char *xml, apr_size_t length)
{
    const apr_xml_elem *root = parse(pool, xml, length);
    iimg_s3_page_t *page;

    if (!root
        || (!is_any_of(root->name, "ListVersionsResult", "ListVersionResult")
            && strcmp(root->name, "ListBucketResult") != 0)) {
        return NULL;
    }
    page = apr_pcalloc(pool, sizeof(*page));
    page->plain = strcmp(root->name, "ListBucketResult") == 0;
    page->versions = apr_array_make(pool, 64, sizeof(iimg_s3_version_t));
    take_entries(pool, root, page);
    if (!is_true(child_text(pool, root, "IsTruncated"))) {
        return page;
    }
    if (page->plain) {
        page->next_key = child_text(pool, root, "NextContinuationToken");
    }
    else {
        set_next(pool, root, page);
    }
    return page->next_key ? page : NULL;
}
