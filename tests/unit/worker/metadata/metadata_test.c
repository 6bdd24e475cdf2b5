/*
 * metadata_test.c - worker/metadata/metadata.c and its walks over JPEG, PNG, WebP and GIF: what
 * becomes of made containers, byte by byte, and which are refused.
 */
#include "worker/metadata/metadata.h"

#include <stdlib.h>
#include "../../../programs/metadata_check.h"
#include "tap.h"

#define BYTES(text) text, sizeof(text) - 1

typedef struct row_t {
    const char *name;
    const char *bytes;
    size_t length;
    const char *result; /* the whole file; or the clause that refuses it, with length 0 */
    size_t result_length;
    const char *facts; /* as facts_of prints them; NULL: not looked at */
} row_t;

/* Orientation 6, as the filter writes it; the same in a camera's words, with its name in front. */
#define TIFF_6  "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
#define CAMERA  "\2\0\x0f\1\2\0\4\0\0\0Acm\0\x12\1\3\0\1\0\0\0"
#define TIFF(o) "II*\0\x08\0\0\0" CAMERA o "\0\0\0\0\0\0\0"

/* JPEG: 2 x 1 pixels, grey. */
#define SOI     "\xff\xd8"
#define SOF(n)  "\xff" n "\0\x0b\x08\0\1\0\2\1\1\x11\0"
#define SOF_TWO "\xff\xc0\0\x0e\x08\0\1\0\2\2\1\x11\0\2\x11\0"
#define SOS     "\xff\xda\0\x08\1\1\0\0\x3f\0"
#define SCAN    SOS "\1\2\3"
#define PICTURE SOF("\xc0") SCAN "\xff\xd9"
#define DQT     "\xff\xdb\0\x03q"
#define COM     "\xff\xfe\0\x05xyz"
#define APP1(o) \
    "\xff\xe1\0\x2e" \
    "Exif\0\0" TIFF(o)
#define APP1_6 \
    "\xff\xe1\0\x22" \
    "Exif\0\0" TIFF_6
#define JFIF "\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\0\0"
#define ADOBE \
    "\xff\xee\0\x0e" \
    "Adobe\0d\0\0\0\0\1"
#define ICC(n) "\xff\xe2\0\x13ICC_PROFILE\0" n "\2abc"
#define JUST   "2x1 o1 icc0"

