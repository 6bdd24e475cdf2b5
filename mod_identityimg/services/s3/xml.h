/* xml.h - what S3 stores say in XML: errors and listings. */
#ifndef IIMG_SERVICES_S3_XML_H
#define IIMG_SERVICES_S3_XML_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

/**
 * The text of the first element of that name, at any depth.
 * @return NULL when there is none, or the text is no XML
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
    const char *next_key;         /* the next page begins behind it (ListObjectsV2: its token);
                                     NULL: that was all */
    const char *next_id;          /* NULL: none was given */
    bool plain;                   /* of ListObjectsV2: objects, not versions */
} iimg_s3_page_t;

/** @return NULL when the text is no such page, or does not say where the next begins; it lives in
 * the pool */
iimg_s3_page_t *iimg_s3_xml_page(apr_pool_t *pool, const char *xml, apr_size_t length);

#endif
