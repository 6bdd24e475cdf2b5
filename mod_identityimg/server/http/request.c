/* request.c - one HTTP request as views see it: context, query, input, upload. */
#include "server/http/request.h"

#include <string.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include "base/log.h"
#include "base/pool.h"
#include "base/text.h"
#include "base/trace_context.h"
#include "base/uuid.h"
#include "server/http/body.h"
#include "server/database/database.h"

APLOG_USE_MODULE(identityimg);

typedef struct state_t {
    iimg_context_t context;
    iimg_log_sink_t sink;
    iimg_error_t *pending;
    bool login_open;
    bool login_inherited;
} state_t;

/* Log ----------------------------------------------------------------------------------------- */

static const int levels[] = {
    [IIMG_LOG_ERROR] = APLOG_ERR,    [IIMG_LOG_WARNING] = APLOG_WARNING,
    [IIMG_LOG_INFO] = APLOG_INFO,    [IIMG_LOG_DEBUG] = APLOG_DEBUG,
    [IIMG_LOG_TRACE] = APLOG_TRACE1,
};

static bool request_enabled(void *baton, iimg_log_level_t level)
{
    const request_rec *r = baton;

    return APLOG_R_IS_LEVEL(r, levels[level]);
}

static void request_write(void *baton, const char *file, int line, iimg_log_level_t level,
                          const char *text)
{
    ap_log_rerror(file, line, APLOG_MODULE_INDEX, levels[level], 0, (request_rec *)baton, "%s",
                  text);
}

static bool server_enabled(void *baton, iimg_log_level_t level)
{
    const server_rec *server = baton;

    return APLOG_IS_LEVEL(server, levels[level]);
}

static void server_write(void *baton, const char *file, int line, iimg_log_level_t level,
                         const char *text)
{
    ap_log_error(file, line, APLOG_MODULE_INDEX, levels[level], 0, (server_rec *)baton, "%s", text);
}

/* Context ------------------------------------------------------------------------------------- */

static bool is_request_id(const char *text)
{
    size_t n = text ? strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789._-")
                    : 0;

    return n >= 1 && n <= 64 && text[n] == '\0';
}

static const char *base_url(request_rec *r)
{
    const iimg_config_t *config = iimg_config_of(r->server);

    return config->base_url ? config->base_url : ap_construct_url(r->pool, "", r);
}

/* An invalid header is ignored (W3C Trace Context, 3.2.2.5). */
static const char *trace_of(request_rec *r)
{
    const char *parent = apr_table_get(r->headers_in, "traceparent");

    return iimg_trace_is_parent(parent) ? parent : NULL;
}

static state_t *state_create(request_rec *r)
{
    state_t *state = apr_pcalloc(r->pool, sizeof(*state));
    const char *id = apr_table_get(r->headers_in, "X-Request-Id");

    state->sink = (iimg_log_sink_t){ request_enabled, request_write, r };
    state->context.pool = r->pool;
    state->context.request_id = is_request_id(id) ? id : iimg_uuid_create(r->pool);
    state->context.log = &state->sink;
    state->context.db = iimg_database_lender(r->pool, r->server);
    state->context.services = &iimg_config_of(r->server)->services;
    state->context.base_url = base_url(r);
    state->context.trace = trace_of(r);
    return state;
}

static state_t *state_of(request_rec *r)
{
    state_t *state = ap_get_module_config(r->request_config, &identityimg_module);

    if (!state) {
        state = r->prev ? state_of(r->prev) : state_create(r);
        state->sink.baton = r;
        ap_set_module_config(r->request_config, &identityimg_module, state);
        apr_table_setn(r->err_headers_out, "X-Request-Id", state->context.request_id);
    }
    return state;
}

/* httpd passes r->user to a subrequest with the same configuration and does not authenticate it
 * again: the proof has to be passed, too. */
static void inherit_login(request_rec *r, state_t *state)
{
    const state_t *main_state;

    if (!r->main || !r->user || r->user != r->main->user || state->login_inherited) {
        return;
    }
    main_state = state_of(r->main);
    state->context.login_proof = main_state->context.login_proof;
    state->context.login_token = main_state->context.login_token;
    state->login_open = main_state->login_open;
    state->login_inherited = true;
}

const char *iimg_login_form(apr_pool_t *pool, const char *login)
{
    return login && iimg_text_is_utf8(login, strlen(login)) ? iimg_text_nfc(pool, login) : login;
}