static const row_t jpeg[] = {
    { "a minimal JPEG", BYTES(SOI PICTURE), BYTES(SOI PICTURE), JUST },
    { "EXIF is removed, its orientation is kept", BYTES(SOI APP1("\6") PICTURE),
      BYTES(SOI APP1_6 PICTURE), "2x1 o6 icc0" },
    { "EXIF of the filter does not change", BYTES(SOI APP1_6 PICTURE), BYTES(SOI APP1_6 PICTURE),
      NULL },
    { "orientation 1 needs no EXIF", BYTES(SOI APP1("\1") PICTURE), BYTES(SOI PICTURE), JUST },
    { "orientation 9 is invalid", BYTES(SOI APP1("\x09") PICTURE), BYTES(SOI PICTURE), JUST },
    { "orientation 0 is invalid", BYTES(SOI APP1("\0") PICTURE), BYTES(SOI PICTURE), JUST },
    { "the first orientation is used", BYTES(SOI APP1("\0") APP1("\6") APP1("\3") PICTURE),
      BYTES(SOI APP1_6 PICTURE), "2x1 o6 icc0" },
    { "EXIF whose directory lies outside",
      BYTES(SOI "\xff\xe1\0\x10"
                "Exif\0\0"
                "MM\0*\xff\xff\xff\xff" PICTURE),
      BYTES(SOI PICTURE), JUST },
    { "EXIF that claims more entries",
      BYTES(SOI "\xff\xe1\0\x12"
                "Exif\0\0"
                "MM\0*\0\0\0\x08\xff\xff" PICTURE),
      BYTES(SOI PICTURE), JUST },
    { "EXIF with a truncated header",
      BYTES(SOI "\xff\xe1\0\x0c"
                "Exif\0\0"
                "MM\0*" PICTURE),
      BYTES(SOI PICTURE), JUST },
    { "EXIF after a scan is ignored", BYTES(SOI SOF("\xc0") SCAN APP1("\6") "\xff\xd9"),
      BYTES(SOI PICTURE), JUST },
    { "XMP, MPF, C2PA, IPTC, comments and unknown segments are removed",
      BYTES(SOI "\xff\xe1\0\x06http"
                "\xff\xe2\0\x06MPF\0"
                "\xff\xeb\0\x04JP"
                "\xff\xed\0\x02" COM "\xff\xef\0\x03x"
                "\xff\xf0\0\x03x" PICTURE),
      BYTES(SOI PICTURE), JUST },
    { "JFIF and Adobe are kept", BYTES(SOI JFIF ADOBE PICTURE), BYTES(SOI JFIF ADOBE PICTURE),
      JUST },
    { "JFIF's thumbnail is removed", BYTES(SOI "\xff\xe0\0\x13JFIF\0\1\2\0\0\1\0\1\1\1RGB" PICTURE),
      BYTES(SOI JFIF PICTURE), JUST },
    { "a missing thumbnail is corrected",
      BYTES(SOI "\xff\xe0\0\x10JFIF\0\1\2\0\0\1\0\1\1\1" PICTURE), BYTES(SOI JFIF PICTURE), JUST },
    { "JFXX and a second JFIF are removed", BYTES(SOI JFIF "\xff\xe0\0\x08JFXX\0\x10" JFIF PICTURE),
      BYTES(SOI JFIF PICTURE), JUST },
    { "JFIF comes before EXIF", BYTES(SOI APP1("\6") JFIF PICTURE), BYTES(SOI JFIF APP1_6 PICTURE),
      "2x1 o6 icc0" },
    { "JFIF after a table keeps its position", BYTES(SOI DQT JFIF APP1("\6") PICTURE),
      BYTES(SOI APP1_6 DQT JFIF PICTURE), NULL },
    { "bytes after Adobe's twelve are removed",
      BYTES(SOI "\xff\xee\0\x10"
                "Adobe\0d\0\0\0\0\1xy" PICTURE),
      BYTES(SOI ADOBE PICTURE), JUST },
    { "a profile in two segments is kept and counted", BYTES(SOI ICC("\1") COM ICC("\2") PICTURE),
      BYTES(SOI ICC("\1") ICC("\2") PICTURE), "2x1 o1 icc6" },
    { "a profile after a scan is removed", BYTES(SOI SOF("\xc0") SCAN ICC("\1") "\xff\xd9"),
      BYTES(SOI PICTURE), JUST },
    { "fill bytes before markers are removed", BYTES(SOI "\xff\xff\xff\xdb\0\x03q\xff" COM PICTURE),
      BYTES(SOI DQT PICTURE), JUST },
    { "padding between segments is removed", BYTES(SOI DQT "\0\0\xff\0pad" PICTURE),
      BYTES(SOI DQT PICTURE), JUST },
    { "TEM and a restart before the scans are removed", BYTES(SOI "\xff\x01\xff\xd0" PICTURE),
      BYTES(SOI PICTURE), JUST },
    { "stuffed bytes, restarts and fill bytes in a scan are kept",
      BYTES(SOI SOF("\xc0") SOS "\xff\0\xff\xd0\1\xff\xd7\xff\xff\0\2\xff\xff\xd9"),
      BYTES(SOI SOF("\xc0") SOS "\xff\0\xff\xd0\1\xff\xd7\xff\xff\0\2\xff\xff\xd9"), JUST },
    { "a comment between scans is removed", BYTES(SOI SOF("\xc2") SCAN COM DQT SCAN "\xff\xd9"),
      BYTES(SOI SOF("\xc2") SCAN DQT SCAN "\xff\xd9"), "2x1 o1 icc0 progressive" },
    { "one of several scans", BYTES(SOI SOF_TWO SCAN SCAN "\xff\xd9"),
      BYTES(SOI SOF_TWO SCAN SCAN "\xff\xd9"), "2x1 o1 icc0 progressive" },
    { "the height may follow the scan (DNL)",
      BYTES(SOI "\xff\xc0\0\x0b\x08\0\0\0\2\1\1\x11\0" SCAN "\xff\xdc\0\4\0\7\xff\xd9"),
      BYTES(SOI "\xff\xc0\0\x0b\x08\0\0\0\2\1\1\x11\0" SCAN "\xff\xdc\0\4\0\7\xff\xd9"),
      "2x7 o1 icc0" },
    { "restart intervals and arithmetic conditioning are kept",
      BYTES(SOI "\xff\xdd\0\4\0\1\xff\xcc\0\4xx" PICTURE),
      BYTES(SOI "\xff\xdd\0\4\0\1\xff\xcc\0\4xx" PICTURE), JUST },
    { "bytes after the end are removed", BYTES(SOI PICTURE SOI APP1("\6") PICTURE "ftyp"),
      BYTES(SOI PICTURE), JUST },
    { "a missing end is appended", BYTES(SOI SOF("\xc0") SCAN), BYTES(SOI PICTURE), JUST },
    { "the last kind of frame is accepted", BYTES(SOI SOF("\xcf") SCAN "\xff\xd9"),
      BYTES(SOI SOF("\xcf") SCAN "\xff\xd9"), JUST },
    { "a height before the scans is removed",
      BYTES(SOI SOF("\xc0") "\xff\xdc\0\4\0\7" SCAN "\xff\xd9"), BYTES(SOI PICTURE), JUST },
    { "with several scans and no end, one zero is kept",
      BYTES(SOI SOF("\xc2") SOS "abc"
                                "\0"),
      BYTES(SOI SOF("\xc2") SOS "abc"
                                "\0\xff\xd9"),
      "2x1 o1 icc0 progressive" },
    { "with several scans and no end, two zeros are removed",
      BYTES(SOI SOF("\xc2") SOS "abc"
                                "\0\0"),
      BYTES(SOI SOF("\xc2") SOS "abc"
                                "\xff\xd9"),
      "2x1 o1 icc0 progressive" },
    { "half an end is completed", BYTES(SOI SOF("\xc0") SCAN "\xff"), BYTES(SOI PICTURE), JUST },
    { "zeros in place of the end are removed, except for two",
      BYTES(SOI SOF("\xc0") SCAN "\0\0\0\0\0"), BYTES(SOI SOF("\xc0") SCAN "\0\0\xff\xd9"), JUST },
    { "a truncated segment after the last scan ends the picture",
      BYTES(SOI SOF("\xc0") SCAN "\xff\xfe\0\x7fx"), BYTES(SOI PICTURE), JUST },
    { "a JPEG without an end and without all components", BYTES(SOI SOF_TWO SCAN),
      "it ends before its end marker", 0, NULL },
    { "a progressive JPEG without an end and without all coefficients",
      BYTES(SOI SOF("\xc2") "\xff\xda\0\x08\1\1\0\0\0\0abc"), "it ends before its end marker", 0,
      NULL },
    { "a progressive JPEG without an end and without a bit",
      BYTES(SOI SOF("\xc2") "\xff\xda\0\x08\1\1\0\0\x3f\1abc"), "it ends before its end marker", 0,
      NULL },
    { "a progressive JPEG that lacks only its end",
      BYTES(SOI SOF("\xc2") "\xff\xda\0\x08\1\1\0\0\x3f\1abc"
                            "\xff\xda\0\x08\1\1\0\0\x3f\x10"
                            "abc"),
      BYTES(SOI SOF("\xc2") "\xff\xda\0\x08\1\1\0\0\x3f\1abc"
                            "\xff\xda\0\x08\1\1\0\0\x3f\x10"
                            "abc\xff\xd9"),
      "2x1 o1 icc0 progressive" },
    { "a segment that is too long", BYTES(SOI "\xff\xe1\xff\xff" PICTURE),
      "a segment reaches beyond the end", 0, NULL },
    { "a segment of length 1", BYTES(SOI "\xff\xe1\0\1" PICTURE), "a segment has no length", 0,
      NULL },
    { "a segment with a truncated length", BYTES(SOI "\xff\xe1\0"), "a segment has no length", 0,
      NULL },
    { "two frames", BYTES(SOI SOF("\xc0") PICTURE), "it has more than one frame", 0, NULL },
    { "a frame without components", BYTES(SOI "\xff\xc0\0\x08\x08\0\1\0\2\0" SCAN "\xff\xd9"),
      "its frame has no components", 0, NULL },
    { "a truncated frame", BYTES(SOI "\xff\xc0\0\x07\x08\0\1\0\2" SCAN "\xff\xd9"),
      "its frame header is cut short", 0, NULL },
    { "a scan before its frame", BYTES(SOI SCAN SOF("\xc0") "\xff\xd9"),
      "a scan comes before its frame", 0, NULL },
    { "a scan with a truncated header", BYTES(SOI SOF("\xc0") "\xff\xda\0\2\xff\xd9"),
      "a scan's header is cut short", 0, NULL },
    { "no scan", BYTES(SOI SOF("\xc0") "\xff\xd9"), "it has no scan", 0, NULL },
    { "a picture within a picture", BYTES(SOI DQT SOI PICTURE), "another picture begins within it",
      0, NULL },
    { "a scan that continues after a comment",
      BYTES(SOI SOF("\xc0") SCAN COM "\1\2\xff\xd1\3\xff\xd9"),
      "a restart marker stands outside its scans", 0, NULL },
};

