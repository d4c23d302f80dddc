/* SPDX-License-Identifier: Apache-2.0 */
/* MariaDB: now() is the start of its statement. A statement that runs, and a transaction that is open, may still commit stamps
 * from its start on; what began before is below the least of these, less two seconds for clocks of whole seconds. Two things stay
 * unseen: a transaction that made its stamp before the server lists it, and one that waits for a lock on the table's definition.
 * So the horizon is bounded, not proved, and a mapping needs a sweep.
 * SQL Server: rowversion rises with each change; below min_active_rowversion() nothing can still be committed. */
#include "connect/odbc-horizon.h"

#include "basic/text.h"

static int refuse(const OdbcConnection *c, const char *why, const char *remedy, Error *error) {
        return error_set(error, ERROR_WATERMARK, remedy, "System \"%s\": no horizon can be taken: %s",
                         c->system->name, why);
}

/* The type of the watermark columns, which must be one. */
static int type_learn(OdbcConnection *c, const char *table, const char *column, OdbcKind *kind,
                      Error *error) {
        _cleanup_(odbc_table_freep) OdbcTable *t = NULL;
        const OdbcType *type;
        int r;

        r = odbc_table_load(c, table, &t, error);
        if (r >= 0)
                r = table_column_require(t->table, column, error);
        if (r < 0)
                return r;
        type = odbc_table_type(t, column);
        if (c->dialect->family == ODBC_SQLSERVER
                    ? type->kind != ODBC_ROWVERSION
                    : type->kind != ODBC_TIMESTAMP && type->kind != ODBC_TIMESTAMPTZ)
                return error_set(error, ERROR_WATERMARK,
                                 c->dialect->family == ODBC_SQLSERVER
                                         ? "Name a column of type rowversion, or use strategy: full"
                                         : "Name a column of type datetime or timestamp that is set to "
                                           "now(), or use strategy: full",
                                 "Watermark \"%s\".\"%s\" is of type %s", table, column, type->declared);
        if (*kind != ODBC_OTHER && *kind != type->kind)
                return error_set(error, ERROR_WATERMARK, "Use columns of one type, or strategy: full",
                                 "Watermark \"%s\".\"%s\" is of type %s, another one is not", table, column,
                                 type->declared);
        *kind = type->kind;
        return 0;
}

/* ---- MariaDB ---- */

static int privilege_require(OdbcConnection *c, Error *error) {
        static const char sql[] =
                "select current_user(), (select count(*) from information_schema.user_privileges"
                " where privilege_type in ('PROCESS', 'SUPER') and grantee ="
                " concat('''', substring_index(current_user(), '@', 1), '''@''',"
                " substring_index(current_user(), '@', -1), '''')),"
                " (select count(*) from information_schema.global_variables where variable_name = "
                "'READ_ONLY'"
                " and variable_value = 'ON')";
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        _cleanup_free_ char *remedy = NULL;
        int r;

        r = odbc_query(c, sql, &rows, error);
        if (r < 0)
                return r;
        if (rows.n_rows == 0 || !text_equal(odbc_cell(&rows, 0, 1), "0"))
                return 0;
        if (asprintf(&remedy, "Let the DBA run: grant process on *.* to %s; or use strategy: full",
                     odbc_cell(&rows, 0, 0)) < 0)
                remedy = NULL;
        return refuse(c, "the login may not see other sessions' transactions (privilege PROCESS)", remedy,
                      error);
}

/* A replica applies transactions that began elsewhere, with stamps of then. */
static int primary_require(OdbcConnection *c, Error *error) {
        static const char sql[] = "select count(*) from information_schema.processlist"
                                  " where command in ('Slave_IO', 'Slave_SQL', 'Slave_worker')";
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        int r;

        r = odbc_query(c, sql, &rows, error);
        if (r < 0 || rows.n_rows == 0 || text_equal(odbc_cell(&rows, 0, 0), "0"))
                return r;
        return refuse(c, "the server is a replica, which applies transactions that began elsewhere",
                      "Name the primary server in connection:, or use strategy: full", error);
}

