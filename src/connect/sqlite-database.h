/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A handle of one of their SQLite files: opening, failures, tables, values. Only connect/sqlite*.c
 * include this, the one file of the room that includes sqlite3.h. In the worker. */
#include <sqlite3.h>

#include "basic/text.h"
#include "connect/sqlite.h"
#include "connect/sqlite-value.h"
#include "connect/table.h"

typedef struct SqliteConnection {
        Connection base;
        const System *system;
        sqlite3 *db;
        Arena *arena; /* of horizons */
} SqliteConnection;

static inline void sqlite_finalizep(sqlite3_stmt **statement) { (void) sqlite3_finalize(*statement); }
static inline void sqlite_db_closep(sqlite3 **db) { (void) sqlite3_close_v2(*db); }
#define _cleanup_statement_ _cleanup_(sqlite_finalizep)
#define _cleanup_db_        _cleanup_(sqlite_db_closep)

/* Turns SQLite's result into a row of error-codes.h, with its own message. what: "cannot read on". Gives
 * the negative errno. */
int sqlite_fail(sqlite3 *db, int rc, const System *system, const char *what, Error *error);
_must_check_ int sqlite_execute(sqlite3 *db, const System *system, const char *sql, Error *error);
_must_check_ int sqlite_prepare(sqlite3 *db, const System *system, const char *sql, sqlite3_stmt **ret,
                                Error *error);
/* Opens what is there, never creates, and reads its first page: SQLite itself would find out at the first
 * statement. */
_must_check_ int sqlite_db_open(const System *system, bool write, sqlite3 **ret, Error *error);
/* ERROR_TABLE_MISSING with the nearest name. */
_must_check_ int sqlite_table_load(sqlite3 *db, const System *system, const char *name, Table **ret,
                                   Error *error);
int sqlite_bind_stored(sqlite3_stmt *statement, int index, const StoredValue *stored); /* SQLite's result */

/* The tables of a mapping's scan. */
typedef struct SqliteSources {
        Table *own, **joins;
        size_t n_joins;
} SqliteSources;
void sqlite_sources_done(SqliteSources *s);
/* Loads them and checks that every column is there. With report, what is missing is appended and left
 * NULL. */
_must_check_ int sqlite_sources_load(sqlite3 *db, const System *system, const Pair *pair, const Mapping *m,
                                     json_t *report, SqliteSources *s, Error *error);
/* The scan's one select with its parameters. after, until: identities, after the one and up to the other; NULL: from the first record, to
 * the last. */
_must_check_ int sqlite_scan_prepare(sqlite3 *db, const ReadPlan *plan, const SqliteSources *sources,
                                     bool after, bool until, sqlite3_stmt **ret, Error *error);
_must_check_ int sqlite_scan_bind(sqlite3 *db, const System *system, const ReadPlan *plan,
                                  const Value *after, const Value *until, sqlite3_stmt *statement, Error *error);

/* What sqlite_connector consists of, beside connection and check. */
int sqlite_grants(Connection *connection, const Pair *pair, const Mapping *m, bool target, json_t *report, Error *error);
int sqlite_explain(Connection *connection, const ReadPlan *plan, json_t *report, Error *error);
int sqlite_horizon(Connection *connection, const Mapping *m, Value *ret_high, Error *error);
int sqlite_reader_open(Connection *connection, const ReadPlan *plan, Reader **ret, Error *error);
int sqlite_reader_next(Reader *reader, Value *values, Error *error);
const char *sqlite_reader_position(Reader *reader);
bool sqlite_reader_resumed(const Reader *reader);
void sqlite_reader_close(Reader *reader);
int sqlite_reader_findings(Reader *reader, const Value *values, Arena *arena, Finding **findings);
/* sqlite-ranges.c */
int sqlite_content_digest(Connection *connection, const Mapping *m, Digest *ret, Error *error);
int sqlite_ranges_plan(Reader *reader, const KeyRange *within, uint64_t n_records, KeyRanges *ret, Error *error);
int sqlite_ranges_sum(Reader *reader, KeyRange *ranges, size_t n_ranges, Error *error);
int sqlite_reader_range(Reader *reader, const KeyRange *range, Error *error);
bool sqlite_reader_ranges_by_key(const Reader *reader);
int sqlite_writer_open(Connection *connection, const Mapping *mapping, Writer **ret, Error *error);
void sqlite_writer_close(Writer *writer);
int sqlite_count(Writer *writer, uint64_t *ret, Error *error);
int sqlite_fetch(Writer *writer, Arena *arena, RecordFetch *fetches, size_t n_fetches, Error *error);
int sqlite_write(Writer *writer, RecordWrite *writes, size_t n_writes, Error *error);

/* One column of the present row; text and bytes are SQLite's own memory, valid until the next step. The
 * value is taken once: the column_… functions would look it up anew for type, bytes and size. No other
 * thread uses this handle. */
static inline int sqlite_value_read(sqlite3_stmt *statement, int index, char real_text[static REAL_TEXT_MAX],
                                    Value *ret) {
        sqlite3_value *value = sqlite3_column_value(statement, index);
        const char *bytes;
        size_t size;

        switch (sqlite3_value_type(value)) {
        case SQLITE_INTEGER:
                *ret = value_integer(sqlite3_value_int64(value));
                return 0;
        case SQLITE_FLOAT:
                value_from_real(sqlite3_value_double(value), real_text, ret);
                return 0;
        case SQLITE_TEXT:
                bytes = (const char *) sqlite3_value_text(value);
                size = (size_t) sqlite3_value_bytes(value);
                if (!bytes)
                        return -ENOMEM;
                /* SQLite does not look at what a program called text; such a record is the converter's to
                 * hold. */
                ret->type = text_is_utf8(bytes, size) ? VALUE_TEXT : VALUE_BYTES;
                ret->bytes = bytes;
                ret->size = size;
                return 0;
        case SQLITE_BLOB:
                bytes = sqlite3_value_blob(value);
                *ret = (Value){.type = VALUE_BYTES,
                               .bytes = bytes ? bytes : "",
                               .size = (size_t) sqlite3_value_bytes(value)};
                return 0;
        default:
                *ret = value_null();
                return 0;
        }
}