/* PNG: the filter does not look at CRCs, decoders do. */
#define PNG   "\x89PNG\r\n\x1a\n"
#define IHDR  "\0\0\0\x0dIHDR\0\0\0\2\0\0\0\1\x08\0\0\0\0crc!"
#define LACED "\0\0\0\x0dIHDR\0\0\0\2\0\0\0\1\x08\0\0\0\1crc!"
#define IDAT  "\0\0\0\3IDATabccrc!"
#define IEND  "\0\0\0\0IENDcrc!"
#define LAST  "\0\0\0\0IEND\xae\x42\x60\x82"
#define EXIF(o) \
    "\0\0\0\x26" \
    "eXIf" TIFF(o) "crc!"
#define EXIF_6 \
    "\0\0\0\x1a" \
    "eXIf" TIFF_6 "\xd6\x67\x4b\x69"
#define CHUNK(t) "\0\0\0\1" t "xcrc!"

static const row_t png[] = {
    { "a minimal PNG", BYTES(PNG IHDR IDAT IEND), BYTES(PNG IHDR IDAT IEND), JUST },
    { "an interlaced PNG", BYTES(PNG LACED IDAT IEND), BYTES(PNG LACED IDAT IEND),
      "2x1 o1 icc0 progressive" },
    { "texts, times and private chunks are removed",
      BYTES(PNG IHDR CHUNK("tEXt") CHUNK("zTXt") IDAT CHUNK("iTXt") CHUNK("tIME") CHUNK("prVt")
                CHUNK("caBX") IEND),
      BYTES(PNG IHDR IDAT IEND), JUST },
    { "chunks that affect pixels are kept",
      BYTES(PNG IHDR CHUNK("PLTE") CHUNK("tRNS") CHUNK("cHRM") CHUNK("gAMA") CHUNK("sRGB")
                CHUNK("cICP") CHUNK("mDCV") CHUNK("cLLI") CHUNK("sBIT") CHUNK("pHYs") CHUNK("acTL")
                    CHUNK("fcTL") IDAT CHUNK("fdAT") IEND),
      BYTES(PNG IHDR CHUNK("PLTE") CHUNK("tRNS") CHUNK("cHRM") CHUNK("gAMA") CHUNK("sRGB")
                CHUNK("cICP") CHUNK("mDCV") CHUNK("cLLI") CHUNK("sBIT") CHUNK("pHYs") CHUNK("acTL")
                    CHUNK("fcTL") IDAT CHUNK("fdAT") IEND),
      JUST },
    { "a profile is kept and counted without its name",
      BYTES(PNG IHDR "\0\0\0\6iCCPn\0\0abccrc!" IDAT IEND),
      BYTES(PNG IHDR "\0\0\0\6iCCPn\0\0abccrc!" IDAT IEND), "2x1 o1 icc3" },
    { "eXIf is removed, its orientation is kept", BYTES(PNG IHDR EXIF("\6") IDAT IEND),
      BYTES(PNG IHDR EXIF_6 IDAT IEND), "2x1 o6 icc0" },
    { "eXIf after the pixels is used", BYTES(PNG IHDR IDAT EXIF("\6") IEND),
      BYTES(PNG IHDR EXIF_6 IDAT IEND), "2x1 o6 icc0" },
    { "eXIf after the end is ignored", BYTES(PNG IHDR IDAT IEND EXIF("\6")),
      BYTES(PNG IHDR IDAT IEND), JUST },
    { "a missing end is appended", BYTES(PNG IHDR IDAT), BYTES(PNG IHDR IDAT LAST), JUST },
    { "a truncated end is completed", BYTES(PNG IHDR EXIF("\6") IDAT "\0\0\0\0IEN"),
      BYTES(PNG IHDR EXIF_6 IDAT LAST), "2x1 o6 icc0" },
    { "zeros in place of the end are removed", BYTES(PNG IHDR IDAT "\0\0\0\0\0\0\0\0\0\0\0\0\0"),
      BYTES(PNG IHDR IDAT LAST), JUST },
    { "a truncated animation becomes its first picture",
      BYTES(PNG IHDR CHUNK("acTL") CHUNK("fcTL") IDAT CHUNK("fcTL") "\0\0\0\x40"
                                                                    "fdATxxcrc!"),
      BYTES(PNG IHDR IDAT LAST), JUST },
    { "a PNG that ends before its pixels", BYTES(PNG IHDR), "it ends before its last chunk", 0,
      NULL },
    { "truncated pixels keep the present part",
      BYTES(PNG IHDR "\0\0\0\x40"
                     "IDATabccrc!"),
      BYTES(PNG IHDR "\0\0\0\7"
                     "IDATabccrc!"
                     "\x83\x66\xf3\x50" LAST),
      JUST },
    { "a chunk that is too long", BYTES(PNG IHDR "\0\0\0\x40PLTEabccrc!"),
      "a chunk reaches beyond the end", 0, NULL },
    { "a chunk of 4 GB", BYTES(PNG IHDR "\xff\xff\xff\xffIDATabccrc!" IEND),
      "a chunk reaches beyond the end", 0, NULL },
    { "no header", BYTES(PNG IDAT IEND), "it does not begin with its header", 0, NULL },
    { "a short header", BYTES(PNG CHUNK("IHDR") IDAT IEND), "it does not begin with its header", 0,
      NULL },
    { "two headers", BYTES(PNG IHDR IHDR IDAT IEND), "it has more than one header", 0, NULL },
    { "no pixels", BYTES(PNG IHDR IEND), "it has no pixels", 0, NULL },
    { "a critical chunk", BYTES(PNG IHDR CHUNK("CgBI") IDAT IEND),
      "it has a critical chunk that is unknown", 0, NULL },
};

