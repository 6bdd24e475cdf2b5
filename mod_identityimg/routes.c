/* routes.c - the table of routes, and the dispatch of requests to views. */
#include "routes.h"

#include <string.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include "base/path.h"
#include "base/uuid.h"
#include "functions/shared/caller.h"
#include "functions/shared/not_found.h"
#include "server/authn/authn.h"
#include "server/authn/refusal.h"
#include "server/http/idempotency.h"
#include "server/http/origin.h"
#include "server/http/response.h"
#include "views/views.h"

typedef iimg_error_t *(*view_fn)(iimg_request_t *req);

/* When the caller is looked up. */
typedef enum {
    FIRST,  /* before the view: 401 and 403 come before the body is read */
    WITHIN, /* by the view, in the statement that does the work */
    NEVER   /* the route needs no caller */
} lookup_t;

typedef struct route_t {
    int method;
    const char *path;
    iimg_role_t role;
    lookup_t caller;
    view_fn view;
} route_t;

static const route_t routes[] = {
    { M_GET, "reference-images/", IIMG_USER, WITHIN, iimg_view_reference_image_list },
    { M_POST, "reference-images/", IIMG_USER, FIRST, iimg_view_reference_image_create },
    { M_GET, "reference-images/{id}/", IIMG_USER, WITHIN, iimg_view_reference_image_retrieve },
    { M_PATCH, "reference-images/{id}/", IIMG_USER, WITHIN, iimg_view_reference_image_update },
    { M_DELETE, "reference-images/{id}/", IIMG_USER, WITHIN, iimg_view_reference_image_destroy },
    { M_POST, "reference-images/{id}/upload-image/", IIMG_USER, WITHIN,
      iimg_view_reference_image_upload },
    { M_POST, "auth/login/", IIMG_ANYONE, WITHIN, iimg_view_auth_login },
    { M_POST, "auth/logout/", IIMG_USER, FIRST, iimg_view_auth_logout },
    { M_GET, "auth/tokens/", IIMG_USER, WITHIN, iimg_view_auth_token_list },
    { M_DELETE, "auth/tokens/{id}/", IIMG_USER, FIRST, iimg_view_auth_token_destroy },
    { M_GET, "users/me/", IIMG_USER, WITHIN, iimg_view_user_me },
    { M_GET, "users/me/identities/", IIMG_USER, WITHIN, iimg_view_user_me_identities },
    { M_GET, "test-users/", IIMG_STAFF, WITHIN, iimg_view_test_user_list },
    { M_GET, "test-users/{id}/identities/", IIMG_STAFF, WITHIN, iimg_view_test_user_identities },
    { M_PATCH, "identities/{id}/upload-image/", IIMG_USER, FIRST, iimg_view_identity_upload },
    { M_POST, "identities/{id}/upload-image/", IIMG_USER, FIRST, iimg_view_identity_upload },
    { M_DELETE, "identities/{id}/delete-image/", IIMG_USER, FIRST,
      iimg_view_identity_delete_image },
    { M_POST, "identities/{id}/restore-image/", IIMG_USER, FIRST,
      iimg_view_identity_restore_image },
    { M_GET, "image-generation/users/", IIMG_STAFF, WITHIN, iimg_view_image_generation_users },
    { M_GET, "image-generation/options/", IIMG_STAFF, WITHIN, iimg_view_image_generation_options },
    { M_POST, "image-generation/generate/", IIMG_STAFF, FIRST,
      iimg_view_image_generation_generate },
    { M_GET, "image-generation/jobs/", IIMG_STAFF, WITHIN, iimg_view_generation_job_list },
    { M_GET, "image-generation/jobs/{id}/", IIMG_STAFF, WITHIN, iimg_view_generation_job_retrieve },
    { M_POST, "image-generation/jobs/{id}/cancel/", IIMG_STAFF, WITHIN,
      iimg_view_generation_job_cancel },
    { M_POST, "image-generation/jobs/{id}/save-to-identity/", IIMG_STAFF, FIRST,
      iimg_view_generation_job_save },
    { M_GET, "prompts/", IIMG_STAFF, WITHIN, iimg_view_prompt_list },
    { M_POST, "prompts/", IIMG_STAFF, FIRST, iimg_view_prompt_create },
    { M_POST, "prompts/preview/", IIMG_STAFF, FIRST, iimg_view_prompt_preview },
    { M_GET, "prompts/{id}/", IIMG_STAFF, WITHIN, iimg_view_prompt_retrieve },
    { M_PATCH, "prompts/{id}/", IIMG_STAFF, WITHIN, iimg_view_prompt_update },
    { M_GET, "core/enums/", IIMG_USER, WITHIN, iimg_view_core_enums },
    { M_GET, "schema/", IIMG_ANYONE, NEVER, iimg_view_schema },
    { M_GET, "health/live/", IIMG_ANYONE, NEVER, iimg_view_health_live },
    { M_GET, "health/ready/", IIMG_ANYONE, NEVER, iimg_view_health_ready },
    { M_GET, "admin/users/", IIMG_STAFF, WITHIN, iimg_view_resource_list },
    { M_POST, "admin/users/", IIMG_STAFF, FIRST, iimg_view_resource_create },
    { M_GET, "admin/users/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_retrieve },
    { M_PATCH, "admin/users/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_update },
    { M_DELETE, "admin/users/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_destroy },
    { M_GET, "admin/identities/", IIMG_STAFF, WITHIN, iimg_view_resource_list },
    { M_POST, "admin/identities/", IIMG_STAFF, FIRST, iimg_view_resource_create },
    { M_GET, "admin/identities/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_retrieve },
    { M_PATCH, "admin/identities/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_update },
    { M_DELETE, "admin/identities/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_destroy },
    { M_GET, "admin/test-scenarios/", IIMG_STAFF, WITHIN, iimg_view_resource_list },
    { M_POST, "admin/test-scenarios/", IIMG_STAFF, FIRST, iimg_view_resource_create },
    { M_GET, "admin/test-scenarios/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_retrieve },
    { M_PATCH, "admin/test-scenarios/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_update },
    { M_DELETE, "admin/test-scenarios/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_destroy },
    { M_GET, "admin/reference-images/", IIMG_STAFF, WITHIN, iimg_view_resource_list },
    { M_POST, "admin/reference-images/", IIMG_STAFF, FIRST, iimg_view_resource_create },
    { M_GET, "admin/reference-images/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_retrieve },
    { M_PATCH, "admin/reference-images/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_update },
    { M_DELETE, "admin/reference-images/{id}/", IIMG_STAFF, WITHIN, iimg_view_resource_destroy },
};

#define ROUTES (int)(sizeof(routes) / sizeof(routes[0]))

static const struct {
    int number;
    const char *name;
} methods[] = {
    { M_GET, "GET, HEAD" },
    { M_POST, "POST" },
    { M_PATCH, "PATCH" },
    { M_DELETE, "DELETE" },
};

/* Whether a route has this path literally: then no word of it is an {id}. */
static bool is_literal(const char *path)
{
    for (int i = 0; i < ROUTES; i++) {
        if (strcmp(routes[i].path, path) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a path is open to anyone, with any method, with or without the slash at its end. */
static bool is_open(const char *path)
{
    for (int i = 0; i < ROUTES; i++) {
        size_t n = strlen(routes[i].path) - 1;

        if (routes[i].role == IIMG_ANYONE && strncmp(path, routes[i].path, n) == 0
            && (path[n] == '\0' || strcmp(path + n, "/") == 0)) {
            return true;
        }
    }
    return false;
}

/* The route of a method and path. *allowed collects the methods of all routes with that path. */
static const route_t *find_route(request_rec *r, const char *path, apr_array_header_t *allowed,
                                 const char **id)
{
    const route_t *found = NULL;
    bool literal = is_literal(path);
    size_t length = 0;

    for (int i = 0; i < ROUTES; i++) {
        const char *text;

        if (!iimg_path_matches(routes[i].path, path, &text, &length) || (text && literal)) {
            continue;
        }
        APR_ARRAY_PUSH(allowed, int) = routes[i].method;
        if (text) {
            *id = apr_pstrmemdup(r->pool, text, length);
        }
        if (routes[i].method == r->method_number) { /* HEAD has GET's number */
            found = &routes[i];
        }
    }
    return found;
}

static const char *allow_header(apr_pool_t *pool, const apr_array_header_t *allowed)
{
    const char *header = "";

    for (size_t m = 0; m < sizeof(methods) / sizeof(methods[0]); m++) {
        for (int i = 0; i < allowed->nelts; i++) {
            if (APR_ARRAY_IDX(allowed, i, int) == methods[m].number) {
                header = apr_pstrcat(pool, header, methods[m].name, ", ", NULL);
                break;
            }
        }
    }
    return apr_pstrcat(pool, header, "OPTIONS", NULL);
}

static bool is_route(request_rec *r, const char *path)
{
    const char *id = NULL;
    apr_array_header_t *allowed = apr_array_make(r->pool, 4, sizeof(int));

    find_route(r, path, allowed, &id);
    return allowed->nelts > 0;
}

/* A path without the slash at its end: redirect reads, refuse writes, whose body a redirect drops.
 */
static iimg_error_t *answer_unknown_path(iimg_request_t *req)
{
    request_rec *r = req->r;
    size_t n = strlen(req->path);
    const char *slashed = apr_pstrcat(r->pool, r->uri, "/", NULL);

    if (n == 0 || req->path[n - 1] == '/'
        || !is_route(r, apr_pstrcat(r->pool, req->path, "/", NULL))) {
        return iimg_not_found(req->context);
    }
    if (r->method_number != M_GET) {
        return iimg_error_with_code(r->pool, IIMG_NOT_FOUND, "not_found",
                                    "Not found. The path ends in a slash: %s", slashed);
    }
    return iimg_respond_moved(req, apr_pstrcat(r->pool, req->context->base_url,
                                               ap_escape_uri(r->pool, slashed),
                                               r->args ? "?" : NULL, r->args, NULL));
}

static iimg_error_t *method_not_allowed(iimg_request_t *req, const apr_array_header_t *allowed)
{
    iimg_error_t *err = iimg_error(req->context->pool, IIMG_METHOD, "Method \"%s\" not allowed.",
                                   req->r->method);

    err->allow = allow_header(req->context->pool, allowed);
    return err;
}

static iimg_error_t *answer_options(iimg_request_t *req, const apr_array_header_t *allowed)
{
    const char *allow = allow_header(req->context->pool, allowed);

    apr_table_setn(req->r->headers_out, "Allow", allow);
    iimg_origin_preflight(req, allow);
    return iimg_respond_no_content(req);
}

static bool is_write(const request_rec *r)
{
    return r->method_number != M_GET && r->method_number != M_OPTIONS;
}

/* If-Match refers to the row in the path. */
static iimg_error_t *call_view(iimg_request_t *req, const route_t *route)
{
    iimg_error_t *err;

    if (req->id && is_write(req->r)) {
        req->context->if_match = apr_table_get(req->r->headers_in, "If-Match");
    }
    err = route->view(req);
    iimg_idempotency_settle(req->context, err);
    return err;
}

/* The API defines the order: 401, 404 of the route, 405, 403, 404 of a row, 412. */
static iimg_error_t *dispatch(iimg_request_t *req)
{
    apr_array_header_t *allowed = apr_array_make(req->context->pool, 4, sizeof(int));
    const char *id = NULL;
    const route_t *route = find_route(req->r, req->path, allowed, &id);
    bool bad_id = id && !(req->id = iimg_uuid_parse(req->context->pool, id));
    iimg_error_t *cross = is_write(req->r) ? iimg_origin_check(req) : NULL;
    bool open = route ? route->role == IIMG_ANYONE : is_open(req->path);
    iimg_error_t *err = NULL;

    if (req->r->method_number == M_OPTIONS && allowed->nelts) {
        return answer_options(req, allowed);
    }
    if (req->r->method_number == M_OPTIONS) {
        return answer_unknown_path(req); /* preflights have no credentials */
    }
    if (!open && (!route || bad_id || cross || route->caller == FIRST)) {
        err = iimg_identify_caller(req->context, route ? route->role : IIMG_USER);
    }
    if (err) {
        return err;
    }
    if (!allowed->nelts) {
        return answer_unknown_path(req);
    }
    if (!route) {
        return method_not_allowed(req, allowed);
    }
    if (cross || bad_id) {
        return cross ? cross : iimg_not_found(req->context);
    }
    return call_view(req, route);
}

/* The path below the Location. @return NULL when it is not below it */
static const char *strip_base(const request_rec *r, const char *base)
{
    size_t n = strlen(base);

    return strncmp(r->uri, base, n) == 0 && (r->uri[n] == '/' || r->uri[n] == '\0') ? r->uri + n
                                                                                    : NULL;
}

/* Tokens, cookies and personal data must not be stored by the browser either. */
static void forbid_caching(request_rec *r, const char *path)
{
    if (strncmp(path, "auth/", 5) == 0 || strncmp(path, "admin/", 6) == 0) {
        iimg_respond_no_store(r);
    }
}

int iimg_route(request_rec *r)
{
    iimg_request_t req = { .r = r,
                           .context = iimg_context_of(r),
                           .config = iimg_config_of(r->server) };
    const char *base = iimg_location_of(r)->base;
    iimg_error_t *err;

    req.path = strip_base(r, base);
    if (!req.path) {
        return iimg_respond_error(r, req.context, iimg_not_found(req.context));
    }
    req.path += *req.path == '/';
    forbid_caching(r, req.path);
    err = dispatch(&req);
    if (err && err->kind == IIMG_UNAUTHENTICATED && !req.body_read && iimg_authn_renew(r)) {
        err = dispatch(&req);
    }
    if (err) {
        iimg_authn_clear_session(r, err);
    }
    if (req.parked) {
        return SUSPENDED;
    }
    return err ? iimg_respond_error(r, req.context, err) : OK;
}
