/* multipart.c - the parts of a multipart/form-data body, found through GMime. */
#include "base/input/multipart.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <gmime/gmime.h>

/* GMime looks at each byte of a file, which is most of what a form costs. What is far from all
 * delimiters it need not see: a joint stands there, whose NULs are in no boundary. */
#define EDGE  (IIMG_MULTIPART_MAX_HEADERS + 1024) /* what it sees on both sides of a delimiter */
#define JOINT 128
#define WORTH 65536 /* bytes that must be left out at least */

/* A piece of the message that GMime does not see. */
typedef struct gap_t {
    apr_size_t offset, length; /* in the message */
} gap_t;

typedef struct form_t {
    apr_pool_t *pool;
    const char *message; /* preamble and body */
    apr_size_t length;
    apr_size_t offset; /* of the body within the message */
    const char *boundary;
    gap_t gaps[IIMG_MULTIPART_MAX_PARTS + 2];
    int gap_count;
    apr_array_header_t *parts;
} form_t;

const char *iimg_multipart_preamble(apr_pool_t *pool, const char *content_type)
{
    return apr_pstrcat(pool, "MIME-Version: 1.0\r\nContent-Type: ", content_type, "\r\n\r\n", NULL);
}

void iimg_multipart_start(void)
{
    g_mime_init();
}

static apr_status_t drop_object(void *data)
{
    g_object_unref(data);
    return APR_SUCCESS;
}

static void *own(apr_pool_t *pool, void *object)
{
    if (object) {
        apr_pool_cleanup_register(pool, object, drop_object, apr_pool_cleanup_null);
    }
    return object;
}

static iimg_error_t *refuse(apr_pool_t *pool, const char *why)
{
    return iimg_error_with_code(pool, IIMG_INVALID, "parse_error",
                                "Multipart form parse error - %s", why);
}

static iimg_error_t *read_boundary(form_t *form, const char *content_type)
{
    GMimeContentType *type = own(form->pool, g_mime_content_type_parse(NULL, content_type));
    const char *boundary = type ? g_mime_content_type_get_parameter(type, "boundary") : NULL;

    /* RFC 2046, section 5.1.1: 1 to 70 characters. */
    if (!boundary || !*boundary || strlen(boundary) > 70) {
        return refuse(form->pool, "Invalid boundary in multipart");
    }
    form->boundary = apr_pstrcat(form->pool, "--", boundary, NULL);
    return NULL;
}

/* Whether a line that is the delimiter stands at p: what follows are a part's headers. */
static bool is_delimiter_line(const form_t *form, const char *p)
{
    const char *end = form->message + form->length;
    const char *rest = p + strlen(form->boundary);

    while (rest < end && (*rest == ' ' || *rest == '\t' || *rest == '\r')) {
        rest++;
    }
    return p[-1] == '\n' && rest < end && *rest == '\n';
}

/* Whether the headers behind a delimiter are too long: no empty line ends them soon enough. */
static bool has_long_headers(const form_t *form, const char *p)
{
    const char *end = form->message + form->length;
    int lines = 0;

    if (!is_delimiter_line(form, p)) {
        return false;
    }
    if (end - p > IIMG_MULTIPART_MAX_HEADERS) {
        end = p + IIMG_MULTIPART_MAX_HEADERS;
    }
    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        p++;
        p += p < end && *p == '\r';
        if (p < end && *p == '\n') {
            return lines >= IIMG_MULTIPART_MAX_HEADER_LINES;
        }
        lines++;
    }
    /* Where the message ends before the headers do, GMime says so. */
    return end < form->message + form->length || lines > IIMG_MULTIPART_MAX_HEADER_LINES;
}

/* From behind one boundary, or the preamble, to the next one, or the end. */
static void leave_out(form_t *form, const char *from, const char *to)
{
    if (to - from >= 2 * EDGE + WORTH) {
        form->gaps[form->gap_count++] = (gap_t){ (apr_size_t)(from + EDGE - form->message),
                                                 (apr_size_t)(to - from) - 2 * EDGE };
    }
}

/* GMime builds an object for each part and each header: count them before it does.
 * @return why the form is refused, NULL when it is not */
static const char *find_excess(form_t *form)
{
    /* The preamble ends in a line break: there is a byte in front of any delimiter. */
    const char *p = form->message + form->offset, *end = form->message + form->length;
    const char *behind = p;
    size_t width = strlen(form->boundary);
    int delimiters = 0;

    while ((p = memmem(p, (size_t)(end - p), form->boundary, width)) != NULL) {
        if (++delimiters > IIMG_MULTIPART_MAX_PARTS + 1) {
            return apr_psprintf(form->pool, "more than %d parts", IIMG_MULTIPART_MAX_PARTS);
        }
        if (has_long_headers(form, p)) {
            return apr_psprintf(form->pool, "a part has more than %d bytes or %d lines of headers",
                                IIMG_MULTIPART_MAX_HEADERS, IIMG_MULTIPART_MAX_HEADER_LINES);
        }
        leave_out(form, behind, p);
        p += width;
        behind = p;
    }
    leave_out(form, behind, end);
    return delimiters ? NULL : "the body holds no boundary";
}

/* Frees GLib's wrapper only: the bytes are the body's owner's. */
static apr_status_t drop_wrapper(void *data)
{
    g_byte_array_free(data, FALSE);
    return APR_SUCCESS;
}