/* WebP: chunks of even and odd lengths; 2 x 1 pixels. */
#define RIFF(n) "RIFF" n "\0\0\0WEBP"
#define VP8 \
    "VP8 \x0a\0\0\0" \
    "\x30\1\0\x9d\x01\x2a\2\0\1\0"
#define VP8L    "VP8L\5\0\0\0\x2f\1\0\0\0"
#define VP8X(f) "VP8X\x0a\0\0\0" f "\0\0\0\1\0\0\0\0\0"
#define ICCP    "ICCP\2\0\0\0pr"
#define XMP     "XMP \4\0\0\0<x/>"
#define ODD     "PRIV\3\0\0\0abc\0"
#define WEXIF_6 "EXIF\x1a\0\0\0" TIFF_6
#define FHEAD   "\0\0\0\0\0\0\1\0\0\0\0\0\1\0\0\0"

static const row_t webp[] = {
    { "a lossy WebP", BYTES(RIFF("\x16") VP8), BYTES(RIFF("\x16") VP8), JUST },
    { "a lossless WebP", BYTES(RIFF("\x12") VP8L "\0"), BYTES(RIFF("\x12") VP8L "\0"), JUST },
    { "missing padding is inserted", BYTES(RIFF("\x11") VP8L), BYTES(RIFF("\x12") VP8L "\0"),
      JUST },
    { "bytes after plain pixels are removed", BYTES(RIFF("\x22") VP8 XMP), BYTES(RIFF("\x16") VP8),
      JUST },
    { "bytes after the RIFF are removed", BYTES(RIFF("\x16") VP8 "junk of any kind"),
      BYTES(RIFF("\x16") VP8), JUST },
    { "a RIFF with a longer length", BYTES(RIFF("\x7e") VP8), BYTES(RIFF("\x16") VP8), JUST },
    { "a RIFF that ends within a chunk", BYTES(RIFF("\x0e") VP8), BYTES(RIFF("\x16") VP8), JUST },
    { "an empty RIFF", BYTES(RIFF("\0") VP8), BYTES(RIFF("\x16") VP8), JUST },
    { "a truncated chunk after the pixels is removed",
      BYTES(RIFF("\x50") VP8X("\x08") VP8 "EXIF\x26\0\0\0MM"), BYTES(RIFF("\x28") VP8X("\0") VP8),
      JUST },
    { "a truncated later frame is removed",
      BYTES(RIFF("\x7e") VP8X("\2") "ANMF\x22\0\0\0" FHEAD VP8 "ANMF\x22\0\0\0" FHEAD
                                    "VP8 \x0a\0\0\0\x30"),
      BYTES(RIFF("\x40") VP8X("\2") "ANMF\x22\0\0\0" FHEAD VP8), JUST },
    { "a later frame with a chunk that is too long is removed",
      BYTES(RIFF("\x6a") VP8X("\2") "ANMF\x22\0\0\0" FHEAD VP8 "ANMF\x1a\0\0\0" FHEAD
                                    "VP8 \x0a\0\0\0xx"),
      BYTES(RIFF("\x40") VP8X("\2") "ANMF\x22\0\0\0" FHEAD VP8), JUST },
    { "an odd RIFF", BYTES(RIFF("\x17") VP8 "x"), BYTES(RIFF("\x16") VP8), JUST },
    { "metadata and their flags are removed",
      BYTES(RIFF("\x78") VP8X("\x2c") ICCP VP8 ODD XMP "EXIF\4\0\0\0MM\0*"),
      BYTES(RIFF("\x32") VP8X("\x20") ICCP VP8), "2x1 o1 icc2" },
    { "EXIF is removed, its orientation is kept",
      BYTES(RIFF("\x56") VP8X("\x08") VP8 "EXIF\x26\0\0\0" TIFF("\6")),
      BYTES(RIFF("\x4a") VP8X("\x08") VP8 WEXIF_6), "2x1 o6 icc0" },
    { "EXIF as in a JPEG, without a flag",
      BYTES(RIFF("\x5c") VP8X("\0") "EXIF\x2c\0\0\0"
                                    "Exif\0\0" TIFF("\6") VP8),
      BYTES(RIFF("\x4a") VP8X("\x08") VP8 WEXIF_6), "2x1 o6 icc0" },
    { "the first profile is used", BYTES(RIFF("\x3c") VP8X("\x20") ICCP ICCP VP8),
      BYTES(RIFF("\x32") VP8X("\x20") ICCP VP8), "2x1 o1 icc2" },
    { "unknown chunks in a frame are blanked",
      BYTES(RIFF("\x5c") VP8X("\2") "ANIM\6\0\0\0\0\0\0\0\0\0"
                                    "ANMF\x2f\0\0\0" FHEAD VP8 ODD "x"
                                    "\0"),
      BYTES(RIFF("\x5c") VP8X("\2") "ANIM\6\0\0\0\0\0\0\0\0\0"
                                    "ANMF\x2f\0\0\0" FHEAD VP8 "PRIV\3\0\0\0\0\0\0\0"
                                    "\0"
                                    "\0"),
      JUST },
    { "a chunk that is too long",
      BYTES(RIFF("\x16") "VP8 \x0c\0\0\0"
                         "\x30\1\0\x9d\x01\x2a\2\0\1\0"),
      "a chunk reaches beyond the end", 0, NULL },
    { "a chunk within a frame that is too long",
      BYTES(RIFF("\x40") VP8X("\2") "ANMF\x1a\0\0\0" FHEAD "VP8 \x09\0\0\0xx"),
      "a chunk reaches beyond the end", 0, NULL },
    { "a truncated frame", BYTES(RIFF("\x22") VP8X("\2") "ANMF\x04\0\0\0xxxx" VP8),
      "a frame is cut short", 0, NULL },
    { "another header", BYTES(RIFF("\x14") "JUNK\x08\0\0\0abcdefgh"),
      "it does not begin with its header", 0, NULL },
    { "a header of another length", BYTES(RIFF("\x22") "VP8X\4\0\0\0\0\0\0\0" VP8),
      "it does not begin with its header", 0, NULL },
    { "no chunk", BYTES(RIFF("\x04")), "it has no chunk", 0, NULL },
    { "no pixels", BYTES(RIFF("\x16") VP8X("\0")), "it has no pixels", 0, NULL },
};

