/* connection.c - the only connection of identityimgctl to the database. */
#include "ctl/connection.h"

#include <string.h>
#include <apr_strings.h>
#include "models/schema_migration.h"

#define TIMEOUT 600 /* seconds per statement: no client waits for the response */

typedef struct ctl_lender_t {
    iimg_db_t db; /* must be first: context->db points here */
    const char *conninfo;
    iimg_db_connection_t connection;
    bool checked; /* the schema has the right version */
} ctl_lender_t;

static apr_status_t close_connection(void *data)
{
    PQfinish(data);
    return APR_SUCCESS;
}

static void ignore_notice(void *unused, const char *text)
{
    (void)unused, (void)text;
}

static void connect_to(iimg_context_t *context, ctl_lender_t *lender)
{
    apr_pool_t *pool = apr_hash_pool_get(lender->connection.prepared);

    (void)context;
    if (lender->connection.pg && PQstatus(lender->connection.pg) == CONNECTION_OK) {
        return;
    }
    apr_hash_clear(lender->connection.prepared);
    if (lender->connection.pg) {
        PQreset(lender->connection.pg);
        return;
    }
    lender->connection.pg = PQconnectdb(lender->conninfo);
    PQsetNoticeProcessor(lender->connection.pg, ignore_notice, NULL);
    apr_pool_cleanup_register(pool, lender->connection.pg, close_connection, apr_pool_cleanup_null);
}

static iimg_error_t *borrow_connection(iimg_context_t *context, iimg_db_connection_t **connection)
{
    ctl_lender_t *lender = (ctl_lender_t *)context->db;

    connect_to(context, lender);
    lender->connection.stale = false;
    lender->connection.timed_out = false;
    if (PQstatus(lender->connection.pg) != CONNECTION_OK
        || !iimg_db_settle(context->db, &lender->connection)) {
        *connection = NULL;
        return iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, NULL,
                                      "The database is not available.", "%s",
                                      PQerrorMessage(lender->connection.pg));
    }
    *connection = &lender->connection;
    return NULL;
}

static void return_connection(iimg_context_t *context, iimg_db_connection_t *connection)
{
    (void)context, (void)connection;
}

static iimg_error_t *check_schema(iimg_context_t *context)
{
    ctl_lender_t *lender = (ctl_lender_t *)context->db;
    iimg_error_t *err;

    if (lender->checked) {
        return NULL;
    }
    err = iimg_schema_migration_check(context);
    lender->checked = !err;
    return err;
}

/* Refuse a password: all users of the machine can see arguments. */
static const char *check_conninfo(apr_pool_t *pool, const char *conninfo)
{
    char *text = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &text);
    const char *problem = NULL;

    if (!options) {
        problem = apr_psprintf(pool, "--conninfo: %s", text ? text : "out of memory");
        PQfreemem(text);
        return problem;
    }
    for (PQconninfoOption *option = options; option->keyword; option++) {
        if (strcmp(option->keyword, "password") == 0 && option->val && *option->val) {
            problem = "--conninfo: a password is not allowed here; put it into ~/.pgpass or the "
                      "file named by PGPASSFILE";
        }
    }
    PQconninfoFree(options);
    return problem;
}

const iimg_db_t *ctl_connection(apr_pool_t *pool, const char *conninfo, const char **problem)
{
    ctl_lender_t *lender = apr_pcalloc(pool, sizeof(*lender));

    *problem = conninfo ? check_conninfo(pool, conninfo) : NULL;
    if (*problem) {
        return NULL;
    }
    lender->db = (iimg_db_t){ borrow_connection, return_connection, check_schema, false, TIMEOUT };
    lender->conninfo = conninfo ? conninfo : "";
    lender->connection.prepared = apr_hash_make(pool);
    return &lender->db;
}