/* The message with joints for gaps. */
static const char *shorten(const form_t *form, apr_size_t *length)
{
    apr_size_t read = 0, written = 0;
    char *text;

    *length = form->length;
    for (int i = 0; i < form->gap_count; i++) {
        *length -= form->gaps[i].length - JOINT;
    }
    if (form->gap_count == 0) {
        return form->message;
    }
    text = apr_palloc(form->pool, *length);
    for (int i = 0; i < form->gap_count; i++) {
        const gap_t *gap = &form->gaps[i];

        memcpy(text + written, form->message + read, gap->offset - read);
        written += gap->offset - read;
        memset(text + written, 0, JOINT);
        written += JOINT;
        read = gap->offset + gap->length;
    }
    memcpy(text + written, form->message + read, form->length - read);
    return text;
}

/* What is where in the message that GMime has found in the shortened one. */
static apr_size_t place(const form_t *form, gint64 found)
{
    apr_size_t at = found > 0 ? (apr_size_t)found : 0;

    for (int i = 0; i < form->gap_count && at > form->gaps[i].offset; i++) {
        at += form->gaps[i].length - JOINT;
    }
    return at;
}

static GMimeStream *stream_of(form_t *form)
{
    GByteArray *bytes = g_byte_array_new();
    GMimeStream *stream;
    apr_size_t length;

    apr_pool_cleanup_register(form->pool, bytes, drop_wrapper, apr_pool_cleanup_null);
    bytes->data = (guint8 *)shorten(form, &length);
    bytes->len = (guint)length;
    stream = own(form->pool, g_mime_stream_mem_new_with_byte_array(bytes));
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
    g_mime_stream_set_bounds(stream, 0, (gint64)length);
    return stream;
}

/* The delimiter must stand right behind a part, and behind the last one the closing form of it:
 * else the body was cut short. */
static bool is_whole(const form_t *form, const iimg_part_t *part, bool last)
{
    const char *p = part->data + part->length, *end = form->message + form->length;
    size_t width = strlen(form->boundary);

    p += p < end && *p == '\r';
    p += p < end && *p == '\n';
    if ((size_t)(end - p) < width || memcmp(p, form->boundary, width) != 0) {
        return false;
    }
    p += width;
    return !last || (end - p >= 2 && p[0] == '-' && p[1] == '-');
}

static bool is_form_data(GMimeContentDisposition *disposition)
{
    const char *kind = g_mime_content_disposition_get_disposition(disposition);

    return kind && strcasecmp(kind, "form-data") == 0;
}

/* GMime reads only some of these as what they are. */
static bool is_composite(GMimeObject *object)
{
    const char *type = g_mime_content_type_get_media_type(g_mime_object_get_content_type(object));

    return !GMIME_IS_PART(object)
           || (type && (strcasecmp(type, "multipart") == 0 || strcasecmp(type, "message") == 0));
}

static iimg_error_t *read_part(form_t *form, GMimeObject *object, bool last)
{
    GMimeContentDisposition *disposition = g_mime_object_get_content_disposition(object);
    iimg_part_t *part = &APR_ARRAY_PUSH(form->parts, iimg_part_t);
    GMimeDataWrapper *content;
    GMimeStream *stream;

    if (is_composite(object)) {
        return refuse(form->pool, "a part is itself a multipart or a message");
    }
    if (!disposition || !is_form_data(disposition)) {
        return refuse(form->pool, "a part has no usable Content-Disposition");
    }
    part->name = apr_pstrdup(form->pool,
                             g_mime_content_disposition_get_parameter(disposition, "name"));
    part->filename = apr_pstrdup(form->pool,
                                 g_mime_content_disposition_get_parameter(disposition, "filename"));
    content = g_mime_part_get_content(GMIME_PART(object));
    stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
    if (!part->name || !stream || stream->bound_start < (gint64)form->offset
        || stream->bound_end < stream->bound_start
        || place(form, stream->bound_end) > form->length) {
        return refuse(form->pool, "a part has no usable Content-Disposition");
    }
    part->data = form->message + place(form, stream->bound_start);
    part->length = place(form, stream->bound_end) - place(form, stream->bound_start);
    return is_whole(form, part, last) ? NULL : refuse(form->pool, "the body is cut short");
}

static iimg_error_t *read_parts(form_t *form, GMimeObject *whole)
{
    iimg_error_t *err = NULL;
    int count;

    if (!GMIME_IS_MULTIPART(whole)) {
        return refuse(form->pool, "the body is no multipart form");
    }
    count = g_mime_multipart_get_count(GMIME_MULTIPART(whole));
    for (int i = 0; i < count && !err; i++) {
        err = read_part(form, g_mime_multipart_get_part(GMIME_MULTIPART(whole), i), i == count - 1);
    }
    return err || count > 0 ? err : refuse(form->pool, "the body is cut short");
}

static bool is_empty_form(const form_t *form)
{
    const char *close = apr_pstrcat(form->pool, form->boundary, "--", NULL);

    return form->length - form->offset >= strlen(close)
           && memcmp(form->message + form->offset, close, strlen(close)) == 0;
}

iimg_error_t *iimg_multipart_parse(apr_pool_t *pool, const char *content_type, const char *message,
                                   apr_size_t length, apr_array_header_t **parts)
{
    form_t form = { .pool = pool, .message = message, .length = length };
    GMimeParser *parser;
    const char *excess;
    iimg_error_t *err = read_boundary(&form, content_type);

    if (err) {
        return err;
    }
    form.offset = strlen(iimg_multipart_preamble(pool, content_type));
    form.parts = *parts = apr_array_make(pool, 4, sizeof(iimg_part_t));
    if (is_empty_form(&form)) {
        return NULL;
    }
    excess = find_excess(&form);
    if (excess) {
        return refuse(pool, excess);
    }
    parser = own(pool, g_mime_parser_new_with_stream(stream_of(&form)));
    g_mime_parser_set_persist_stream(parser, TRUE);
    g_mime_parser_set_respect_content_length(parser, FALSE);
    return read_parts(&form, own(pool, g_mime_parser_construct_part(parser, NULL)));
}
