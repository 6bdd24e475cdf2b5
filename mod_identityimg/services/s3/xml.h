/* xml.h - reads the XML of S3 stores: errors and listings. */
#ifndef IIMG_SERVICES_S3_XML_H
#define IIMG_SERVICES_S3_XML_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/**
 * Find the text of the first element of that name, at any depth.
 * @return NULL if there is none, or the text is no XML
 */
const char *iimg_s3_xml_text(apr_pool_t *pool, const char *xml, apr_size_t length,
                             const char *name);

/** One version of an object, or a delete marker. */
typedef struct iimg_s3_version_t {
    const char *key;
    const char *id;
    bool latest;
    bool deleted; /* a marker */
    apr_time_t modified;
    apr_off_t length;
} iimg_s3_version_t;

/** A page of ListObjectVersions or ListObjectsV2. */
typedef struct iimg_s3_page_t {
    apr_array_header_t *versions; /* iimg_s3_version_t; of ListObjectsV2 without id */
    const char *next_key;         /* the next page starts after it (ListObjectsV2: a token);
                                     NULL: this is the last page */
    const char *next_id;          /* or NULL */
    bool plain;                   /* of ListObjectsV2: objects, not versions */
} iimg_s3_page_t;

/** Read a page; allocated from pool. @return NULL if it is invalid, or lacks the start of the next
 * one */
iimg_s3_page_t *iimg_s3_xml_page(apr_pool_t *pool, const char *xml, apr_size_t length);

#endif
