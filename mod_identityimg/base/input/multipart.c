/* multipart.c - the parts of a multipart/form-data body.
 *
 * This file finds the delimiters and where the headers of each part end. GMime reads the headers
 * alone, never the content. Parts point into the body.
 */
#include "base/input/multipart.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <apr_strings.h>
#include <gmime/gmime.h>

static const char unusable[] = "a part has no usable Content-Disposition";

typedef struct form_t {
    apr_pool_t *pool;
    const char *body, *end;
    const char *boundary; /* with the hyphens in front */
    size_t width;         /* of the boundary */
    apr_array_header_t *parts;
} form_t;

typedef struct delimiter_t {
    const char *start;
    const char *end; /* of its line */
    bool closes;     /* no part follows */
} delimiter_t;

void iimg_multipart_start(void)
{
    g_mime_init();
}

static apr_status_t drop_object(void *data)
{
    g_object_unref(data);
    return APR_SUCCESS;
}

static void *own_object(apr_pool_t *pool, void *object)
{
    if (object) {
        apr_pool_cleanup_register(pool, object, drop_object, apr_pool_cleanup_null);
    }
    return object;
}

static iimg_error_t *refuse_form(const form_t *form, const char *why)
{
    return iimg_error_with_code(form->pool, IIMG_INVALID, "parse_error",
                                "Multipart form parse error - %s", why);
}

static iimg_error_t *read_boundary(form_t *form, const char *content_type)
{
    GMimeContentType *type = own_object(form->pool, g_mime_content_type_parse(NULL, content_type));
    const char *boundary = type ? g_mime_content_type_get_parameter(type, "boundary") : NULL;

    /* RFC 2046, section 5.1.1: 1 to 70 characters. */
    if (!boundary || !*boundary || strlen(boundary) > 70) {
        return refuse_form(form, "Invalid boundary in multipart");
    }
    form->boundary = apr_pstrcat(form->pool, "--", boundary, NULL);
    form->width = strlen(form->boundary);
    return NULL;
}

/* Delimiters ---------------------------------------------------------------------------------- */

/* Read a boundary that was found as a delimiter. @return false when its line is content */
static bool read_delimiter(const form_t *form, const char *start, delimiter_t *delimiter)
{
    const char *rest = start + form->width;

    if (start > form->body && start[-1] != '\n') {
        return false;
    }
    delimiter->start = start;
    delimiter->closes = form->end - rest >= 2 && rest[0] == '-' && rest[1] == '-';
    rest += delimiter->closes ? 2 : 0;
    while (rest < form->end && (*rest == ' ' || *rest == '\t' || *rest == '\r')) {
        rest++;
    }
    delimiter->end = rest < form->end ? rest + 1 : rest;
    return rest == form->end || *rest == '\n';
}

static bool find_delimiter(const form_t *form, const char *from, delimiter_t *delimiter)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): set without error */
    while ((from = memmem(from, (size_t)(form->end - from), form->boundary, form->width))) {
        if (read_delimiter(form, from, delimiter)) {
            return true;
        }
        from += form->width;
    }
    return false;
}

/* Find what follows the empty line that ends the headers of a part. The limits include the line of
 * the delimiter. */
static iimg_error_t *find_content(const form_t *form, const delimiter_t *opens, const char *end,
                                  const char **content)
{
    bool is_long = end - opens->start > IIMG_MULTIPART_MAX_HEADERS;
    const char *limit = is_long ? opens->start + IIMG_MULTIPART_MAX_HEADERS : end;
    const char *p = opens->start;

    for (int lines = 0; lines < IIMG_MULTIPART_MAX_HEADER_LINES; lines++) {
        p = memchr(p, '\n', (size_t)(limit - p));
        if (!p && !is_long) {
            return refuse_form(form, unusable);
        }
        if (!p) {
            break;
        }
        p++;
        *content = p + (p < limit && *p == '\r');
        if (*content < limit && **content == '\n') {
            ++*content;
            return NULL;
        }
    }
    return refuse_form(
        form, apr_psprintf(form->pool, "a part has more than %d bytes or %d lines of headers",
                           IIMG_MULTIPART_MAX_HEADERS, IIMG_MULTIPART_MAX_HEADER_LINES));
}

