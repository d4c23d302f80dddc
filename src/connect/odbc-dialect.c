/* SPDX-License-Identifier: Apache-2.0 */
#include "connect/odbc-dialect.h"

#include "basic/text.h"
#include "connect/odbc-type.h"

#include <strings.h>

/* Names in "…" and no escapes in texts, as in standard SQL; a value that does not fit is an error, never cut;
 * times are UTC. */
static const char *const mariadb_session[] = {
        "set session sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,"
        "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO'",
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
        "set client_min_messages = error",
        NULL,
};
static const char *const sqlite_session[] = {"pragma busy_timeout = 5000", "pragma foreign_keys = on", NULL};
static const char *const sqlserver_session[] = {
        "set quoted_identifier on",   "set ansi_nulls on",  "set ansi_warnings on",
        "set ansi_padding on",        "set arithabort on",  "set concat_null_yields_null on",
        "set numeric_roundabort off", "set xact_abort off", "set lock_timeout 30000",
        "set dateformat ymd",         "set nocount off",    NULL,
};

static const char *const mariadb_snapshot[] = {"set session transaction isolation level repeatable read",
                                               "start transaction with consistent snapshot, read only",
                                               NULL};
static const char *const postgresql_snapshot[] = {
        "begin transaction isolation level repeatable read, read only", NULL};
static const char *const sqlite_snapshot[] = {"begin", NULL};
static const char *const sqlserver_snapshot[] = {"set transaction isolation level snapshot",
                                                 "begin transaction", NULL};

#define MARIADB_TABLE    "table_schema = coalesce(:schema, database()) and table_name = :table"
#define POSTGRESQL_TABLE "to_regclass(coalesce(quote_ident(:schema) || '.', '') || quote_ident(:table))"
#define SQLSERVER_TABLE  "object_id(coalesce(quotename(:schema) + N'.', N'') + quotename(:table))"

static const char mariadb_table[] =
        "select case when table_type like '%VIEW%' then 1 else 0 end,"
        " case when engine is null or engine in ('InnoDB', 'ROCKSDB') then null else engine end"
        " from information_schema.tables where " MARIADB_TABLE;
static const char mariadb_columns[] =
        "select column_name, column_type,"
        " case when is_nullable = 'NO' and column_default is null and extra not like '%auto_increment%'"
        " and coalesce(generation_expression, '') = '' then 1 else 0 end,"
        " case when coalesce(generation_expression, '') = '' then 0 else 1 end,"
        " coalesce((select s.seq_in_index from information_schema.statistics s"
        " where s.table_schema = c.table_schema and s.table_name = c.table_name and s.index_name = 'PRIMARY'"
        " and s.column_name = c.column_name), 0)"
        " from information_schema.columns c where " MARIADB_TABLE " order by ordinal_position";
static const char mariadb_indexes[] =
        "select index_name, 1 - non_unique, column_name from information_schema.statistics s "
        "where " MARIADB_TABLE " and not exists (select 1 from information_schema.statistics o where "
        "o.table_schema = s.table_schema"
        " and o.table_name = s.table_name and o.index_name = s.index_name"
        " and (o.sub_part is not null or o.index_type <> 'BTREE')) order by index_name, seq_in_index";

static const char postgresql_table[] =
        "select case when relkind in ('v', 'm') then 1 else 0 end, null from pg_catalog.pg_class"
        " where oid = " POSTGRESQL_TABLE " and relkind in ('r', 'p', 'v', 'm', 'f')";
static const char postgresql_columns[] =
        "select a.attname, format_type(case when t.typtype = 'd' then t.typbasetype else a.atttypid end,"
        " case when t.typtype = 'd' then t.typtypmod else a.atttypmod end),"
        " case when a.attnotnull and not a.atthasdef and a.attidentity = '' and a.attgenerated = ''"
        " then 1 else 0 end,"
        " case when a.attgenerated <> '' then 1 else 0 end,"
        " coalesce((select k.place from pg_catalog.pg_index i cross join lateral unnest(i.indkey::int2[])"
        " with ordinality as k (number, place) where i.indrelid = a.attrelid and i.indisprimary"
        " and k.number = a.attnum and k.place <= i.indnkeyatts), 0)"
        " from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid"
        " where a.attrelid = " POSTGRESQL_TABLE " and a.attnum > 0 and not a.attisdropped order by a.attnum";
static const char postgresql_indexes[] =
        "select i.indexrelid, case when i.indisunique then 1 else 0 end, a.attname from pg_catalog.pg_index "
        "i"
        " cross join lateral unnest(i.indkey::int2[]) with ordinality as k (number, place)"
        " join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number"
        " where i.indrelid = " POSTGRESQL_TABLE
        " and i.indisvalid and i.indpred is null and i.indexprs is null"
        " and k.place <= i.indnkeyatts order by i.indexrelid, k.place";
static const char postgresql_names[] =
        "select case when pg_table_is_visible(oid) then relname"
        " else relnamespace::regnamespace || '.' || relname end from pg_catalog.pg_class"
        " where relkind in ('r', 'p', 'v', 'm', 'f') and relnamespace not in"
        " ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) order by 1 limit 10000";