/* GIF: a table of two colors; one pixel. */
#define HEAD     "GIF89a\2\0\1\0\x80\0\0rgbRGB"
#define FRAME    "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
#define WIDE     "\x2c\1\0\2\0\3\0\4\0\x80rgbRGB\2\2\x44\1\0"
#define GCE      "\x21\xf9\4\0\0\0\0\0"
#define NETSCAPE "\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0"

static const row_t gif[] = {
    { "a minimal GIF", BYTES(HEAD FRAME ";"), BYTES(HEAD FRAME ";"), JUST },
    { "timing and loops of an animation are kept", BYTES(HEAD NETSCAPE GCE FRAME GCE FRAME ";"),
      BYTES(HEAD NETSCAPE GCE FRAME GCE FRAME ";"), JUST },
    { "comments, texts and XMP are removed",
      BYTES(HEAD "\x21\xfe\2ab\1c\0" GCE FRAME "\x21\xff\x0bXMP DataXMP\3<x>\0"
                 "\x21\x01\x0c"
                 "abcdefghijkl"
                 "\2xy\0"
                 "\x21\xaa\1x\0"
                 ";"),
      BYTES(HEAD GCE FRAME ";"), JUST },
    { "a loop extension with other blocks is removed",
      BYTES(HEAD "\x21\xff\x0bNETSCAPE2.0\3\1\0\0\2hi\0" FRAME ";"), BYTES(HEAD FRAME ";"), JUST },
    { "a loop extension with another name is kept",
      BYTES(HEAD "\x21\xff\x0b"
                 "ANIMEXTS1.0\3\1\0\0\5\2\0\0\0\0\0" FRAME ";"),
      BYTES(HEAD "\x21\xff\x0b"
                 "ANIMEXTS1.0\3\1\0\0\5\2\0\0\0\0\0" FRAME ";"),
      JUST },
    { "a profile is kept and counted", BYTES(HEAD "\x21\xff\x0bICCRGBG1012\3abc\0" FRAME ";"),
      BYTES(HEAD "\x21\xff\x0bICCRGBG1012\3abc\0" FRAME ";"), "2x1 o1 icc5" },
    { "bytes after the four of a control are removed",
      BYTES(HEAD "\x21\xf9\4\0\0\0\0\2hi\0" FRAME ";"), BYTES(HEAD GCE FRAME ";"), JUST },
    { "bytes after the end are removed", BYTES(HEAD FRAME ";" HEAD), BYTES(HEAD FRAME ";"), JUST },
    { "a byte that starts no block ends the picture", BYTES(HEAD FRAME "\0junk"),
      BYTES(HEAD FRAME ";"), JUST },
    { "a missing end is appended", BYTES(HEAD FRAME), BYTES(HEAD FRAME ";"), JUST },
    { "a picture may be larger than its screen, by its offset from each side", BYTES(HEAD WIDE ";"),
      BYTES(HEAD WIDE ";"), "4x6 o1 icc0" },
    { "a table of four colors is skipped",
      BYTES("GIF89a\2\0\1\0\x81\0\0"
            "\x21\xfe\2!!!\0;;;;;" FRAME ";"),
      BYTES("GIF89a\2\0\1\0\x81\0\0"
            "\x21\xfe\2!!!\0;;;;;" FRAME ";"),
      JUST },
    { "a table without its flag is absent", BYTES("GIF89a\2\0\1\0\x07\0\0" FRAME ";"),
      BYTES("GIF89a\2\0\1\0\x07\0\0" FRAME ";"), JUST },
    { "a truncated table", BYTES("GIF89a\2\0\1\0\x80\0\0rgbR"), "its header is cut short", 0,
      NULL },
    { "a truncated header", BYTES("GIF89a\2\0"), "its header is cut short", 0, NULL },
    { "blocks without an end", BYTES(HEAD "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1"),
      "a block reaches beyond the end", 0, NULL },
    { "a block that is too long ends the picture", BYTES(HEAD FRAME "\x21\xfe\x7fx;"),
      BYTES(HEAD FRAME ";"), JUST },
    { "a truncated later picture and its control are removed",
      BYTES(HEAD GCE FRAME GCE "\x2c\0\0\0\0\1\0\1\0\0\2\2\x44"), BYTES(HEAD GCE FRAME ";"), JUST },
    { "a block that is too long before the first picture", BYTES(HEAD "\x21\xfe\x7fx" FRAME ";"),
      "a block reaches beyond the end", 0, NULL },
    { "a truncated table of a picture", BYTES(HEAD "\x2c\0\0\0\0\1\0\1\0\x87\2\2\x44\1\0"),
      "a block reaches beyond the end", 0, NULL },
    { "no picture", BYTES(HEAD GCE ";"), "it has no picture", 0, NULL },
};