/* Parts --------------------------------------------------------------------------------------- */

static GMimeObject *parse_headers(const form_t *form, const char *headers, const char *end)
{
    GMimeStream *stream = own_object(
        form->pool, g_mime_stream_mem_new_with_buffer(headers, (size_t)(end - headers)));
    GMimeParser *parser = own_object(form->pool, g_mime_parser_new_with_stream(stream));

    g_mime_parser_set_persist_stream(parser, TRUE);
    return own_object(form->pool, g_mime_parser_construct_part(parser, NULL));
}

static bool is_form_data(GMimeContentDisposition *disposition)
{
    const char *kind = disposition ? g_mime_content_disposition_get_disposition(disposition) : NULL;

    return kind && strcasecmp(kind, "form-data") == 0;
}

/* GMime has classes for some of these types only. */
static bool is_composite(GMimeObject *object)
{
    const char *type = g_mime_content_type_get_media_type(g_mime_object_get_content_type(object));

    return !GMIME_IS_PART(object)
           || (type && (strcasecmp(type, "multipart") == 0 || strcasecmp(type, "message") == 0));
}

/* Set the content: what follows the headers that GMime read, without the last line break. */
static void set_content(iimg_part_t *part, const char *start, const char *end)
{
    if (end > start && end[-1] == '\n') {
        end--;
        end -= end > start && end[-1] == '\r';
    }
    part->data = start;
    part->length = (apr_size_t)(end - start);
}

static iimg_error_t *read_part(form_t *form, const delimiter_t *opens, const char *end)
{
    iimg_part_t *part = &APR_ARRAY_PUSH(form->parts, iimg_part_t);
    const char *headers_end = end;
    iimg_error_t *err = find_content(form, opens, end, &headers_end);
    GMimeContentDisposition *disposition;
    GMimeDataWrapper *content;
    GMimeStream *stream;
    GMimeObject *object;

    if (err) {
        return err;
    }
    object = parse_headers(form, opens->end, headers_end);
    if (object && is_composite(object)) {
        return refuse_form(form, "a part is itself a multipart or a message");
    }
    disposition = object ? g_mime_object_get_content_disposition(object) : NULL;
    content = is_form_data(disposition) ? g_mime_part_get_content(GMIME_PART(object)) : NULL;
    stream = content ? g_mime_data_wrapper_get_stream(content) : NULL;
    if (!stream) {
        return refuse_form(form, unusable);
    }
    part->name = apr_pstrdup(form->pool,
                             g_mime_content_disposition_get_parameter(disposition, "name"));
    part->filename = apr_pstrdup(form->pool,
                                 g_mime_content_disposition_get_parameter(disposition, "filename"));
    set_content(part, opens->end + stream->bound_start, end);
    return part->name ? NULL : refuse_form(form, unusable);
}

iimg_error_t *iimg_multipart_parse(apr_pool_t *pool, const char *content_type, const char *body,
                                   apr_size_t length, apr_array_header_t **parts)
{
    form_t form = { .pool = pool, .body = body, .end = body + length };
    iimg_error_t *err = read_boundary(&form, content_type);
    delimiter_t delimiter, next;

    if (err) {
        return err;
    }
    form.parts = *parts = apr_array_make(pool, 4, sizeof(iimg_part_t));
    if (!find_delimiter(&form, body, &delimiter)) {
        return refuse_form(&form, "the body holds no boundary");
    }
    if (delimiter.closes && delimiter.start > body) {
        return refuse_form(&form, "the body is cut short");
    }
    for (; !delimiter.closes; delimiter = next) {
        if (form.parts->nelts == IIMG_MULTIPART_MAX_PARTS) {
            return refuse_form(&form,
                               apr_psprintf(pool, "more than %d parts", IIMG_MULTIPART_MAX_PARTS));
        }
        if (!find_delimiter(&form, delimiter.end, &next)) {
            return refuse_form(&form, "the body is cut short");
        }
        err = read_part(&form, &delimiter, next.start);
        if (err) {
            return err;
        }
    }
    return NULL;
}