static const char sqlite_table[] =
        "select case when type = 'view' then 1 else 0 end, null from sqlite_master where type in ('table', "
        "'view')"
        " and name = :table collate nocase and coalesce(:schema, 'main') = 'main'";
static const char sqlite_columns[] =
        "select name, type, case when (\"notnull\" = 1 or pk > 0) and dflt_value is null and hidden = 0"
        " and not (pk = 1 and type = 'INTEGER' collate nocase) then 1 else 0 end,"
        " case when hidden in (2, 3) then 1 else 0 end, pk from pragma_table_xinfo(:table) where hidden <> "
        "1";
static const char sqlite_indexes[] =
        "select l.name, l.\"unique\", i.name from pragma_index_list(:table) l, pragma_index_info(l.name) i"
        " where l.partial = 0 and not exists (select 1 from pragma_index_info(l.name) x where x.name is "
        "null)"
        " order by l.name, i.seqno";

static const char sqlserver_table[] = "select case when type = 'V' then 1 else 0 end, null from sys.objects "
                                      "where object_id = " SQLSERVER_TABLE " and type in ('U', 'V')";
static const char sqlserver_columns[] =
        "select c.name, t.name + case when t.name in ('decimal', 'numeric')"
        " then concat('(', c.precision, ',', c.scale, ')')"
        " when t.name in ('datetime2', 'datetimeoffset', 'time') then concat('(', c.scale, ')')"
        " when t.name in ('char', 'varchar', 'binary', 'varbinary')"
        " then concat('(', case when c.max_length = -1 then 'max' else cast(c.max_length as varchar(10)) "
        "end, ')')"
        " when t.name in ('nchar', 'nvarchar') then concat('(', case when c.max_length = -1 then 'max'"
        " else cast(c.max_length / 2 as varchar(10)) end, ')') else '' end,"
        " case when c.is_nullable = 0 and c.default_object_id = 0 and c.is_identity = 0 and c.is_computed = "
        "0"
        " and t.name <> 'timestamp' then 1 else 0 end,"
        " case when c.is_computed = 1 or t.name = 'timestamp' then 1 else 0 end,"
        " coalesce((select k.key_ordinal from sys.indexes i join sys.index_columns k on k.object_id = "
        "i.object_id"
        " and k.index_id = i.index_id where i.object_id = c.object_id and i.is_primary_key = 1"
        " and k.column_id = c.column_id), 0)"
        " from sys.columns c join sys.types t on t.user_type_id = c.system_type_id"
        " where c.object_id = " SQLSERVER_TABLE " order by c.column_id";
static const char sqlserver_indexes[] =
        "select i.name, i.is_unique, c.name from sys.indexes i"
        " join sys.index_columns k on k.object_id = i.object_id and k.index_id = i.index_id"
        " join sys.columns c on c.object_id = i.object_id and c.column_id = k.column_id"
        " where i.object_id = " SQLSERVER_TABLE
        " and i.type in (1, 2) and i.has_filter = 0 and i.is_disabled = 0"
        " and k.is_included_column = 0 order by i.name, k.key_ordinal";
static const char sqlserver_names[] =
        "select top (10000) case when schema_name(schema_id) = schema_name() then name"
        " else schema_name(schema_id) + '.' + name end from sys.objects where type in ('U', 'V') order by 1";

/* The low 60 bits of each half; summed up as decimals, which do not overflow. */
#define MARIADB_SUM(at) \
        "coalesce(mod(sum(cast(conv(substr(tf_hash, " at ", 15), 16, 10) as unsigned)), 1152921504606846976), 0)"
#define POSTGRESQL_SUM(at) \
        "coalesce(mod(sum(cast(cast(cast('x' || substr(tf_hash, " at ", 15) as bit(60)) as bigint) as numeric))," \
        " 1152921504606846976), 0)"

