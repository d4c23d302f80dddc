/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/postgresql-log.h"

#include "basic/text.h"

static void pg_close(Connection *connection) {
        PgConnection *c = (PgConnection *) connection;

        pg_log_release(&c->base);
        PQfinish(c->db);
        arena_free(c->arena);
        free(c->begin);
        free(c->holder);
        free(c);
}

static void connectionp(PgConnection **c) {
        if (*c)
                pg_close(&(*c)->base);
}

/* A standby, or a database that is set read-only: found out now, not at the first write. */
static int writable_require(PgConnection *c, Error *error) {
        _cleanup_result_ PGresult *result = NULL;
        int r;

        r = pg_query(c->db, c->system, "select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'",
                     NULL, &result, error);
        if (r < 0 || (PQgetvalue(result, 0, 0)[0] == 'f' && PQgetvalue(result, 0, 1)[0] == 'f'))
                return r;
        return error_set(error, ERROR_SYSTEM_READ_ONLY,
                         "Name the primary server: several hosts with target_session_attrs=read-write in "
                         "connection: find it",
                         "System \"%s\": the server can only be read", c->system->name);
}

/* A server goes on with what a killed worker sent, its COMMIT too. Under this lock, which ends with its
 * transaction, nobody of the same pair begins, or looks what is there, before that is decided. */
static int begin_make(PgConnection *c) {
        char *pair = PQescapeLiteral(c->db, connector_pair(), strlen(connector_pair()));
        int r = 0;

        if (!pair || asprintf(&c->begin,
                              "begin; select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended("
                              "'terrafusion target ' || %s, 0))",
                              pair) < 0) {
                c->begin = NULL;
                r = -ENOMEM;
        }
        PQfreemem(pair);
        return r;
}

static int pg_open(const System *system, bool write, Connection **ret, Error *error) {
        _cleanup_(connectionp) PgConnection *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return -ENOMEM;
        c->base.connector = &postgresql_connector;
        c->system = system;
        r = arena_new(&c->arena);
        if (r >= 0)
                r = pg_session_open(system, write, &c->db, error);
        if (r >= 0 && write)
                r = writable_require(c, error);
        if (r >= 0 && write)
                r = begin_make(c);
        if (r < 0)
                return r;
        c->check_utf8 = text_equal(PQparameterStatus(c->db, "server_encoding"), "SQL_ASCII");
        *ret = &TAKE_PTR(c)->base;
        return 0;
}

/* ---- the transaction ---- */

int pg_begin(Connection *connection, Error *error) {
        PgConnection *c = (PgConnection *) connection;

        return pg_execute(c->db, c->system, c->begin, error);
}

int pg_rollback(Connection *connection) {
        PgConnection *c = (PgConnection *) connection;

        if (PQtransactionStatus(c->db) != PQTRANS_IDLE)
                PQclear(PQexec(c->db, "rollback"));
        return PQtransactionStatus(c->db) == PQTRANS_IDLE ? 0 : -EIO;
}

int pg_commit(Connection *connection, Error *error) {
        PgConnection *c = (PgConnection *) connection;
        _cleanup_result_ PGresult *result = PQexec(c->db, "commit");

        if (PQresultStatus(result) != PGRES_COMMAND_OK)
                return pg_fail(c->db, result, c->system, "cannot commit", false, error);
        /* Of a transaction that failed before, COMMIT says ROLLBACK, and that is no error to the server. */
        if (!text_equal(PQcmdStatus(result), "COMMIT"))
                return error_set(error, ERROR_SYSTEM_REFUSED, "Look at the server's log",
                                 "System \"%s\": the transaction was rolled back by the server",
                                 c->system->name);
        return 0;
}

static int pg_describe(Connection *connection, const Mapping *m, const char *table, bool target, Table **ret,
                       Error *error) {
        PgConnection *c = (PgConnection *) connection;
        _cleanup_(pg_table_freep) PgTable *t = NULL;
        int r;

        r = pg_table_load(c->db, c->system, table, &t, error);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(t->table);
        return 0;
}

const Connector postgresql_connector = {
        .kind = "postgresql",
        .summary = "A database of a PostgreSQL server",
        .capabilities = CONNECTOR_READS | CONNECTOR_WRITES | CONNECTOR_TRANSACTS | CONNECTOR_RESUMES,
        .strategies = DETECT_BIT(DETECT_FULL) | DETECT_BIT(DETECT_WATERMARK) | DETECT_BIT(DETECT_DIGEST) |
                      DETECT_BIT(DETECT_LOG),
        .default_strategy = DETECT_FULL,
        .open = pg_open,
        .close = pg_close,
        .check = pg_check,
        .horizon = pg_horizon,
        .horizon_holder = pg_horizon_holder,
        .describe = pg_describe,
        .grants = pg_grants,
        .explain = pg_explain,
        .reader_open = pg_reader_open,
        .reader_next = pg_reader_next,
        .reader_position = pg_reader_position,
        .reader_resumed = pg_reader_resumed,
        .reader_close = pg_reader_close,
        .reader_ranges_by_key = pg_reader_ranges_by_key,
        .ranges_plan = pg_ranges_plan,
        .ranges_sum = pg_ranges_sum,
        .reader_range = pg_reader_range,
        .writer_open = pg_writer_open,
        .writer_close = pg_writer_close,
        .count = pg_count,
        .fetch = pg_fetch,
        .begin = pg_begin,
        .write = pg_write,
        .commit = pg_commit,
        .rollback = pg_rollback,
        .log = &postgresql_log,
};
