/* database.c - lends mod_dbd's connections: alive, outside any transaction, within bounded time.
 *
 * Owns a gate for each of mod_dbd's pools. mod_dbd itself waits without a limit when a pool is
 * exhausted, and connects under the pool's lock. Any thread of a child borrows, in this order:
 * enter the gate, open, make the connection ready, and give it back. A gate's mutex must not be
 * held while a connection is opened or a statement runs, except for the wait in enter_gate. */
#include "server/database/database.h"

#include <stdlib.h>
#include <apr_dbd.h>
#include <apr_hash.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <mod_dbd.h>
#include "base/log.h"
#include "models/schema_migration.h"
#include "server/database/dbd.h"

#define BACKOFF       APR_USEC_PER_SEC /* after a failed open */
#define SCHEMA_CACHED APR_USEC_PER_SEC /* after a successful check */

/* Guarded by its mutex. */
typedef struct gate_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    int lent; /* connections */
    int max;
    bool opening; /* one thread at a time opens a connection */
    apr_time_t broken_until;
    apr_time_t schema_until; /* the schema was checked, and counts as valid until then */
} gate_t;

/* Attached to each of mod_dbd's connections. */
typedef struct attached_t {
    iimg_db_connection_t connection;
    int backend; /* PID to which `prepared` belongs */
} attached_t;

typedef struct lender_t {
    iimg_db_t db; /* first: a lender is an iimg_db_t */
    server_rec *server;
    gate_t *gate;
    apr_interval_time_t wait;
} lender_t;

static apr_hash_t *gates; /* server_rec * -> gate_t; made in child_init, then only read */
static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

const char *iimg_database_check(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return dbd_open && dbd_close ? NULL
                                 : "mod_dbd is not loaded: add LoadModule dbd_module, DBDriver "
                                   "pgsql and DBDParams";
}

