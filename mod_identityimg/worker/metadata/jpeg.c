/* jpeg.c - walk the segments of a JPEG (ITU-T T.81, annex B). */
#include "worker/metadata/walk.h"

#include <string.h>

enum {
    SOF0 = 0xc0,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    SOF15 = 0xcf,
    RST0 = 0xd0,
    RST7 = 0xd7,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    DQT = 0xdb,
    DNL = 0xdc,
    DRI = 0xdd,
    APP0 = 0xe0,
    APP1 = 0xe1,
    APP2 = 0xe2,
    APP14 = 0xee,
    TEM = 0x01
};

/* A marker and its segment. */
typedef struct segment_t {
    size_t at; /* of the FF */
    unsigned char marker;
    size_t length; /* with the two bytes of the marker */
} segment_t;

enum {
    MAX_COMPONENTS = 4,
    COEFFICIENTS = 64,
    UNSEEN = 255
};

typedef struct jpeg_t {
    iimg_walk_t *walk;
    unsigned char ids[MAX_COMPONENTS];
    unsigned char missing[MAX_COMPONENTS][COEFFICIENTS]; /* bits that no scan has brought yet */
    int components;                                      /* of the frame; 0: no frame yet */
    int kind;                                            /* of the frame: 2 is progressive */
    int scans;
    bool jfif;     /* found and kept */
    bool oriented; /* the EXIF block was inserted, or is not needed */
} jpeg_t;

