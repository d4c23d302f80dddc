/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the databases behind ODBC do each in their own way: one row per database. Pure; in the worker. */
#include "connect/odbc-error.h"
#include "connect/sql.h"

typedef struct OdbcDialect {
        OdbcFamily family;
        SqlDialect sql;
        const char *name;              /* "MariaDB", for people */
        const char *const *dbms_names; /* beginnings of SQL_DBMS_NAME */
        /* Of the connection, where it does not name them itself; NULL: none. */
        const char *options;
        const char *const *session; /* statements at its beginning; %llu: the statement timeout, ms */
        const char *read_only;      /* of a session that only reads; NULL: the driver's access mode alone */

        /* The catalog. In these :schema (a text, or null) and :table (a text) stand for the table's name.
         * table: one row, "1" where it is a view, and what keeps it from transactions (null: nothing).
         * columns: name, declared type, required, generated, place in the primary key.
         * indexes: name, unique, column. names: of all tables, for who misspelt one. */
        const char *table_sql, *columns_sql, *indexes_sql, *names_sql;

        const char *const *snapshot; /* begins the one snapshot of a scan */
        const char *page;            /* behind a query in the order of its key: its first :n rows */
        /* Strategy digest: both sums of the texts tf_hash, 32 digits of base 16, and what keeps the database from making each
         * of them twice. NULL: it has none. */
        const char *sums, *unmerged;
        const char *explain;         /* before a query: the database's plan; NULL: has none that we read */

        const char *begin; /* of a transaction that writes */
        /* Held until the session ends: a COMMIT of a killed worker is over when it is ours. :pair is a text.
         * Gives "1" when it is. NULL: begin has it. */
        const char *lock;
        const char *savepoint, *rollback_to, *release; /* of a range of records; release NULL: none needed */
} OdbcDialect;

/* By what the driver calls the database; NULL where there is none. */
const OdbcDialect *odbc_dialect_find(const char *dbms_name);
const OdbcDialect *odbc_dialect_of(OdbcFamily family);
/* A statement with :schema, :table (of a name as in a mapping: "parcel", "schema.parcel") and :pair filled in as
 * texts. NULL without memory. */
char *odbc_dialect_fill(const OdbcDialect *dialect, const char *sql, const char *table, const char *pair);