static const OdbcDialect dialects[] = {
        {
                .family = ODBC_MARIADB,
                .sql = SQL_MARIADB,
                .name = "MariaDB",
                .dbms_names = (const char *const[]){"MariaDB", "MySQL", NULL},
                .options = "CHARSET=utf8mb4",
                .session = mariadb_session,
                .read_only = "set session transaction read only",
                .table_sql = mariadb_table,
                .columns_sql = mariadb_columns,
                .indexes_sql = mariadb_indexes,
                .names_sql =
                        "select table_name from information_schema.tables where table_schema = database()"
                        " order by 1 limit 10000",
                .snapshot = mariadb_snapshot,
                .page = "\n limit :n",
                .sums = MARIADB_SUM("2") ", " MARIADB_SUM("18"),
                .unmerged = " limit 18446744073709551615",
                .explain = "explain ",
                .begin = "start transaction",
                .lock = "select get_lock(concat('terrafusion:', md5(:pair)), 30)",
                .savepoint = "savepoint tf_range",
                .rollback_to = "rollback to savepoint tf_range",
                .release = "release savepoint tf_range",
        },
        {
                .family = ODBC_POSTGRESQL,
                .sql = SQL_POSTGRESQL,
                .name = "PostgreSQL",
                .dbms_names = (const char *const[]){"PostgreSQL", NULL},
                .options =
                        "BoolsAsChar=0;TextAsLongVarchar=1;UnknownsAsLongVarchar=1;ByteaAsLongVarBinary=1;"
                        "LFConversion=0;UseServerSidePrepare=1;Protocol=7.4-0",
                .session = postgresql_session,
                .read_only = "set default_transaction_read_only = on",
                .table_sql = postgresql_table,
                .columns_sql = postgresql_columns,
                .indexes_sql = postgresql_indexes,
                .names_sql = postgresql_names,
                .snapshot = postgresql_snapshot,
                .page = "\n limit :n",
                .sums = POSTGRESQL_SUM("2") ", " POSTGRESQL_SUM("18"),
                .unmerged = " offset 0",
                .explain = "explain (format json) ",
                .begin = "begin",
                .lock = "select case when pg_advisory_lock(hashtextextended('terrafusion target ' || :pair, "
                        "0))"
                        " is null then 0 else 1 end",
                .savepoint = "savepoint tf_range",
                .rollback_to = "rollback to savepoint tf_range",
                .release = "release savepoint tf_range",
        },
        {
                .family = ODBC_SQLITE,
                .sql = SQL_SQLITE,
                .name = "SQLite",
                .dbms_names = (const char *const[]){"SQLite", NULL},
                .options = "NoCreat=1;NoWCHAR=0;LongNames=0;JDConv=0",
                .session = sqlite_session,
                .read_only = "pragma query_only = on",
                .table_sql = sqlite_table,
                .columns_sql = sqlite_columns,
                .indexes_sql = sqlite_indexes,
                .names_sql = "select name from sqlite_master where type in ('table', 'view') order by 1 "
                             "limit 10000",
                .snapshot = sqlite_snapshot,
                .page = "\n limit :n",
                .explain = "explain query plan ",
                .begin = "begin immediate",
                .savepoint = "savepoint tf_range",
                .rollback_to = "rollback to savepoint tf_range",
                .release = "release savepoint tf_range",
        },
        {
                .family = ODBC_SQLSERVER,
                .sql = SQL_SQLSERVER,
                .name = "SQL Server",
                .dbms_names = (const char *const[]){"Microsoft SQL Server", "SQL Server", NULL},
                .session = sqlserver_session,
                .table_sql = sqlserver_table,
                .columns_sql = sqlserver_columns,
                .indexes_sql = sqlserver_indexes,
                .names_sql = sqlserver_names,
                .snapshot = sqlserver_snapshot,
                .page = "\n offset 0 rows fetch next :n rows only",
                .begin = "begin transaction",
                .lock = "declare @held int; exec @held = sp_getapplock @Resource = :pair, @LockMode = "
                        "'Exclusive',"
                        " @LockOwner = 'Session', @LockTimeout = 30000;"
                        " select case when @held >= 0 then 1 else 0 end",
                .savepoint = "save transaction tf_range",
                .rollback_to = "rollback transaction tf_range",
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

const OdbcDialect *odbc_dialect_of(OdbcFamily family) {
        for (size_t i = 0; i < ELEMENTSOF(dialects); i++)
                if (dialects[i].family == family)
                        return &dialects[i];
        return NULL;
}

static int text_add(OdbcFamily family, const char *text, size_t size, TextBuffer *b) {
        _cleanup_free_ char *literal = text ? odbc_text_literal(family, text, size) : strdup("null");

        return literal ? text_buffer_add(b, literal, strlen(literal)) : -ENOMEM;
}

char *odbc_dialect_fill(const OdbcDialect *dialect, const char *sql, const char *table, const char *pair) {
        const char *dot = table ? strchr(table, '.') : NULL,
                   *name = dot && dot > table && dot[1] ? dot + 1 : table;
        _cleanup_text_buffer_ TextBuffer b = {};
        int r = 0;

        while (*sql && r >= 0) {
                size_t n = strcspn(sql, ":");

                r = text_buffer_add(&b, sql, n);
                sql += n;
                if (r < 0)
                        return NULL;
                if (table && text_starts_with(sql, ":schema")) {
                        r = text_add(dialect->family, name > table ? table : NULL,
                                     name > table ? (size_t) (name - table) - 1 : 0, &b);
                        sql += strlen(":schema");
                } else if (table && text_starts_with(sql, ":table")) {
                        r = text_add(dialect->family, name, strlen(name), &b);
                        sql += strlen(":table");
                } else if (pair && text_starts_with(sql, ":pair")) {
                        r = text_add(dialect->family, pair, strlen(pair), &b);
                        sql += strlen(":pair");
                } else if (*sql) /* a cast, "::" */
                        r = text_buffer_add(&b, sql++, 1);
        }
        return r < 0 ? NULL : TAKE_PTR(b.bytes);
}