static const char *facts_of(const iimg_metadata_t *facts)
{
    static char text[80];

    snprintf(text, sizeof(text), "%ux%u o%d icc%d%s", facts->width, facts->height,
             facts->orientation, (int)facts->icc_length, facts->progressive ? " progressive" : "");
    return text;
}

/* A copy of just that length, so that a sanitizer sees the first byte too far. */
static unsigned char *copy_of(const char *bytes, size_t length)
{
    unsigned char *copy = malloc(length ? length : 1);

    if (!copy) {
        abort();
    }
    memcpy(copy, bytes, length);
    return copy;
}

static void test_row(const char *kind, const row_t *row)
{
    unsigned char *copy = copy_of(row->bytes, row->length);
    filtered_t filtered;

    tap_is(filter_picture(copy, row->length, &filtered), NULL,
           "%s: %s: the filter returns a result", kind, row->name);
    if (row->result_length == 0) {
        tap_is(filtered.wrong, row->result, "%s: %s is refused", kind, row->name);
    }
    else {
        tap_ok(!filtered.wrong && filtered.length == row->result_length
                   && memcmp(filtered.bytes, row->result, row->result_length) == 0,
               "%s: %s", kind, row->name);
        tap_is(check_picture(copy, row->length), NULL, "%s: %s: filtering again changes nothing",
               kind, row->name);
    }
    if (row->facts) {
        tap_is(facts_of(&filtered.facts), row->facts, "%s: %s: its facts", kind, row->name);
    }
    free(filtered.bytes);
    free(copy);
}