/* In the same answer of innodb_trx, which the server keeps for 0.1 s: one that was prepared meanwhile is in it with its start.
 * One whose session is gone is prepared (XA), perhaps from before the server's last start: when it began nobody knows. xa recover
 * would name it, but the driver (odbc-mariadb 3.1.15) crashes at the statement after it. */
static int prepared_check(OdbcConnection *c, Error *error) {
        static const char sql[] =
                "select trx_id from information_schema.innodb_trx where trx_mysql_thread_id = 0";
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        int r;

        r = odbc_query(c, sql, &rows, error);
        if (r < 0 || rows.n_rows == 0)
                return r;
        return error_set(error, ERROR_SYSTEM_BUSY,
                         "Nothing if it ends soon: it is tried again; else let the DBA decide it: xa "
                         "recover names it, xa commit or "
                         "xa rollback ends it",
                         "System \"%s\": the prepared transaction %s holds the horizon", c->system->name,
                         odbc_cell(&rows, 0, 0) ? odbc_cell(&rows, 0, 0) : "");
}

static int mariadb_moment(OdbcConnection *c, Value *ret, Error *error) {
        /* The server's clock runs in its own zone there, and ours in UTC: seconds since 1970 are the same in both. */
        static const char sql[] =
                "select cast(floor((least(unix_timestamp(now(6)),"
                " coalesce((select min(unix_timestamp(trx_started)) from information_schema.innodb_trx"
                " where trx_mysql_thread_id <> connection_id()), unix_timestamp(now(6))),"
                " unix_timestamp(now(6)) - coalesce((select max(time_ms) from information_schema.processlist"
                " where command not in ('Sleep', 'Daemon', 'Binlog Dump', 'Binlog Dump GTID', 'Slave_IO', "
                "'Slave_SQL', 'Slave_worker')"
                " and id <> connection_id()), 0) / 1000) - 2) * 1000000) as char)";
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        int64_t usec;
        int r;

        r = odbc_query(c, sql, &rows, error);
        if (r < 0)
                return r;
        if (rows.n_rows == 0 || !odbc_cell(&rows, 0, 0) ||
            text_to_int64(odbc_cell(&rows, 0, 0), INT64_MIN, INT64_MAX, &usec) < 0)
                return refuse(c, "the server tells no time", "Report it, with the version of the server",
                              error);
        *ret = (Value){.type = VALUE_TIMESTAMP, .integer = usec};
        return 0;
}

/* datetime columns hold the local time of who wrote: that is taken for UTC, so the horizon has to be in the server's zone. */
static int zone_require(OdbcConnection *c, OdbcKind kind, Error *error) {
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        int r;

        r = odbc_query(c,
                       "select timestampdiff(second, utc_timestamp(), convert_tz(utc_timestamp(), '+00:00', "
                       "@@global.time_zone))",
                       &rows, error);
        if (r < 0 || rows.n_rows == 0 || !odbc_cell(&rows, 0, 0) || text_equal(odbc_cell(&rows, 0, 0), "0"))
                return r;
        return refuse(c, "the server does not run in UTC, and a column of type datetime holds local time",
                      "Use a column of type timestamp, let the DBA set time_zone = '+00:00', or use "
                      "strategy: full",
                      error);
}

static int mariadb_horizon(OdbcConnection *c, const Mapping *m, OdbcKind kind, Value *ret, Error *error) {
        int r;

        if (m->sweep_usec == 0)
                return refuse(c, "MariaDB only bounds it: a stamp below it may still be committed",
                              "Add sweep: daily (or another time) to detect:, or use strategy: full", error);
        r = privilege_require(c, error);
        if (r >= 0)
                r = primary_require(c, error);
        if (r >= 0)
                r = zone_require(c, kind, error);
        if (r >= 0)
                r = mariadb_moment(c, ret, error);
        if (r >= 0) /* after it: one that is prepared meanwhile was an open one before */
                r = prepared_check(c, error);
        return r;
}

/* ---- PostgreSQL: as postgresql-horizon.c has it ---- */