static bool is_frame(unsigned char marker)
{
    return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

static bool is_restart(unsigned char marker)
{
    return marker >= RST0 && marker <= RST7;
}

static bool stands_alone(unsigned char marker)
{
    return marker == TEM || marker == SOI || marker == EOI || is_restart(marker);
}

/* Find the next marker. Skips fill bytes and other bytes, as decoders do: some cameras pad between
 * segments. */
static bool next_segment(iimg_walk_t *walk, size_t at, segment_t *segment)
{
    const unsigned char *data = walk->data;

    while (iimg_within(at, 2, walk->length)
           && (data[at] != 0xff || data[at + 1] == 0xff || data[at + 1] == 0)) {
        at++;
    }
    if (!iimg_within(at, 2, walk->length)) {
        return iimg_walk_wrong(walk, "it ends before its end marker");
    }
    segment->at = at;
    segment->marker = data[at + 1];
    segment->length = 2;
    if (stands_alone(segment->marker)) {
        return true;
    }
    if (!iimg_within(at, 4, walk->length) || iimg_big16(data + at + 2) < 2) {
        return iimg_walk_wrong(walk, "a segment has no length");
    }
    segment->length += iimg_big16(data + at + 2);
    return iimg_within(at, segment->length, walk->length)
               ? true
               : iimg_walk_wrong(walk, "a segment reaches beyond the end");
}

/* Whether a segment has this marker and name, and at least this many bytes. */
static bool is_called(const iimg_walk_t *walk, const segment_t *segment, unsigned char marker,
                      const char *name, size_t name_length, size_t least)
{
    return segment->marker == marker && segment->length >= least
           && memcmp(walk->data + segment->at + 4, name, name_length) == 0;
}

/* Find the first orientation before the first scan, where decoders look for it. */
static int find_orientation(iimg_walk_t *walk)
{
    segment_t segment = { 0, SOI, 2 };

    while (next_segment(walk, segment.at + segment.length, &segment)) {
        int orientation = 0;

        if (segment.marker == SOS || segment.marker == EOI) {
            return 1;
        }
        if (is_called(walk, &segment, APP1, "Exif\0", 5, 10)) {
            orientation = iimg_exif_orientation(walk->data + segment.at + 10, segment.length - 10);
        }
        if (orientation) {
            return orientation;
        }
    }
    return 1;
}

/* Insert the EXIF block after the JFIF header, before all other segments. */
static void put_orientation(jpeg_t *jpeg)
{
    unsigned char segment[10 + IIMG_EXIF_SIZE] = "\xff\xe1\0\x22"
                                                 "Exif\0";
    int orientation = jpeg->walk->out->orientation;

    if (!jpeg->oriented && orientation > 1) {
        iimg_exif_write(segment + 10, orientation);
        iimg_walk_insert(jpeg->walk, segment, sizeof(segment));
    }
    jpeg->oriented = true;
}

static void keep_segment(jpeg_t *jpeg, const segment_t *segment)
{
    put_orientation(jpeg);
    iimg_walk_keep(jpeg->walk, segment->at, segment->length);
}

/* Keep the first bytes of a segment, with a matching length. */
static void keep_head(iimg_walk_t *walk, const segment_t *segment, size_t length, size_t tail)
{
    const unsigned char says[2] = { 0, (unsigned char)(length + tail - 2) };

    if (segment->length == length + tail) {
        iimg_walk_keep(walk, segment->at, length);
        return;
    }
    iimg_walk_keep(walk, segment->at, 2);
    iimg_walk_insert(walk, says, 2);
    iimg_walk_keep(walk, segment->at + 4, length - 4);
}

/* Keep version and density, with a thumbnail of 0 x 0 pixels. */
static void keep_jfif(jpeg_t *jpeg, const segment_t *segment)
{
    const unsigned char *sides = jpeg->walk->data + segment->at + 16;

    if (jpeg->jfif) {
        return;
    }
    jpeg->jfif = true;
    keep_head(jpeg->walk, segment, 16, 2);
    if (segment->length == 18 && sides[0] == 0 && sides[1] == 0) {
        iimg_walk_keep(jpeg->walk, segment->at + 16, 2);
    }
    else {
        iimg_walk_fill(jpeg->walk, 0, 2);
    }
}

/* Decoders read these before the first scan only. */
static void keep_application(jpeg_t *jpeg, const segment_t *segment)
{
    iimg_walk_t *walk = jpeg->walk;

    if (jpeg->scans > 0) {
        return;
    }
    if (is_called(walk, segment, APP0, "JFIF\0", 5, 18)) {
        keep_jfif(jpeg, segment);
    }
    else if (is_called(walk, segment, APP2, "ICC_PROFILE\0", 12, 18)) {
        walk->out->icc_length += segment->length - 18;
        keep_segment(jpeg, segment);
    }
    else if (is_called(walk, segment, APP14, "Adobe", 5, 16)) {
        put_orientation(jpeg);
        keep_head(walk, segment, 16, 0);
    }
}

static bool read_frame(jpeg_t *jpeg, const segment_t *segment)
{
    const unsigned char *p = jpeg->walk->data + segment->at;
    if (segment->length < 10) {
        return iimg_walk_wrong(jpeg->walk, "its frame header is cut short");
    }
    if (jpeg->components > 0) {
        return iimg_walk_wrong(jpeg->walk, "it has more than one frame");
    }
    jpeg->walk->out->height = iimg_big16(p + 5);
    jpeg->walk->out->width = iimg_big16(p + 7);
    jpeg->kind = segment->marker & 3;
    jpeg->walk->out->progressive = jpeg->kind == 2;
    jpeg->components = p[9];
    if (jpeg->components == 0) {
        return iimg_walk_wrong(jpeg->walk, "its frame has no components");
    }
    for (int i = 0; i < MAX_COMPONENTS && 12 + 3 * (size_t)i < segment->length; i++) {
        jpeg->ids[i] = p[10 + 3 * i];
    }
    keep_segment(jpeg, segment);
    return true;
}

/* Record the coefficients and bits of a scan. In a progressive picture a scan has some of them. */
static void record_scan(jpeg_t *jpeg, const segment_t *segment)
{
    const unsigned char *p = jpeg->walk->data + segment->at + 4, *end = p + 1 + 2 * (size_t)p[0];
    bool is_partial = jpeg->kind == 2;

    if (segment->length < 8 + 2 * (size_t)p[0]) {
        return;
    }
    for (int i = 0; i < p[0] * MAX_COMPONENTS; i++) {
        int of = i % MAX_COMPONENTS, last = is_partial ? end[1] : COEFFICIENTS - 1;

        if (of >= jpeg->components || jpeg->ids[of] != p[1 + 2 * (i / MAX_COMPONENTS)]) {
            continue;
        }
        for (int k = is_partial ? end[0] : 0; k <= last && k < COEFFICIENTS; k++) {
            jpeg->missing[of][k] = is_partial ? end[2] & 15 : 0;
        }
    }
}

/* Whether the scans have brought all bits of all components. */
static bool has_all_scans(const jpeg_t *jpeg)
{
    static const unsigned char nothing[COEFFICIENTS];

    for (int i = 0; i < jpeg->components; i++) {
        if (i >= MAX_COMPONENTS || memcmp(jpeg->missing[i], nothing, COEFFICIENTS) != 0) {
            return false;
        }
    }
    return jpeg->scans > 0;
}

/* @return the next marker after a scan's header that is not a restart */
static size_t scan_end(const iimg_walk_t *walk, size_t at)
{
    while (at + 1 < walk->length) {
        const unsigned char *found = memchr(walk->data + at, 0xff, walk->length - at - 1);

        if (!found) {
            break;
        }
        at = (size_t)(found - walk->data);
        if (found[1] != 0 && found[1] != 0xff && !is_restart(found[1])) {
            return at;
        }
        at += found[1] == 0xff ? 1 : 2;
    }
    return walk->length;
}

/* @return the end of a scan without a final marker, excluding half a marker and the zeros that some
 * programs append. One or two zeros may belong to the scan. With several scans, libvips' loader
 * accepts no extra byte. */
static size_t trim_scan(const iimg_walk_t *walk, size_t from)
{
    size_t end = walk->length, zeros;

    while (end > from && walk->data[end - 1] == 0) {
        end--;
    }
    zeros = walk->length - end;
    while (zeros == 0 && end > from && walk->data[end - 1] == 0xff) {
        end--;
    }
    if (zeros > 0 && end > from
        && walk->data[end - 1] == 0xff) { /* FF 00 in a scan is the byte FF */
        end++;
        zeros--;
    }
    if (walk->out->progressive) {
        return end + (zeros == 1);
    }
    return end + (zeros < 2 ? zeros : 2);
}

static bool keep_scan(jpeg_t *jpeg, segment_t *segment)
{
    iimg_walk_t *walk = jpeg->walk;
    size_t end;

    if (jpeg->components == 0) {
        return iimg_walk_wrong(walk, "a scan comes before its frame");
    }
    if (segment->length < 5) {
        return iimg_walk_wrong(walk, "a scan's header is cut short");
    }
    if (jpeg->scans++ > 0 || walk->data[segment->at + 4] < jpeg->components) {
        walk->out->progressive = true;
    }
    record_scan(jpeg, segment);
    end = scan_end(walk, segment->at + segment->length);
    if (end == walk->length) {
        end = trim_scan(walk, segment->at + segment->length);
    }
    segment->length = end - segment->at;
    keep_segment(jpeg, segment);
    return true;
}

/* Keep DNL: a height that the header of the frame lacks. */
static void keep_lines(jpeg_t *jpeg, const segment_t *segment)
{
    iimg_metadata_t *out = jpeg->walk->out;

    if (segment->length == 6 && jpeg->scans > 0) {
        if (out->height == 0) {
            out->height = iimg_big16(jpeg->walk->data + segment->at + 4);
        }
        keep_segment(jpeg, segment);
    }
}

/* @return false at the end of the picture, and on errors */
static bool take_segment(jpeg_t *jpeg, segment_t *segment)
{
    switch (segment->marker) {
    case SOI:
        return iimg_walk_wrong(jpeg->walk, "another picture begins within it");
    case EOI:
        keep_segment(jpeg, segment);
        return false;
    case SOS:
        return keep_scan(jpeg, segment);
    case DHT:
    case DAC:
    case DQT:
    case DRI:
        keep_segment(jpeg, segment);
        return true;
    case DNL:
        keep_lines(jpeg, segment);
        return true;
    default:
        break;
    }
    if (is_frame(segment->marker)) {
        return read_frame(jpeg, segment);
    }
    if (is_restart(segment->marker) && jpeg->scans > 0) {
        return iimg_walk_wrong(jpeg->walk, "a restart marker stands outside its scans");
    }
    keep_application(jpeg, segment);
    return true;
}

void iimg_metadata_jpeg(iimg_walk_t *walk)
{
    jpeg_t jpeg = { .walk = walk };
    segment_t segment = { 0, SOI, 2 };
    bool is_open = true, has_next = true;

    memset(jpeg.missing, UNSEEN, sizeof(jpeg.missing));
    walk->out->orientation = find_orientation(walk);
    iimg_walk_keep(walk, 0, 2);
    while (!walk->wrong && is_open) {
        has_next = next_segment(walk, segment.at + segment.length, &segment);
        is_open = has_next && take_segment(&jpeg, &segment);
    }
    if (!has_next && has_all_scans(&jpeg)) {
        iimg_walk_end_early(walk);
        iimg_walk_insert(walk, "\xff\xd9", 2);
    }
    if (jpeg.scans == 0) {
        iimg_walk_wrong(walk, "it has no scan");
    }
}