/* Cut anywhere, it is refused or as good as before. */
static void test_cuts(const char *kind, const row_t *row)
{
    const char *broken = NULL;

    for (size_t length = 0; length < row->length && !broken; length++) {
        unsigned char *copy = copy_of(row->bytes, length);

        broken = check_picture(copy, length);
        free(copy);
    }
    tap_is(broken, NULL, "%s: %s truncated anywhere gives a result", kind, row->name);
}

static void test_rows(const char *kind, const row_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        test_row(kind, &rows[i]);
        test_cuts(kind, &rows[i]);
    }
}

/* More pieces than an edit has steps: refused, not cut off. */
static void test_pieces(void)
{
    enum {
        PAIRS = IIMG_EDIT_MAX_STEPS + 1,
        PAIR = sizeof(DQT COM) - 1
    };
    size_t length = 2 + PAIRS * PAIR + sizeof(PICTURE) - 1;
    unsigned char *bytes = malloc(length);
    filtered_t filtered;

    if (!bytes) {
        abort();
    }
    memcpy(bytes, SOI, 2);
    for (size_t i = 0; i < PAIRS; i++) {
        memcpy(bytes + 2 + i * PAIR, DQT COM, PAIR);
    }
    memcpy(bytes + 2 + PAIRS * PAIR, PICTURE, sizeof(PICTURE) - 1);
    tap_is(filter_picture(bytes, length, &filtered), NULL,
           "a JPEG of too many pieces gives a result");
    tap_is(filtered.wrong, "it has too many pieces", "and refused");
    free(bytes);
}