iimg_context_t *iimg_context_of(request_rec *r)
{
    state_t *state = state_of(r);

    inherit_login(r, state);
    state->context.login = iimg_login_form(r->pool, r->user);
    return &state->context;
}

iimg_error_t *iimg_pending_error(request_rec *r)
{
    return state_of(r)->pending;
}

void iimg_pending_error_set(request_rec *r, iimg_error_t *err)
{
    state_of(r)->pending = err;
}

bool iimg_login_is_open(request_rec *r)
{
    iimg_context_of(r); /* a subrequest inherits it */
    return state_of(r)->login_open;
}

void iimg_login_open_set(request_rec *r, bool open)
{
    state_of(r)->login_open = open;
}

bool iimg_context_brief(const iimg_context_t *whole, iimg_context_t *brief)
{
    *brief = *whole;
    brief->pool = iimg_pool_create(whole->pool, 0, "brief");
    return brief->pool != NULL;
}

iimg_context_t *iimg_context_create(apr_pool_t *pool, server_rec *server, const char *name)
{
    iimg_context_t *context = apr_pcalloc(pool, sizeof(*context));
    iimg_log_sink_t *sink = apr_palloc(pool, sizeof(*sink));

    *sink = (iimg_log_sink_t){ server_enabled, server_write, server };
    context->pool = pool;
    context->request_id = name;
    context->log = sink;
    context->db = iimg_database_lender(pool, server);
    context->services = &iimg_config_of(server)->services;
    context->base_url = "";
    return context;
}

/* Input --------------------------------------------------------------------------------------- */

const char *iimg_request_api_url(const iimg_request_t *req)
{
    const char *path = ap_escape_uri(req->context->pool, iimg_location_of(req->r)->base);

    return apr_pstrcat(req->context->pool, req->context->base_url, path, NULL);
}

static iimg_error_t *read_input(iimg_request_t *req, apr_size_t max_upload, iimg_input_t **input)
{
    const char *type = apr_table_get(req->r->headers_in, "Content-Type");
    iimg_body_t body;
    iimg_error_t *err = iimg_body_read(req->context, req->r, type, max_upload, &body);

    req->body_read = true;
    req->body_file = body.file;
    req->body_start = body.data;
    if (err) {
        return err;
    }
    return iimg_input_parse(req->context->pool, type, body.data, body.length, input);
}

iimg_error_t *iimg_request_input(iimg_request_t *req, iimg_input_t **input)
{
    return read_input(req, (apr_size_t)req->config->max_upload, input);
}

iimg_error_t *iimg_request_form(iimg_request_t *req, iimg_input_t **input)
{
    return read_input(req, 0, input);
}

static iimg_error_t *read_scope(iimg_request_t *req, iimg_scope_t *scope)
{
    iimg_input_t *query;
    iimg_error_t *err = iimg_input_parse_query(req->context->pool, req->r->args, &query);

    if (err) {
        return err;
    }
    return iimg_input_uuid(query, "user_id", &scope->user_id);
}

void iimg_request_scope(iimg_request_t *req, iimg_scope_t *scope)
{
    scope->user_id = NULL;
    scope->problem = req->r->args ? read_scope(req, scope) : NULL;
}

iimg_error_t *iimg_request_upload(iimg_request_t *req, const iimg_input_t *input,
                                  iimg_upload_t **upload)
{
    const iimg_part_t *part;
    iimg_error_t *err = iimg_input_file(input, "image", &part);

    *upload = NULL;
    if (err || !part) {
        return err;
    }
    if (part->length > (apr_size_t)req->config->max_upload) {
        return iimg_body_size_error(req->context->pool, part->length,
                                    (apr_size_t)req->config->max_upload);
    }
    *upload = apr_palloc(req->context->pool, sizeof(**upload));
    **upload = (iimg_upload_t){
        .bytes = { part->data, part->length, req->body_file,
                   (apr_size_t)(part->data - req->body_start), true },
        .filename = part->filename,
    };
    return NULL;
}

iimg_error_t *iimg_request_required_upload(iimg_request_t *req, const iimg_input_t *input,
                                           iimg_upload_t **upload)
{
    iimg_error_t *err = iimg_request_upload(req, input, upload);

    if (!err && !*upload) {
        err = iimg_error_code(
            iimg_error_field(iimg_error(req->context->pool, IIMG_INVALID, "No image file provided"),
                             "image"),
            "no_image");
    }
    return err;
}