static apr_status_t gate_create(apr_pool_t *pool, gate_t **gate)
{
    apr_status_t rv;

    *gate = apr_pcalloc(pool, sizeof(**gate));
    rv = apr_thread_mutex_create(&(*gate)->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    return rv ? rv : apr_thread_cond_create(&(*gate)->changed, pool);
}

/* Servers that share a pool share its gate, with the lowest limit of any of them. */
static apr_status_t set_gate(apr_pool_t *pool, apr_hash_t *by_settings, server_rec *server)
{
    const char *settings = iimg_dbd_settings(pool, server);
    gate_t *gate = apr_hash_get(by_settings, settings, APR_HASH_KEY_STRING);
    int wanted = iimg_config_of(server)->database_connections;
    server_rec **key = apr_pmemdup(pool, &server, sizeof(server));
    apr_status_t rv = APR_SUCCESS;

    if (!gate) {
        rv = gate_create(pool, &gate);
        gate->max = iimg_dbd_max(pool, server);
        apr_hash_set(by_settings, settings, APR_HASH_KEY_STRING, gate);
    }
    gate->max = wanted > 0 && wanted < gate->max ? wanted : gate->max;
    apr_hash_set(gates, key, sizeof(*key), gate);
    return rv;
}

apr_status_t iimg_database_start(apr_pool_t *pool, server_rec *main_server)
{
    apr_hash_t *by_settings = apr_hash_make(pool);
    apr_status_t rv = APR_SUCCESS;

    gates = apr_hash_make(pool);
    /* By default libpq waits for an unreachable host until TCP gives up. */
    setenv("PGCONNECT_TIMEOUT", "2", 0);
    for (server_rec *server = main_server; server && rv == APR_SUCCESS; server = server->next) {
        rv = set_gate(pool, by_settings, server);
    }
    return rv;
}

static iimg_error_t *unavailable(iimg_context_t *context, const char *code, const char *sentence,
                                 const char *detail)
{
    return iimg_error_with_detail(context->pool, IIMG_UNAVAILABLE, code, sentence, "%s", detail);
}

static iimg_error_t *database_down(iimg_context_t *context, const char *detail)
{
    return unavailable(context, "database_down", "The database is not available at the moment.",
                       detail);
}

/* On success the caller may open one connection, and no other thread opens one meanwhile. */
static iimg_error_t *enter_gate(iimg_context_t *context, gate_t *gate, apr_interval_time_t patience)
{
    apr_time_t deadline = apr_time_now() + patience, now;
    iimg_error_t *err = NULL;

    apr_thread_mutex_lock(gate->mutex);
    while (!err
           && (now = apr_time_now(),
               gate->broken_until > now || gate->opening || gate->lent >= gate->max)) {
        if (gate->broken_until > now) {
            err = database_down(context,
                                "the last attempt to connect failed less than a second ago");
        }
        else if (now >= deadline) {
            err = unavailable(context, "database_busy", "The database is busy at the moment.",
                              apr_psprintf(context->pool,
                                           "%d of %d connections lent, none came "
                                           "back in time",
                                           gate->lent, gate->max));
        }
        else {
            apr_thread_cond_timedwait(gate->changed, gate->mutex, deadline - now);
        }
    }
    if (!err) {
        gate->opening = true;
        gate->lent++;
    }
    apr_thread_mutex_unlock(gate->mutex);
    return err;
}

static void finish_opening(gate_t *gate, bool works)
{
    apr_thread_mutex_lock(gate->mutex);
    gate->opening = false;
    if (works) {
        apr_thread_cond_signal(gate->changed);
    }
    else {
        gate->lent--;
        gate->broken_until = apr_time_now() + BACKOFF;
        apr_thread_cond_broadcast(gate->changed); /* all waiting threads fail at once */
    }
    apr_thread_mutex_unlock(gate->mutex);
}

static void leave_gate(gate_t *gate)
{
    apr_thread_mutex_lock(gate->mutex);
    gate->lent--;
    apr_thread_cond_signal(gate->changed);
    apr_thread_mutex_unlock(gate->mutex);
}

static void ignore_notice(void *unused, const char *text)
{
    (void)unused, (void)text;
}

static attached_t *attached_to(ap_dbd_t *dbd)
{
    static const char key[] = "identityimg_connection";
    void *found = NULL;
    attached_t *attached;

    apr_pool_userdata_get(&found, key, dbd->pool);
    if (found) {
        return found;
    }
    attached = apr_pcalloc(dbd->pool, sizeof(*attached));
    attached->connection.prepared = apr_hash_make(dbd->pool);
    apr_pool_userdata_setn(attached, key, NULL, dbd->pool);
    return attached;
}

/* A connection may be dead, may have lost its prepared statements when it was reset, or may have a
 * transaction left open by another module.
 * @return NULL: it cannot be used */
static iimg_db_connection_t *make_ready(const iimg_db_t *db, ap_dbd_t *dbd)
{
    attached_t *attached = attached_to(dbd);
    iimg_db_connection_t *connection = &attached->connection;
    PGconn *pg = apr_dbd_native_handle(dbd->driver, dbd->handle);

    if (PQstatus(pg) != CONNECTION_OK) {
        PQreset(pg);
    }
    if (PQstatus(pg) != CONNECTION_OK) {
        return NULL;
    }
    connection->pg = pg;
    connection->owner = dbd;
    connection->stale = false;
    connection->timed_out = false;
    if (attached->backend != PQbackendPID(pg)) {
        PQsetNoticeProcessor(pg, ignore_notice, NULL);
        apr_hash_clear(connection->prepared);
        attached->backend = PQbackendPID(pg);
    }
    return iimg_db_settle(db, connection) ? connection : NULL;
}

static iimg_error_t *borrow(iimg_context_t *context, iimg_db_connection_t **connection)
{
    const lender_t *lender = (const lender_t *)context->db;
    iimg_error_t *err;
    ap_dbd_t *dbd;

    *connection = NULL;
    if (!lender->gate) {
        return database_down(context, "there is no connection before children start");
    }
    err = enter_gate(context, lender->gate, lender->wait);
    if (err) {
        return err;
    }
    dbd = dbd_open(context->pool, lender->server);
    if (dbd) {
        *connection = make_ready(context->db, dbd);
        if (!*connection) {
            PGconn *pg = apr_dbd_native_handle(dbd->driver, dbd->handle);

            err = database_down(context, apr_pstrdup(context->pool, PQerrorMessage(pg)));
            dbd_close(lender->server, dbd);
        }
    }
    else {
        err = database_down(
            context, "mod_dbd cannot open a connection; see its own log line before this one");
    }
    finish_opening(lender->gate, err == NULL);
    return err;
}

static void give_back(iimg_context_t *context, iimg_db_connection_t *connection)
{
    const lender_t *lender = (const lender_t *)context->db;

    dbd_close(lender->server, connection->owner);
    leave_gate(lender->gate);
}

/* A missing migration is not cached: requests are served as soon as it is applied. */
static iimg_error_t *check_schema(iimg_context_t *context)
{
    gate_t *gate = ((const lender_t *)context->db)->gate;
    apr_time_t now = apr_time_now();
    iimg_error_t *err;
    bool known;

    apr_thread_mutex_lock(gate->mutex);
    known = now < gate->schema_until && gate->schema_until <= now + SCHEMA_CACHED;
    apr_thread_mutex_unlock(gate->mutex);
    if (known) {
        return NULL;
    }
    err = iimg_schema_migration_check(context);
    apr_thread_mutex_lock(gate->mutex);
    gate->schema_until = err ? 0 : now + SCHEMA_CACHED;
    apr_thread_mutex_unlock(gate->mutex);
    return err;
}

static lender_t *lender_create(apr_pool_t *pool, server_rec *server)
{
    const iimg_config_t *config = iimg_config_of(server);
    lender_t *lender = apr_palloc(pool, sizeof(*lender));

    lender->db.borrow = borrow;
    lender->db.give_back = give_back;
    lender->db.check = check_schema;
    lender->db.prepare = config->prepare;
    lender->db.timeout = config->database_timeout;
    lender->server = server;
    /* Before children start there is no gate, and no database. */
    lender->gate = gates ? apr_hash_get(gates, &server, sizeof(server)) : NULL;
    lender->wait = (apr_interval_time_t)config->database_wait * 1000;
    return lender;
}

const iimg_db_t *iimg_database_lender(apr_pool_t *pool, server_rec *server)
{
    return &lender_create(pool, server)->db;
}

const iimg_db_t *iimg_database_hasty_lender(apr_pool_t *pool, server_rec *server, int wait,
                                            int timeout)
{
    lender_t *lender = lender_create(pool, server);

    if (lender->wait > (apr_interval_time_t)wait * 1000) {
        lender->wait = (apr_interval_time_t)wait * 1000;
    }
    if (lender->db.timeout > timeout) {
        lender->db.timeout = timeout;
    }
    return &lender->db;
}