/* Of an animation, how much its first picture takes. */
static size_t still_length(const char *bytes, size_t length)
{
    unsigned char *copy = copy_of(bytes, length);
    filtered_t filtered;
    size_t still;

    filter_picture(copy, length, &filtered);
    still = (size_t)filtered.facts.still_length;
    free(filtered.bytes);
    free(copy);
    return still;
}

static void test_stills(void)
{
#define ANMF "ANMF\x22\0\0\0" FHEAD VP8
    static const char moving[] = RIFF("\x94") VP8X("\2") ANMF ANMF ANMF;
    static const char two[] = HEAD GCE FRAME GCE FRAME GCE FRAME ";";

    tap_is_number(still_length(BYTES(moving)), sizeof(RIFF("\x94") VP8X("\2") ANMF) - 1,
                  "an animated WebP has the length of its first frame");
    tap_is_number(still_length(BYTES(two)), sizeof(HEAD GCE FRAME) - 1,
                  "an animated GIF has the length of its first frame");
    tap_is_number(still_length(BYTES(HEAD GCE FRAME ";")), 0, "a still picture has no such length");
}

#define ROWS(rows) rows, sizeof(rows) / sizeof(rows[0])

int main(void)
{
    static const row_t text = { "text", BYTES("no picture at all"), "its kind is unknown", 0,
                                NULL };

    test_rows("JPEG", ROWS(jpeg));
    test_rows("PNG", ROWS(png));
    test_rows("WebP", ROWS(webp));
    test_rows("GIF", ROWS(gif));
    test_row("unknown", &text);
    test_pieces();
    test_stills();
    return tap_done();
}
