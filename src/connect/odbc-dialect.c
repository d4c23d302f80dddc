/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-dialect.h"

#include "basic/text.h"

#include <strings.h>

/* Names in "…" and no escapes in texts, as in standard SQL; a value that does not fit is an error, never cut; times are UTC. */
static const char *const mariadb_session[] = {
        "set session sql_mode = "
        "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,"
        "NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'",
        "set session time_zone = '+00:00'",
        "set session max_statement_time = %llu / 1000.0",
        "set session innodb_lock_wait_timeout = 30",
        "set session lock_wait_timeout = 30",
        NULL,
};
static const char *const postgresql_session[] = {
        "set time zone 'UTC'",
        "set datestyle = 'ISO, YMD'",
        "set extra_float_digits = 1",
        "set bytea_output = 'hex'",
        "set statement_timeout = %llu",
        "set lock_timeout = '30s'",
        NULL,
};
static const char *const sqlite_session[] = {"pragma busy_timeout = 5000", "pragma foreign_keys = on", NULL};
static const char *const sqlserver_session[] = {
        "set quoted_identifier on",
        "set ansi_nulls on",
        "set ansi_warnings on",
        "set ansi_padding on",
        "set arithabort on",
        "set concat_null_yields_null on",
        "set numeric_roundabort off",
        "set xact_abort off",
        "set lock_timeout 30000",
        "set dateformat ymd",
        NULL,
};

static const OdbcDialect dialects[] = {
        {
                .family = ODBC_MARIADB,
                .name = "MariaDB",
                .dbms_names = (const char *const[]){"MariaDB", "MySQL", NULL},
                .session = mariadb_session,
                .read_only = "set session transaction read only",
        },
        {
                .family = ODBC_POSTGRESQL,
                .name = "PostgreSQL",
                .dbms_names = (const char *const[]){"PostgreSQL", NULL},
                .options = "BoolsAsChar=0;TextAsLongVarchar=1;UnknownsAsLongVarchar=1;ByteaAsLongVarBinary="
                           "1;LFConversion=0;"
                           "UseServerSidePrepare=1;Protocol=7.4-0",
                .session = postgresql_session,
                .read_only = "set default_transaction_read_only = on",
        },
        {
                .family = ODBC_SQLITE,
                .name = "SQLite",
                .dbms_names = (const char *const[]){"SQLite", NULL},
                .options = "NoCreat=1;NoWCHAR=0;LongNames=0;JDConv=0;StepAPI=1",
                .session = sqlite_session,
                .read_only = "pragma query_only = on",
        },
        {
                .family = ODBC_SQLSERVER,
                .name = "SQL Server",
                .dbms_names = (const char *const[]){"Microsoft SQL Server", "SQL Server", NULL},
                .session = sqlserver_session,
        },
};

const OdbcDialect *odbc_dialect_find(const char *dbms_name) {
        for (size_t i = 0; i < ELEMENTSOF(dialects); i++)
                for (size_t j = 0; dialects[i].dbms_names[j]; j++)
                        if (strncasecmp(dbms_name, dialects[i].dbms_names[j],
                                        strlen(dialects[i].dbms_names[j])) == 0)
                                return &dialects[i];
        return NULL;
}