static int postgresql_horizon(OdbcConnection *c, OdbcKind kind, Value *ret, Error *error) {
        static const char sql[] =
                "with proved (h) as (select least(clock_timestamp(), (select min(xact_start) from "
                "pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid())) - interval '2 seconds')"
                " select case when pg_is_in_recovery() then 'replica'"
                " when not pg_has_role(current_user, 'pg_read_all_stats', 'usage') then 'blind'"
                " when exists (select 1 from pg_prepared_xacts where database = current_database()) then "
                "'prepared'"
                " else ((extract(epoch from h) * 1000000)::bigint)::text end from proved";
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        const char *text;
        int64_t usec;
        int r;

        r = odbc_query(c, sql, &rows, error);
        if (r < 0)
                return r;
        text = rows.n_rows > 0 ? odbc_cell(&rows, 0, 0) : NULL;
        if (text_equal(text, "replica"))
                return refuse(c, "the server is a replica",
                              "Name the primary server in connection:, or use strategy: full", error);
        if (text_equal(text, "blind"))
                return refuse(c, "the login may not see other sessions' transactions",
                              "Let the DBA run: grant pg_read_all_stats to the login; or use strategy: full",
                              error);
        if (text_equal(text, "prepared"))
                return error_set(error, ERROR_SYSTEM_BUSY, "Nothing if it ends soon: it is tried again",
                                 "System \"%s\": a prepared transaction holds the horizon", c->system->name);
        if (kind != ODBC_TIMESTAMPTZ)
                return refuse(c, "through ODBC only timestamptz columns are watched",
                              "Use kind: postgresql, or strategy: full", error);
        if (!text || text_to_int64(text, INT64_MIN, INT64_MAX, &usec) < 0)
                return refuse(c, "the server tells no time", "Report it, with the version of the server",
                              error);
        *ret = (Value){.type = VALUE_TIMESTAMP, .integer = usec};
        return 0;
}

/* ---- SQL Server ---- */

static int sqlserver_horizon(OdbcConnection *c, Value *ret, Error *error) {
        _cleanup_(odbc_rows_done) OdbcRows rows = {};
        const char *hex;
        char *bytes;
        int r;

        r = odbc_query(c, "select lower(convert(char(16), min_active_rowversion(), 2))", &rows, error);
        if (r < 0)
                return r;
        hex = rows.n_rows > 0 ? odbc_cell(&rows, 0, 0) : NULL;
        bytes = arena_alloc(c->arena, 8);
        if (!bytes)
                return -ENOMEM;
        if (!hex || strlen(hex) < 16 || hex_decode(hex, 8, bytes) < 0)
                return refuse(c, "the server tells no rowversion",
                              "Report it, with the version of the server", error);
        *ret = (Value){.type = VALUE_BYTES, .bytes = bytes, .size = 8};
        return 0;
}

int odbc_horizon(Connection *connection, const Mapping *m, Value *ret_high, Error *error) {
        OdbcConnection *c = (OdbcConnection *) connection;
        OdbcKind kind = ODBC_OTHER;
        int r = 0;

        if (c->dialect->family == ODBC_SQLITE)
                return refuse(c, "a SQLite file through ODBC cannot be held for an instant",
                              "Use kind: sqlite, or strategy: full", error);
        if (m->watermark)
                r = type_learn(c, m->from, m->watermark, &kind, error);
        for (size_t i = 0; i < m->n_joins && r >= 0; i++)
                if (m->joins[i].watermark)
                        r = type_learn(c, m->joins[i].from, m->joins[i].watermark, &kind, error);
        if (r < 0)
                return r;
        switch (c->dialect->family) {
        case ODBC_MARIADB:
                return mariadb_horizon(c, m, kind, ret_high, error);
        case ODBC_POSTGRESQL:
                return postgresql_horizon(c, kind, ret_high, error);
        default:
                return sqlserver_horizon(c, ret_high, error);
        }
}

bool odbc_horizon_is_exact(const Connection *connection, const Mapping *m) {
        return ((const OdbcConnection *) connection)->dialect->family != ODBC_MARIADB;
}
