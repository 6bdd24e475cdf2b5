/* database.c - lends mod_dbd's connections: alive, outside any transaction, within bounded time. */
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

#define BREAK APR_USEC_PER_SEC /* after a failed open nobody tries again for so long */
#define FRESH APR_USEC_PER_SEC /* a schema that was right is not checked again for so long */

/* In front of each of mod_dbd's pools, which themselves wait for ever when they are exhausted, and
 * which connect under their lock, one thread after the other. Guarded by its own mutex. */
typedef struct gate_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *changed;
    int lent;
    int most;
    bool opening; /* one thread at a time finds out whether the database lives */
    apr_time_t broken_until;
    apr_time_t schema_until; /* the schema was right, and counts as right until then */
} gate_t;

/* What we keep with each of mod_dbd's connections. */
typedef struct kept_t {
    iimg_db_connection_t connection;
    int backend; /* PID that `prepared` speaks of */
} kept_t;

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

/* Servers that share a pool share its gate, and the smallest number that one of them allows. */
static apr_status_t give_gate(apr_pool_t *pool, apr_hash_t *by_settings, server_rec *server)
{
    const char *settings = iimg_dbd_settings(pool, server);
    gate_t *gate = apr_hash_get(by_settings, settings, APR_HASH_KEY_STRING);
    int wanted = iimg_config_of(server)->database_connections;
    server_rec **key = apr_pmemdup(pool, &server, sizeof(server));
    apr_status_t rv = APR_SUCCESS;

    if (!gate) {
        rv = gate_create(pool, &gate);
        gate->most = iimg_dbd_max(pool, server);
        apr_hash_set(by_settings, settings, APR_HASH_KEY_STRING, gate);
    }
    gate->most = wanted > 0 && wanted < gate->most ? wanted : gate->most;
    apr_hash_set(gates, key, sizeof(*key), gate);
    return rv;
}

apr_status_t iimg_database_start(apr_pool_t *pool, server_rec *main_server)
{
    apr_hash_t *by_settings = apr_hash_make(pool);
    apr_status_t rv = APR_SUCCESS;

    gates = apr_hash_make(pool);
    /* libpq waits for a host that swallows packets as long as TCP does unless it is told. */
    setenv("PGCONNECT_TIMEOUT", "2", 0);
    for (server_rec *server = main_server; server && rv == APR_SUCCESS; server = server->next) {
        rv = give_gate(pool, by_settings, server);
    }
    return rv;
}

static iimg_error_t *unavailable(iimg_context_t *context, const char *code, const char *sentence,
                                 const char *detail)
{
    return iimg_error_detail(
        iimg_error_code(iimg_error(context->pool, IIMG_UNAVAILABLE, "%s", sentence), code), "%s",
        detail);
}

static iimg_error_t *is_down(iimg_context_t *context, const char *detail)
{
    return unavailable(context, "database_down", "The database is not available at the moment.",
                       detail);
}

/* Waits for a turn. On success one connection is ours to open, and nobody else opens meanwhile. */
static iimg_error_t *enter(iimg_context_t *context, gate_t *gate, apr_interval_time_t patience)
{
    apr_time_t deadline = apr_time_now() + patience, now;
    iimg_error_t *err = NULL;

    apr_thread_mutex_lock(gate->mutex);
    while (!err
           && (now = apr_time_now(),
               gate->broken_until > now || gate->opening || gate->lent >= gate->most)) {
        if (gate->broken_until > now) {
            err = is_down(context, "the last attempt to connect failed less than a second ago");
        }
        else if (now >= deadline) {
            err = unavailable(context, "database_busy", "The database is busy at the moment.",
                              apr_psprintf(context->pool,
                                           "%d of %d connections lent, none came "
                                           "back in time",
                                           gate->lent, gate->most));
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

static void opened(gate_t *gate, bool works)
{
    apr_thread_mutex_lock(gate->mutex);
    gate->opening = false;
    if (works) {
        apr_thread_cond_signal(gate->changed);
    }
    else {
        gate->lent--;
        gate->broken_until = apr_time_now() + BREAK;
        apr_thread_cond_broadcast(gate->changed); /* all who wait hear the news at once */
    }
    apr_thread_mutex_unlock(gate->mutex);
}

static void leave(gate_t *gate)
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

static kept_t *kept_with(ap_dbd_t *dbd)
{
    static const char key[] = "identityimg_connection";
    void *found = NULL;
    kept_t *kept;

    apr_pool_userdata_get(&found, key, dbd->pool);
    if (found) {
        return found;
    }
    kept = apr_pcalloc(dbd->pool, sizeof(*kept));
    kept->connection.prepared = apr_hash_make(dbd->pool);
    apr_pool_userdata_setn(kept, key, NULL, dbd->pool);
    return kept;
}

/* Makes a connection fit to be lent. mod_dbd revives a dead one, but then knows nothing of what had
 * been prepared on it; and whoever had it before may have left a transaction open. */
static iimg_db_connection_t *make_ready(const iimg_db_t *db, ap_dbd_t *dbd)
{
    kept_t *kept = kept_with(dbd);
    iimg_db_connection_t *connection = &kept->connection;
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
    if (kept->backend != PQbackendPID(pg)) {
        PQsetNoticeProcessor(pg, ignore_notice, NULL);
        apr_hash_clear(connection->prepared);
        kept->backend = PQbackendPID(pg);
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
        return is_down(context, "no connection is lent before children start");
    }
    err = enter(context, lender->gate, lender->wait);
    if (err) {
        return err;
    }
    dbd = dbd_open(context->pool, lender->server);
    if (dbd) {
        *connection = make_ready(context->db, dbd);
        if (!*connection) {
            PGconn *pg = apr_dbd_native_handle(dbd->driver, dbd->handle);

            err = is_down(context, apr_pstrdup(context->pool, PQerrorMessage(pg)));
            dbd_close(lender->server, dbd);
        }
    }
    else {
        err = is_down(context, "mod_dbd could not open a connection; its own line says why");
    }
    opened(lender->gate, err == NULL);
    return err;
}

static void give_back(iimg_context_t *context, iimg_db_connection_t *connection)
{
    const lender_t *lender = (const lender_t *)context->db;

    dbd_close(lender->server, connection->owner);
    leave(lender->gate);
}

/* A database that lacks a migration is asked each time: once it has it, requests are served. */
static iimg_error_t *check_schema(iimg_context_t *context)
{
    gate_t *gate = ((const lender_t *)context->db)->gate;
    apr_time_t now = apr_time_now();
    iimg_error_t *err;
    bool known;

    apr_thread_mutex_lock(gate->mutex);
    known = now < gate->schema_until && gate->schema_until <= now + FRESH;
    apr_thread_mutex_unlock(gate->mutex);
    if (known) {
        return NULL;
    }
    err = iimg_schema_migration_check(context);
    apr_thread_mutex_lock(gate->mutex);
    gate->schema_until = err ? 0 : now + FRESH;
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
    /* Before children start, a store may be asked, but no database. */
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
